"""Who may not, or has as much as there is: told once, seen by the operator, and nothing happens."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from bot.access import AccessMode
from bot.commands.told import Told
from content.errors import AddressRefused, FetchError, Unreachable
from content.types import Visibility
from scheduler import membership
from scheduler.actions.audit import Change
from scheduler.quotas import Quotas
from scheduler.types import ChatAccess, ChatKind, Place
from tests.bot.conftest import FEED, OPERATOR, Desk, open_desk, shown
from tests.fakes import FakeClock, FakeFetcher

Open = Callable[..., AbstractAsyncContextManager[Desk]]
OTHER = "https://other.example.net/feed.json"
THIRD = "https://third.example.net/feed.json"
INTRANET = "http://intranet.example/feed.json"
PRIVATE = "⚠ This bot is private. Its operator can allow this chat with: skywave chats allow fake:1"


@pytest.fixture
def opened(sqlite_url: str) -> Open:
    return partial(open_desk, sqlite_url)


@pytest.fixture
async def closed(opened: Open) -> AsyncIterator[Desk]:
    async with opened(access=AccessMode.CLOSED) as desk:
        yield desk


async def noted(desk: Desk) -> list[str]:
    """What the operator sees of refusals, the newest first."""
    async with desk.store.read() as work:
        entries = await work.audit.newest(100, action=Change.REFUSED)
    return [f"{entry.actor}: {entry.target}" for entry in entries]


async def grant(desk: Desk, place: Place, access: ChatAccess) -> None:
    async with desk.store.write() as work:
        await work.chats.ensure(place)
        await membership.grant(work, place, access, desk.services.clock.now())
        await work.commit()


async def known_places(desk: Desk) -> list[str]:
    async with desk.store.read() as work:
        return [str(chat.place) for chat in await work.chats.all()]


def advance(desk: Desk, **time: float) -> None:
    clock = desk.services.clock
    assert isinstance(clock, FakeClock)
    clock.advance(timedelta(**time).total_seconds())


# Closed


async def test_a_chat_that_may_not_use_the_bot_is_told_once_what_to_do(closed: Desk) -> None:
    reply = await closed.say("/latest")
    assert shown(reply) == PRIVATE and reply and reply.private
    for _ in range(3):
        for line in ("/latest", "/subscribe", "/nonsense"):
            assert await closed.say(line, actor="fake:8") is None
        assert await closed.press("l:0:1:0") is None
        assert await closed.router.complete("source", "", closed.call("/latest")) == ()
    assert closed.asked == [], "the platform is not asked about rights that do not matter"
    assert await noted(closed) == ["fake:7: fake:1 may not use the bot: skywave chats allow fake:1"]
    advance(closed, days=1)
    assert shown(await closed.say("/latest")) == PRIVATE


async def test_strangers_leave_no_chats_behind(closed: Desk) -> None:
    for place in range(20):
        await closed.say("/latest", place=str(place))
    assert await known_places(closed) == []


async def test_operators_may_use_it_anywhere(closed: Desk) -> None:
    await closed.source("post-1")
    assert "post-1" in shown(await closed.say("/latest", actor=OPERATOR))
    assert "now follows" in shown(await closed.say("/subscribe", actor=OPERATOR, admin=False))


async def test_an_allowed_chat_and_its_topics_may_use_it(closed: Desk) -> None:
    await grant(closed, Place("fake", "1"), ChatAccess.ALLOWED)
    assert "Welcome to Skywave" in shown(await closed.say("/start"))
    in_topic = replace(closed.call("/start"), place=Place("fake", "1", "9"))
    assert "Welcome to Skywave" in shown(await closed.router.command(in_topic))
    async with closed.store.read() as work:
        made = await work.chats.find(Place("fake", "1", "9"))
    assert made and made.access is ChatAccess.ALLOWED
    assert shown(await closed.say("/start", place="2")).startswith("⚠ This bot is private.")


async def test_a_chinese_reader_is_told_in_chinese(closed: Desk) -> None:
    said = shown(await closed.say("/start", kind=ChatKind.PRIVATE, locale="zh-hans"))
    assert said == "⚠ 本机器人不对外开放。如需使用，请机器人管理员执行：skywave chats allow fake:1"


def test_who_was_told_is_remembered_of_a_bounded_number() -> None:
    clock = FakeClock()
    told = Told(timedelta(hours=1), clock.monotonic, most=100)
    for number in range(10_000):
        assert told.first(number)
    assert len(told._told) == 100
    assert not told.first(9_999) and told.first(0)


# Banned


@pytest.mark.parametrize("mode", AccessMode)
async def test_a_banned_chat_is_told_nothing(opened: Open, mode: AccessMode) -> None:
    async with opened(access=mode) as desk:
        await desk.source("post-1")
        await desk.say("/start", actor=OPERATOR)
        await grant(desk, Place("fake", "1"), ChatAccess.BANNED)
        for actor in ("fake:7", OPERATOR):
            for line in ("/latest", "/subscribe", "/start", "/nonsense"):
                assert await desk.say(line, actor=actor) is None
            assert await desk.press("l:0:1:9", actor=actor) is None
            assert await desk.router.complete("source", "", desk.call("/latest", actor=actor)) == ()
        assert await noted(desk) == []


async def test_a_chat_that_is_changed_while_it_is_banned_stays_banned(desk: Desk) -> None:
    await desk.say("/start")
    before = await desk.chat()
    await grant(desk, before.place, ChatAccess.BANNED)
    async with desk.store.write() as work:  # a command that had read the chat before
        await work.chats.save(before)
        await work.commit()
    assert (await desk.chat()).access is ChatAccess.BANNED


# Curated


async def test_only_operators_add_sources_where_that_is_the_rule(opened: Open) -> None:
    async with opened(access=AccessMode.CURATED) as desk:
        await desk.publish("post-1")
        said = shown(await desk.say(f"/subscribe {FEED}"))
        assert said.startswith("⚠ Only operators of this bot add sources")
        assert desk.fetcher.calls == [] and await desk.follows() == []
        await desk.say(f"/subscribe {FEED}", actor=OPERATOR, place="2")
        # That it is known as somebody's private source makes no difference.
        assert shown(await desk.say(f"/subscribe {FEED}")) == said
        await desk.source("post-2", url=OTHER, title="Known")
        for words in ("Known", OTHER, "all"):
            assert "now follows" in shown(await desk.say(f"/subscribe {words}", place="3")) or words == OTHER
        assert len(await desk.follows("3")) == 2


# Quotas


async def full(opened: Open, quotas: Quotas, lines: list[str], said: str) -> None:
    """The last line is refused with a sentence, once; the operator sees it once, and may go on."""
    async with opened(quotas=quotas) as desk:
        for url in (FEED, OTHER, THIRD):
            await desk.publish("post-1", url=url)
        await desk.source("post-0", url="https://public.example.org/feed.json", title="Open")
        for line in lines[:-1]:
            assert "⚠" not in shown(await desk.say(line))
        with capture_logs() as events:
            assert shown(await desk.say(lines[-1])) == f"⚠ {said}"
            for _ in range(3):
                assert await desk.say(lines[-1]) is None
        assert [e["event"] for e in events].count("access.refused") == 1
        assert len(await noted(desk)) == 1
        advance(desk, hours=1)
        assert shown(await desk.say(lines[-1])) == f"⚠ {said}"
        assert "⚠" not in shown(await desk.say(lines[-1], actor=OPERATOR))
        assert "⚠" not in shown(await desk.say("/subscribe Open")), "public sources are no matter of quotas"


async def test_a_chat_follows_so_many_private_sources(opened: Open) -> None:
    said = "This chat already follows 1 private feeds, the most for one chat. Remove one with /unsubscribe."
    await full(opened, Quotas(chat_sources=1), [f"/subscribe {FEED}", f"/subscribe {OTHER}"], said)


async def test_a_person_adds_so_many_sources(opened: Open) -> None:
    said = (
        "You have already added 1 feeds, the most for one person. The operator of this bot can add this one."
    )
    await full(opened, Quotas(person_sources=1), [f"/subscribe {FEED}", f"/subscribe {OTHER}"], said)


async def test_there_are_so_many_private_sources_in_all(opened: Open) -> None:
    said = "This bot already reads 1 private feeds, its limit. The operator of this bot can add this one."
    await full(opened, Quotas(private_sources=1), [f"/subscribe {FEED}", f"/subscribe {OTHER}"], said)


async def test_a_person_writes_so_many_updates_a_day(opened: Open) -> None:
    said = "You have written 2 updates within a day, the most for one person. Try again tomorrow."
    await full(opened, Quotas(posts_per_day=2), ["/post a", "/post b", "/post c"], said)


async def test_an_update_is_no_longer_than_so_much(opened: Open) -> None:
    said = "An update has 100 characters at most: please shorten it."
    await full(opened, Quotas(post_length=100), ["/post " + "x" * 100, "/post " + "字" * 101], said)


async def test_a_quota_of_a_person_holds_in_all_chats_and_of_that_person_alone(opened: Open) -> None:
    async with opened(quotas=Quotas(person_sources=1)) as desk:
        for url in (FEED, OTHER):
            await desk.publish("post-1", url=url)
        await desk.say(f"/subscribe {FEED}")
        assert "You have already added 1 feeds" in shown(await desk.say(f"/subscribe {OTHER}", place="2"))
        assert "now follows" in shown(await desk.say(f"/subscribe {OTHER}", place="2", actor="fake:8"))


async def test_a_day_passes(opened: Open) -> None:
    async with opened(quotas=Quotas(posts_per_day=1)) as desk:
        await desk.say("/post a")
        assert "within a day" in shown(await desk.say("/post b"))
        advance(desk, days=1)
        assert "⚠" not in shown(await desk.say("/post b"))


async def test_what_is_refused_is_not_fetched_and_leaves_nothing(opened: Open) -> None:
    async with opened(quotas=Quotas(chat_sources=0)) as desk:
        await desk.publish("post-1")
        assert "⚠" in shown(await desk.say(f"/subscribe {FEED}"))
        assert desk.fetcher.calls == []
        async with desk.store.read() as work:
            assert await work.sources.all() == []


async def test_a_chats_own_updates_are_no_source_that_it_follows(opened: Open) -> None:
    async with opened(quotas=Quotas(chat_sources=1)) as desk:
        preview = await desk.say("/post Hello")
        assert preview
        await desk.press(preview.buttons[0].data)
        await desk.publish("post-1")
        assert "now follows" in shown(await desk.say(f"/subscribe {FEED}"))


async def test_who_added_a_source_is_known(desk: Desk) -> None:
    for url, actor in ((FEED, "fake:7"), (OTHER, OPERATOR)):
        await desk.publish("post-1", url=url)
        await desk.say(f"/subscribe {url}", actor=actor)
    async with desk.store.read() as work:
        assert [source.added_by for source in await work.sources.all()] == ["fake:7", ""]
    await desk.services.ingest.add(FEED, Visibility.PUBLIC)
    async with desk.store.read() as work:
        assert [source.added_by for source in await work.sources.all()] == ["", ""]


# Private networks


@pytest.fixture
def public() -> FakeFetcher:
    """What people's sources are fetched with: nothing private answers."""
    refused = "intranet.example: 10.0.0.7 is not a public address; to allow it, add its network"
    return FakeFetcher(faults={INTRANET: AddressRefused(refused)})


