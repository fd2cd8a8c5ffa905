"""Who may use what, where, and what becomes of errors."""

import asyncio
from dataclasses import replace

import pytest

from bot.access import NEEDED, Act
from bot.commands import COMMANDS
from bot.commands.flood import AT_ONCE, SEARCHES, Flood
from bot.commands.router import Router
from bot.commands.types import Command, Reply, Request, Services, Work
from content import present
from content.errors import StoreBusy
from content.i18n import COMMAND, LANGUAGES, Translator
from scheduler import membership
from scheduler.types import ChatKind, ChatState
from tests.bot.conftest import OPERATOR, Desk, shown

FOR_ADMINS = ["/subscribe", "/unsubscribe", "/digest", "/post hello"]
FOR_ALL = ["/latest", "/page 1", "/search x", "/sources", "/help", "/start"]


@pytest.mark.parametrize("line", FOR_ADMINS)
async def test_members_change_nothing(desk: Desk, line: str) -> None:
    reply = await desk.say(line, admin=False)
    name = line.split()[0]
    assert shown(reply) == f"⚠ Only admins of this chat can use {name}." and reply and reply.private
    assert await desk.follows() == []


@pytest.mark.parametrize("line", FOR_ADMINS)
async def test_admins_and_operators_may(desk: Desk, line: str) -> None:
    assert "Only admins" not in shown(await desk.say(line, admin=True))
    assert "Only admins" not in shown(await desk.say(line, admin=False, actor=OPERATOR))
    assert "Only admins" in shown(await desk.say(line, admin=False, actor=OPERATOR + "0"))


@pytest.mark.parametrize("line", FOR_ALL)
async def test_reading_is_for_all_and_asks_for_no_rights(desk: Desk, line: str) -> None:
    assert "Only admins" not in shown(await desk.say(line, admin=False))
    assert desk.asked == []


@pytest.mark.parametrize("kind", [ChatKind.GROUP, ChatKind.CHANNEL])
async def test_commands_of_other_bots_are_not_answered_in_groups(desk: Desk, kind: ChatKind) -> None:
    assert await desk.say("/roll 20", kind=kind) is None


@pytest.mark.parametrize("kind", [ChatKind.PRIVATE, ChatKind.TERMINAL])
async def test_an_unknown_command_is_answered_where_we_are_meant(desk: Desk, kind: ChatKind) -> None:
    long = "x" * 500
    said = shown(await desk.say("/roll 20", kind=kind))
    assert said == "⚠ There is no command /roll. /help lists them all."
    assert len(shown(await desk.say(f"/{long}", kind=kind))) < 120


async def test_a_command_has_a_name_in_each_language(desk: Desk) -> None:
    for name in ("/搜索", "/搜尋"):
        assert "Nothing found for “x”" in shown(await desk.say(f"{name} x"))
    assert desk.router.knows("帮助") and not desk.router.knows("帮")
    assert "Only admins of this chat" in shown(await desk.say("/订阅", admin=False))


def test_no_two_commands_have_a_name_in_common() -> None:
    named = {(Translator(one).name(COMMAND, c.name), c.name) for one in LANGUAGES for c in COMMANDS}
    assert len({name for name, _ in named}) == len(named)


async def test_a_chat_is_remembered_with_its_title_and_kind(desk: Desk) -> None:
    await desk.say("/help", place="5", kind=ChatKind.CHANNEL)
    chat = await desk.chat("5")
    assert (chat.title, chat.kind, chat.state) == ("chat 5", ChatKind.CHANNEL, ChatState.ACTIVE)
    writes = desk.store.writes
    await desk.say("/help", place="5", kind=ChatKind.CHANNEL)
    assert desk.store.writes == writes
    await desk.say("/help", place="5", kind=ChatKind.GROUP)
    assert (await desk.chat("5")).kind is ChatKind.GROUP


async def test_a_chat_that_was_gone_is_back_when_it_speaks(desk: Desk) -> None:
    await desk.source("old")
    await desk.say("/subscribe")
    async with desk.store.write() as work:
        await membership.deactivate(work, await desk.chat(), "blocked", desk.services.clock.now())
        await work.commit()
    await desk.publish("old", "missed")
    await desk.say("/help")
    chat = await desk.chat()
    assert (chat.state, chat.reason) == (ChatState.ACTIVE, "")
    async with desk.store.read() as work:
        (subscription,) = await work.subscriptions.of(chat.id)
        assert subscription.starts_after == await work.posts.newest_id()


async def test_what_goes_wrong_is_said_to_who_asked(desk: Desk) -> None:
    reply = await desk.say("/page 0")
    assert reply and reply.private and shown(reply).startswith("⚠ ")


async def test_a_press_that_needs_an_admin_is_refused_to_members(desk: Desk) -> None:
    for press in desk.services.presses:
        if NEEDED[press.act]:
            reply = await desk.press(f"{press.prefix}:1:y", admin=False)
            who = "operators of this bot" if press.act is Act.OPERATE else "admins of this chat"
            assert shown(reply) == f"⚠ Only {who} can do that."


@pytest.mark.parametrize("option", ["source", "nothing", ""])
async def test_completion_shows_only_what_the_chat_may_see(desk: Desk, option: str) -> None:
    await desk.source("a", title="Open letters")
    await desk.source("b", url="https://b.example.net/f.json", title="Open secrets", public=False)
    found = await desk.router.complete(option, "open", desk.call("/latest"))
    assert list(found) == (["Open letters"] if option == "source" else [])
    assert list(await desk.router.complete(option, "open", desk.call("/nonsense"))) == []


@pytest.mark.parametrize("work", [Work.SEARCH, Work.REMOTE])
async def test_what_takes_long_holds_up_nothing_that_is_quick(desk: Desk, work: Work) -> None:
    begun, go_on = list[str](), asyncio.Event()

    async def long(request: Request, services: Services) -> Reply:
        begun.append(request.call.actor)
        await go_on.wait()
        return Reply(present.error("done"))

    quick = [c for c in desk.services.commands if c.name == "help"]
    services = replace(desk.services, commands=(Command("long", "/long", "", long, work=work), *quick))
    desk.router = Router(services, [], Flood(20, desk.services.clock))
    many = max(AT_ONCE, SEARCHES) + 2
    asked = [asyncio.create_task(desk.say("/long", actor=f"test:{n}")) for n in range(many)]
    async with asyncio.timeout(30):
        while len(begun) < (SEARCHES if work is Work.SEARCH else many):
            await asyncio.sleep(0)
        assert "/help" in shown(await desk.say("/help"))
        go_on.set()
        await asyncio.gather(*asked)
    assert len(begun) == many


async def test_where_the_database_is_and_what_it_says_is_told_to_operators_alone(desk: Desk) -> None:
    said = "the database /srv/skywave.db is locked by another program"
    desk.store.outages = [StoreBusy(said), StoreBusy(said)]
    assert shown(await desk.say("/help", place="9")) == "⚠ Something went wrong. Please try again later."
    assert said in shown(await desk.say("/help", place="9", actor=OPERATOR))
