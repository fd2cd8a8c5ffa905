"""First contact: three presses, and what is refused on the way."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from bot.access import AccessMode
from bot.commands.types import Button, Reply
from bot.commands.welcome import HOURS, payload_of
from content.errors import AddressRefused
from scheduler.actions import chats
from scheduler.actions.audit import Actor
from scheduler.types import ChatKind
from tests.bot.conftest import FEED, OPERATOR, Desk, open_desk, shown
from tests.fakes import FakeFetcher
from tests.scheduler.conftest import json_feed

OTHER = "https://other.example.org/feed.json"


def labels(reply: Reply | None) -> list[str]:
    assert reply is not None
    return [button.label for row in reply.rows for button in row]


def button(reply: Reply | None, label: str) -> Button:
    """The button of a reply with this label."""
    assert reply is not None
    (found,) = [one for row in reply.rows for one in row if one.label == label]
    return found


async def press(desk: Desk, reply: Reply | None, *words: str, **who: Any) -> Reply:
    """Press one button after the other, each of the message that the one before has left."""
    for word in words:
        reply = await desk.press(button(reply, word).data, **who)
    assert reply is not None
    return reply


async def schedule(desk: Desk) -> Sequence[str]:
    async with desk.store.read() as work:
        return [f"{one.recurrence} {one.timezone}" for one in await work.digests.all()]


async def test_three_presses_give_a_group_its_digest(desk: Desk) -> None:
    source = await desk.source("one", title="Radio notes")
    greeting = await desk.say("/start", locale="zh")
    assert labels(greeting) == ["Radio notes", "其他订阅源…"]
    done = await press(desk, greeting, "Radio notes", "每天", "09:00", locale="zh")
    assert "Radio notes" in shown(done) and not done.rows
    assert await desk.follows() == [source.id]
    assert await schedule(desk) == ["daily 09:00 UTC"]
    # The chat speaks the language in which it was set up.
    assert (await desk.chat()).language == "zh"


async def test_every_choice_is_what_it_says(desk: Desk) -> None:
    await desk.source("one", title="Radio notes")
    greeting = await desk.say("/start")
    rhythms = (("Daily", "daily"), ("Weekdays", "weekdays"), ("Weekly, on Monday", "mon"))
    for hour, (label, days) in zip(HOURS, cycle(rhythms)):
        done = await press(desk, greeting, "Radio notes", label, f"{hour:02}:00")
        assert await schedule(desk) == [f"{days} {hour:02}:00 UTC"]
        assert "Times are in the time zone UTC" in shown(done)


async def test_the_time_zone_is_asked_beside_the_hour(desk: Desk) -> None:
    await desk.source("one", title="Radio notes")
    hours = await press(desk, await desk.say("/start"), "Radio notes", "Daily")
    zone = button(hours, "Time zone")
    assert zone.question is not None
    wrong = await desk.press(zone.sent, typed="Atlantis")
    assert "Atlantis" in shown(wrong)
    there = await desk.press(zone.sent, typed="new york")
    assert "time zone America/New_York" in shown(there)
    await press(desk, there, "09:00")
    assert await schedule(desk) == ["daily 09:00 America/New_York"]
    refused = await desk.press(zone.sent, typed="tokyo", admin=False)
    assert "Only admins" in shown(refused)


async def test_at_once_needs_no_hour(desk: Desk) -> None:
    source = await desk.source("one", title="Radio notes")
    done = await press(desk, await desk.say("/start"), "Radio notes", "At once")
    assert "as they appear" in shown(done)
    assert await desk.follows() == [source.id]
    assert await schedule(desk) == []
    # A source that comes with a digest comes at once from now on.
    for words in (("Daily", "09:00"), ("At once",)):
        done = await press(desk, await desk.press("c:p:1"), "Radio notes", *words)
    assert "as they appear" in shown(done)


async def test_a_chat_that_is_set_up_is_not_asked_anew(desk: Desk) -> None:
    await desk.source("one", title="Radio notes")
    await press(desk, await desk.say("/start"), "Radio notes", "Daily", "18:00")
    again = await desk.say("/start")
    assert "It follows: Radio notes." in shown(again)
    assert "New posts arrive as a digest: daily 18:00 (UTC)." in shown(again)
    assert labels(again) == ["Add a source"]
    assert "Radio notes" in labels(await press(desk, again, "Add a source"))


async def test_several_sources_are_offered_page_by_page(desk: Desk) -> None:
    for number in range(8):
        await desk.source("one", url=f"https://example.org/{number}.json", title=f"Feed {number}")
    first = await desk.say("/start")
    assert labels(first)[:2] == ["all public sources", "Feed 0"]
    second = await press(desk, first, "»")
    assert [label for label in labels(second) if label[:4] == "Feed"] == ["Feed 6", "Feed 7"]
    await press(desk, second, "«", "all public sources", "‹ Back", "all public sources", "Weekdays", "07:00")
    assert await desk.follows() == [None]


async def test_members_press_in_vain(desk: Desk) -> None:
    await desk.source("one", title="Radio notes")
    greeting = await desk.say("/start", admin=False)
    for label in ("Radio notes", "Another feed…"):
        refused = await desk.press(button(greeting, label).data, admin=False)
        assert "Only admins of this chat" in shown(refused) and refused and refused.private
    assert await desk.follows() == []


async def test_a_press_that_is_stale_or_forged_changes_nothing(desk: Desk) -> None:
    """The source was removed, or is private to another chat, or the data is nonsense."""
    mine, gone = await desk.source("one", title="Radio notes"), await desk.source("one", url=OTHER)
    hidden = await desk.source("two", url="https://hidden.example.org/f.json", public=False)
    await desk.say("/start")
    async with desk.store.write() as work:
        await work.sources.remove(gone.id)
        await work.commit()
    for source in (gone, hidden):
        for data in (f"c:{source.id}", f"c:{source.id}:now", f"c:{source.id}:daily:9"):
            told = await desk.press(data)
            assert "no longer available here" in shown(told) and told and told.private
    for data in ("c", "c:", "c:x", "c:-1", f"c:{mine.id}:hourly", f"c:{mine.id}:daily:3", f"c:{'9' * 60}"):
        told = await desk.press(data)
        assert told is None or told.private
    assert "no longer has that button" in shown(await desk.press(f"c:{mine.id}:now", offered=["c:p:1"]))
    assert await desk.follows() == [] and await schedule(desk) == []


async def test_a_link_carries_a_source_along(desk: Desk) -> None:
    source = await desk.source("one", title="Radio notes")
    greeting = await desk.say(f"/start {payload_of(source)}")
    assert "Radio notes: how often" in shown(greeting)
    await press(desk, greeting, "Daily", "09:00")
    assert await desk.follows() == [source.id]


async def test_a_link_reveals_no_private_source(desk: Desk) -> None:
    """A source of another chat and a number that nothing has are answered in the same words."""
    hidden = await desk.source("one", title="Hidden", public=False)
    told = [shown(await desk.say(f"/start s{number}")) for number in (hidden.id, 4711, 10**17)]
    assert told[0] == told[1] == told[2]
    assert "The source of this link is not available here." in told[0] and "Hidden" not in told[0]


async def test_only_operators_are_offered_another_feed_where_only_they_add_any(sqlite_url: str) -> None:
    async with open_desk(sqlite_url, access=AccessMode.CURATED) as desk:
        assert "There are no sources yet." in shown(await desk.say("/start"))
        await desk.source("one", title="Radio notes")
        assert labels(await desk.say("/start")) == ["Radio notes"]


async def test_the_zone_of_the_chat_counts(desk: Desk) -> None:
    await desk.source("one", title="Radio notes")
    greeting = await desk.say("/start")
    async with desk.store.write() as work:
        zone = chats.Settings(timezone="Asia/Shanghai")
        by = Actor("fake:7")
        await chats.change(work, by, await desk.chat(), zone, desk.services.clock.now())
        await work.commit()
    hours = await press(desk, greeting, "Radio notes", "Daily")
    assert "Times are in the time zone Asia/Shanghai; /settings changes it." in shown(hours)
    await press(desk, hours, "09:00")
    assert await schedule(desk) == ["daily 09:00 Asia/Shanghai"]


# Addresses


async def test_an_address_is_followed_at_a_press(desk: Desk) -> None:
    await desk.publish("one")
    asked = await desk.paste(FEED)
    assert f"Subscribe to {FEED}?" in shown(asked)
    assert button(asked, "Open the page").url == FEED
    done = await desk.press(button(asked, "Subscribe").data, link=FEED, kind=ChatKind.PRIVATE)
    assert "now follows" in shown(done)
    assert len(await desk.follows()) == 1
    await press(desk, done, "Daily", "09:00")
    assert await schedule(desk) == ["daily 09:00 UTC"]


async def test_an_address_may_be_long_and_is_shown_without_secrets(desk: Desk) -> None:
    long = f"https://example.org/{'x' * 300}.xml?token=4242"
    asked = await desk.paste(long)
    assert "4242" not in shown(asked) and button(asked, "Open the page").url == long
    for hopeless in (f"https://example.org/{'x' * 600}", "http://nas/feed.xml"):
        assert "send /subscribe and the address" in shown(await desk.paste(hopeless))
    for no_address in ("hello", "look at https://example.org", "ftp://example.org/x", ""):
        assert await desk.paste(no_address) is None


async def test_an_address_has_the_guard_and_the_rights_of_the_command(sqlite_url: str) -> None:
    """What /subscribe refuses, a pasted or typed address does not bring in either."""
    inner = "http://10.0.0.1/feed"
    guarded = FakeFetcher(faults={inner: AddressRefused("10.0.0.1 is private")})
    async with open_desk(sqlite_url, for_people=guarded) as desk:
        desk.fetcher.pages[inner] = json_feed("secret")
        for told in (await desk.press("a:", link=inner), await desk.press("a:?", typed=inner)):
            assert f"{inner} cannot be reached: check the address." in shown(told)
        assert "That is no address." in shown(await desk.press("a:?", typed="my feed"))
        assert "Only admins" in shown(await desk.press("a:", link=FEED, admin=False))
        assert "Only admins" in shown(await desk.paste(FEED, admin=False))
        assert guarded.calls == [inner, inner]


async def test_only_operators_bring_an_address_in_where_only_they_add_any(sqlite_url: str) -> None:
    async with open_desk(sqlite_url, access=AccessMode.CURATED) as desk:
        await desk.publish("one")
        told = await desk.press("a:", link=FEED)
        assert "Only operators of this bot add sources" in shown(told)
        assert "now follows" in shown(await desk.press("a:", link=FEED, actor=OPERATOR))


async def test_the_answer_to_another_feed_goes_on_with_the_rhythm(desk: Desk) -> None:
    await desk.publish("one")
    another = button(await desk.say("/start"), "Another feed…")
    assert (await desk.ask(another.sent)).prompt == "The address of a feed"
    done = await desk.press(another.sent, typed=FEED)
    await press(desk, done, "Weekdays", "08:00")
    assert await schedule(desk) == ["weekdays 08:00 UTC"]
