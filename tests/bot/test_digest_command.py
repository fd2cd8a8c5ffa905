"""/digest: schedules in words and local time, and what a wrong one gets."""

import pytest

from bot.commands import digest_words
from bot.commands.types import Reply
from content.i18n import LANGUAGES, Translator
from scheduler.timetable import schedules
from scheduler.types import Digest, Rest, WhenEmpty
from tests.bot.conftest import Desk, shown
from tests.builders import NOW


async def names(desk: Desk, place: str = "1") -> dict[str, str]:
    """What the chat's subscriptions come with, by source: the name of a digest, or at once."""
    chat = await desk.chat(place)
    async with desk.store.read() as work:
        digests = {digest.id: digest.name for digest in await work.digests.of(chat.id)}
        sources = {source.id: source.name for source in await work.sources.all()}
        return {
            sources.get(one.source_id or 0, "all"): digests.get(one.digest_id or 0, "at once")
            for one in await work.subscriptions.of(chat.id)
        }


async def test_a_schedule_is_understood_and_its_next_runs_are_shown(desk: Desk) -> None:
    await desk.say("/subscribe")
    said = shown(await desk.say("/digest mon,thu 08:00 shanghai")).splitlines()
    assert said[0] == "New posts for this chat now come as a digest: mon,thu 08:00 (Asia/Shanghai)."
    assert said[2:] == [
        "• Monday, March 2, 2026 08:00",
        "• Thursday, March 5, 2026 08:00",
        "• Monday, March 9, 2026 08:00",
    ]
    assert await names(desk) == {"all": "1"}


async def test_a_chat_that_follows_nothing_is_told_that_its_digest_follows_everything(desk: Desk) -> None:
    told = "This chat had no subscriptions, so it now follows all public sources."
    assert told in shown(await desk.say("/digest daily 09:00")).splitlines()[0]
    assert await desk.follows() == [None]
    assert told not in shown(await desk.say("/digest daily 10:00"))


async def test_the_zone_that_was_named_once_is_the_chats(desk: Desk) -> None:
    await desk.say("/digest daily 09:00 Asia/Shanghai")
    assert "daily 10:00 (Asia/Shanghai)" in shown(await desk.say("/digest daily 10:00"))
    assert (await desk.chat()).timezone == "Asia/Shanghai"


async def test_list_shows_the_schedule_or_how_to_make_one(desk: Desk) -> None:
    assert "This chat has no digest. For example: /digest daily 09:00" in shown(
        await desk.say("/digest list")
    )
    await desk.say("/digest weekdays 18:30")
    for line in ("/digest list", "/digest"):
        assert "The digest of this chat: weekdays 18:30 (UTC)." in shown(await desk.say(line))


async def test_a_schedule_that_makes_no_sense_gets_the_nearest_one(desk: Desk) -> None:
    for line, answer in (
        ("/digest daily 25:00", "I don't understand “25:00”. Did you mean: /digest daily 23:00"),
        ("/digest dayly 9", "I don't understand “dayly”. Did you mean: /digest daily 09:00"),
        ("/digest daily 09:00 Asia/Shangai", "Did you mean: /digest daily 09:00 Asia/Shanghai"),
    ):
        reply = await desk.say(line)
        assert answer in shown(reply)
        assert reply and reply.private
    async with desk.store.read() as work:
        assert await work.digests.all() == []


async def test_now_sends_what_waits(desk: Desk) -> None:
    await desk.source("old")
    await desk.say("/subscribe")
    await desk.say("/digest daily 09:00")
    assert "Nothing new for the digest." in shown(await desk.say("/digest now"))
    await desk.publish("old", "new")
    assert "Sending the digest now." in shown(await desk.say("/digest now"))


async def test_off_says_whether_something_waited(desk: Desk) -> None:
    await desk.source("old")
    await desk.say("/subscribe")
    await desk.say("/digest daily 09:00")
    await desk.publish("old", "new")
    assert "Sending the queued posts now." in shown(await desk.say("/digest off"))
    assert await names(desk) == {"all": "at once"}
    assert "has no digest" in shown(await desk.say("/digest off"))