async def test_allowed_networks_are_for_operators_alone(opened: Open, public: FakeFetcher) -> None:
    async with opened(for_people=public) as desk:
        await desk.publish("post-secret", url=INTRANET)
        said = shown(await desk.say(f"/subscribe {INTRANET}"))
        assert said == f"⚠ {INTRANET} cannot be reached: check the address."
        assert desk.fetcher.calls == [] and await desk.follows() == []
        assert "now follows" in shown(await desk.say(f"/subscribe {INTRANET}", actor=OPERATOR, place="2"))
        # That an operator's chat follows it neither lets anybody else in, nor shows.
        assert shown(await desk.say(f"/subscribe {INTRANET}", place="3")) == said
        assert await desk.follows("3") == []


async def test_a_persons_source_stays_outside_when_it_is_polled(opened: Open, public: FakeFetcher) -> None:
    async with opened(for_people=public) as desk:
        await desk.publish("post-1")
        public.pages[FEED] = desk.fetcher.pages[FEED]
        await desk.say(f"/subscribe {FEED}")
        public.faults[FEED] = AddressRefused("10.0.0.7 is not a public address")  # its DNS has changed
        await desk.publish("post-1", "post-secret")
        assert desk.fetcher.calls == []
        async with desk.store.read() as work:
            (source,) = await work.sources.all()
        assert "10.0.0.7" in source.last_error
        for line in ("/sources", "/latest", f"/subscribe {FEED}"):
            assert "10.0.0.7" not in shown(await desk.say(line))


