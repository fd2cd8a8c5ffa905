"""/language, and in which language answers are."""

from dataclasses import replace

from bot.commands.types import Reply
from content.errors import StoreBusy
from content.i18n import LANGUAGES, native_name
from scheduler.errors import Refused
from scheduler.types import ChatKind
from tests.bot.conftest import Desk, shown

PERSON = "fake:7"


async def test_an_admin_names_the_language_or_presses_its_button(desk: Desk) -> None:
    for name, code in (
        ("简体中文", "zh"),
        ("traditional chinese", "zh_Hant"),
        ("zh-TW", "zh_Hant"),
        ("EN", "en"),
    ):
        await desk.say(f"/language {name}", alone=False)
        assert (await desk.chat()).language == code
    reply = await desk.say("/language", alone=False)
    assert reply and shown(reply) == "The language of this chat is English."
    assert [button.data for button in reply.buttons] == [f"g:{code}" for code in LANGUAGES]
    assert reply.buttons[0].label == "✓ English" and reply.buttons[1].label == "简体中文"
    pressed = await desk.press("g:zh", alone=False)
    assert pressed and shown(pressed) == "当前语言：简体中文。" and pressed.buttons[1].label == "✓ 简体中文"
    assert shown(await desk.press("g:zh", alone=False)) == shown(pressed), "the value to set, not a change"
    assert await desk.press("g:tlh", alone=False) is None
    assert (await desk.chat()).language == "zh"


async def test_a_language_that_we_lack_is_answered_with_those_that_we_have(desk: Desk) -> None:
    said = shown(await desk.say("/language Klingon" + "x" * 99, alone=False))
    assert "“Klingon" in said and all(native_name(language) in said for language in LANGUAGES)
    assert len(said) < 150 and (await desk.chat()).language == ""


async def test_what_a_group_reads_is_in_one_language(desk: Desk) -> None:
    """Whoever asks: in that of the group, else in that of the deployment."""
    for locale in ("zh-hans", "en", ""):
        assert "Commands" in shown(await desk.say("/help", alone=False, locale=locale))
    await desk.say("/language 繁體中文", alone=False)
    for line in ("/help", "/sources", "/read 99", "/digest nonsense", "/digest off", "/format", "/post"):
        said = {shown(await desk.say(line, alone=False, locale=locale)) for locale in ("zh-hans", "en")}
        (text,) = said
        assert not any(word in text for word in ("the ", "请", "还没"))


async def test_a_chat_without_a_language_gets_that_of_the_admin_who_sets_it_up(desk: Desk) -> None:
    """On Discord nobody is known to have added the bot."""
    source = await desk.source("one", title="Radio notes")
    assert "What should arrive here?" in shown(await desk.say("/start", alone=False, locale="zh"))
    done = shown(await desk.press(f"c:{source.id}:now", alone=False, locale="zh"))
    assert "已订阅" in done and (await desk.chat()).language == "zh"


async def test_what_one_person_sees_is_in_the_language_of_their_private_chat(desk: Desk) -> None:
    await desk.say("/language English", alone=False)
    await desk.say("/language 简体中文", place="5", kind=ChatKind.PRIVATE, actor=PERSON)
    assert "在其他地方" in shown(await desk.say("/language", place="5", kind=ChatKind.PRIVATE, actor=PERSON))
    assert "命令" in shown(await desk.say("/help", actor=PERSON))
    assert "Commands" in shown(await desk.say("/help", actor=PERSON, alone=False))
    assert "Commands" in shown(await desk.say("/help", actor="fake:77", locale="zh")), (
        "the group's, else theirs"
    )
    await desk.say("/format public answers")
    assert "Commands" in shown(await desk.say("/help", actor=PERSON)), "all see it"


async def test_a_refusal_that_one_person_sees_is_in_their_language(desk: Desk) -> None:
    """On Discord, and in an alert on Telegram; elsewhere all see it."""
    await desk.say("/language English", alone=False)
    await desk.say("/language Español", place="5", kind=ChatKind.PRIVATE, actor=PERSON)
    for whispers, said in ((True, "Solo los administradores"), (False, "Only admins")):
        call = replace(desk.call("/post x", actor=PERSON, admin=False, alone=False), whispers=whispers)
        assert said in shown(await desk.router.command(call))
        gone = await desk.router.press("g:zh", replace(call, is_chat_admin=yes), [])
        assert isinstance(gone, Reply) and ("ya no tiene ese botón" in shown(gone)) is whispers


async def yes() -> bool:
    return True


async def test_another_person_in_ones_private_chat_changes_nothing_for_them(desk: Desk) -> None:
    """The command line, for instance."""
    await desk.say("/language 简体中文", place="5", kind=ChatKind.GROUP, actor=PERSON)
    assert "Commands" in shown(await desk.say("/help", actor=PERSON))


async def test_what_a_platform_says_in_english_is_not_repeated(desk: Desk) -> None:
    async def unknown() -> bool:
        raise Refused("Bad Gateway")

    call = replace(desk.call("/format", kind=ChatKind.GROUP, locale="zh"), is_chat_admin=unknown)
    assert shown(await desk.router.command(call)) == "⚠ 出错了，请稍后再试。"


async def test_when_the_store_fails_a_group_is_not_answered_in_another_language(desk: Desk) -> None:
    desk.store.outages = [StoreBusy("it is locked")] * 2
    assert "Something went wrong" in shown(await desk.say("/help", locale="zh", alone=False))
    assert "出错了" in shown(await desk.say("/help", locale="zh", kind=ChatKind.PRIVATE))