async def test_only_admins_schedule(desk: Desk) -> None:
    assert "Only admins" in shown(await desk.say("/digest daily 09:00", admin=False))


async def test_a_chinese_reader_may_write_and_read_chinese(desk: Desk) -> None:
    said = shown(await desk.say("/digest 每天 9点 Asia/Shanghai", locale="zh-hans"))
    assert said.startswith("今后将按以下时间汇总推送：每天 09:00（Asia/Shanghai）。")
    assert "2026年3月2日星期一 09:00" in said


async def two(desk: Desk) -> None:
    """A chat that follows two sources, each with a digest of its own: 1 and evening."""
    for name in ("alpha", "beta"):
        await desk.source("old", url=f"https://{name}.example.org/feed.json", title=name)
        await desk.say(f"/subscribe {name}")
    await desk.say("/digest daily 09:00 Europe/Berlin for alpha")
    await desk.say("/digest add weekdays 18:00 as evening max 5 rest next time say when empty for beta")


async def test_several_digests_each_with_its_sources(desk: Desk) -> None:
    await two(desk)
    assert await names(desk) == {"alpha": "1", "beta": "evening"}
    assert shown(await desk.say("/digest")).splitlines() == [
        "The digests of this chat",
        "• 1: daily 09:00 (Europe/Berlin), alpha",
        "• evening: weekdays 18:00 (Europe/Berlin), beta",
    ]
    async with desk.store.read() as work:
        (_, evening) = await work.digests.all()
    assert (evening.max_posts, evening.rest, evening.when_empty) == (5, Rest.NEXT, WhenEmpty.SAY)
    listed = shown(await desk.say("/subscriptions")).splitlines()
    assert listed[1:] == ["• alpha: digest 1: daily 09:00", "• beta: digest evening: weekdays 18:00"]
    several = "This chat has several digests: 1, evening. Say which one."
    for line in ("/digest off", "/digest now"):
        assert several in shown(await desk.say(line))
    which = "To change one: /digest edit 1 daily 10:00. For another one: /digest add daily 10:00."
    assert which in shown(await desk.say("/digest daily 10:00"))
    assert "I don't understand “25:00”" in shown(await desk.say("/digest daily 25:00"))
    for line in ("/digest evening", "/digest list evening", "/digest evening pause"):
        assert shown(await desk.say(line)).startswith("The digest “evening”: weekdays 18:00 (Europe/Berlin).")
    assert "It is paused" not in shown(await desk.say("/digest evening resume"))
    assert "There is no digest “morning” here, only: 1, evening" in shown(
        await desk.say("/digest now morning")
    )
    edited = shown(await desk.say("/digest edit evening every 6h for beta, alpha"))
    assert edited.startswith("The digest “evening” is set: every 6h (Europe/Berlin).")
    assert "The digest “1” has no sources any more." in edited
    assert await names(desk) == {"alpha": "evening", "beta": "evening"}
    assert shown(await desk.say("/digest off 1")).startswith("The digest “1” has ended.")
    assert "The digest of this chat: every 6h (Europe/Berlin)." in shown(await desk.say("/digest list"))


async def test_a_digest_of_some_sources_names_them(desk: Desk) -> None:
    for name in ("alpha", "beta"):
        await desk.source("old", url=f"https://{name}.example.org/feed.json", title=name)
        await desk.say(f"/subscribe {name}")
    told = shown(await desk.say("/digest daily 18:00 for alpha"))
    assert told.startswith("The digest “1” is set: daily 18:00 (UTC). Sources: alpha.")
    told = shown(await desk.say("/digest 9"))
    assert "daily 09:00" in told, "an hour, not the name of a digest"


async def test_what_a_digest_cannot_be(desk: Desk) -> None:
    await two(desk)
    nothing = "Name its sources, for example: daily 12:00 for alpha"
    assert nothing in shown(await desk.say("/digest add daily 12:00"))
    never = "“0 9 31 2 *” never comes. Did you mean: /digest add cron 0 9 28 2 *"
    assert never in shown(await desk.say("/digest add 0 9 31 2 *"))
    assert "There is no subscription to “gamma” here" in shown(await gamma(desk))
    for wrong in ("max none", "max 0", "as evening", "as a-name-that-is-much-too-long"):
        assert shown(await desk.say(f"/digest edit 1 {wrong}")).startswith("⚠ "), wrong
    async with desk.store.read() as work:
        assert [digest.name for digest in await work.digests.all()] == ["1", "evening"]