UNREACHABLE = [
    AddressRefused("intranet.example: 10.0.0.7 is not a public address; to allow it, add its network"),
    Unreachable("http://intranet.example/feed.json: no address is known for intranet.example"),
    Unreachable("http://intranet.example/feed.json: intranet.example refuses the connection"),
    Unreachable("http://intranet.example/feed.json: no secure connection to intranet.example"),
    Unreachable("http://intranet.example/feed.json did not answer within 20 s"),
]


async def test_whatever_does_not_answer_a_person_is_told_the_same(desk: Desk) -> None:
    for error in UNREACHABLE:
        with capture_logs() as events:
            desk.fetcher.faults[f"{INTRANET}?token=1"] = error
            said = shown(await desk.say(f"/subscribe {INTRANET}?token=1"))
        assert said == f"⚠ {INTRANET}?… cannot be reached: check the address."
        assert any(str(error) == event.get("reason") for event in events), "the operator finds it in the log"
        assert shown(await desk.say(f"/subscribe {INTRANET}?token=1", actor=OPERATOR)) == f"⚠ {error}"


async def test_what_answered_may_be_said(desk: Desk) -> None:
    desk.fetcher.faults[FEED] = FetchError(f"{FEED} answered 404: check the address")
    assert shown(await desk.say(f"/subscribe {FEED}")) == f"⚠ {FEED} answered 404: check the address"