async def gamma(desk: Desk) -> Reply | None:
    await desk.source("old", url="https://gamma.example.org/feed.json", title="gamma")
    return await desk.say("/digest add daily 12:00 for gamma")


async def test_the_buttons_of_a_digest(desk: Desk) -> None:
    await two(desk)
    listed = await desk.say("/digest list")
    assert listed is not None and [button.label for button in listed.buttons] == ["1", "evening"]
    card = await desk.press(listed.buttons[1].data)
    assert card is not None
    labels = [button.label for button in card.buttons]
    assert labels == ["Preview", "Send now", "Pause", "Edit", "Delete", "All digests"]
    preview, send, pause, edit, delete, back = card.buttons
    assert edit.question and edit.question.placeholder == (
        "weekdays 18:00 Europe/Berlin max 5 rest next time say when empty for beta"
    )
    assert "Nothing new this time." in shown(await desk.press(preview.data))
    assert "Sending the digest now." in shown(await desk.press(send.data))  # it says when it is empty
    paused = await desk.press(pause.data)
    assert paused is not None and "It is paused; its posts wait." in shown(paused)
    assert shown(await desk.press(pause.data)) == shown(paused), "a second admin sees the same"
    assert "(paused)" in shown(await desk.press(back.data))
    assert "paused" not in shown(await desk.press(paused.buttons[2].data))
    edited = await desk.press(edit.sent, typed="monthly 1 09:00 max 7")
    assert "The digest “evening” is set: monthly 1 09:00 (Europe/Berlin)." in shown(edited)
    wrong = await desk.press(edit.sent, typed="monthly 40 09:00")
    assert "Did you mean: /digest edit monthly 31 09:00" in shown(wrong)
    sure = await desk.press(delete.data)
    assert sure is not None and "Remove the digest “evening”?" in shown(sure)
    assert "The digest “evening”" in shown(await desk.press(sure.buttons[1].data))
    assert "The digest “evening” has ended." in shown(await desk.press(sure.buttons[0].data))
    for data in (preview.data, sure.buttons[0].data, "t:o:999", "t:p:x"):
        assert "That digest was removed." in shown(await desk.press(data))
    assert await desk.press("t:nothing") is None


async def test_a_digest_of_another_chat_is_not_touched(desk: Desk) -> None:
    await two(desk)
    for action in "opsPReDx":
        asks = "?" if action == "e" else ""
        typed = "daily 10:00" if asks else None
        told = shown(await desk.press(f"t:{action}:1{asks}", place="2", typed=typed))
        assert "That digest was removed." in told
    async with desk.store.read() as work:
        assert len(await work.digests.all()) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_is_described_as_it_can_be_typed(language: str) -> None:
    tr = Translator(language)
    digest = Digest(
        0, 0, "weekdays 09:00 and 18:00", "UTC", NOW, max_posts=5, when_empty=WhenEmpty.SAY, rest=Rest.NEXT
    )
    typed = digest_words.parse(digest_words.described(digest, ["alpha", "beta"], tr))
    recurrence, zone = schedules.parse(typed.wanted.schedule or "")
    assert (schedules.stored(recurrence), zone, typed.sources) == (
        digest.recurrence,
        "UTC",
        ["alpha", "beta"],
    )
    assert (typed.wanted.max_posts, typed.wanted.rest) == (5, Rest.NEXT)
    assert typed.wanted.when_empty is WhenEmpty.SAY


async def test_a_digest_in_chinese(desk: Desk) -> None:
    await two(desk)
    said = shown(await desk.say("/digest 修改 evening 每月1日 9点 最多8篇 来源 beta", locale="zh-hans"))
    assert said.startswith("已设置定时汇总“evening”：每月1日 09:00（Europe/Berlin）。包含来源：beta。")
