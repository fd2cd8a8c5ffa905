"""Pages: buttons turn them in place, whatever happens meanwhile, and nothing is remembered for it."""

import re
from pathlib import Path

from structlog.testing import capture_logs

from tests.bot.discord.live import CALLBACK, Live, called_back, live, text_of
from tests.emulators.discord import Channel, DiscordEmulator, Message, Shown, User
from tests.emulators.discord.faults import broken, refused
from tests.emulators.discord.permissions import EVERYONE, Permission

NUMBERS = re.compile(r"Post (n\d+)")


async def opened(sky: Live, channel: Channel) -> Message:
    """The first of three pages: n28 to n18 and so on."""
    await sky.publish(*(f"n{number:02}" for number in reversed(range(29))))
    return await sky.answer(channel, "latest")


async def turned(sky: Live, page: Message, label: str, by: User | None = None) -> Message:
    """The page as it is after a button was pressed."""
    made = sky.dc.press(page, label, by=by)
    await sky.acknowledged(made)
    channel = sky.dc.channel(page.channel_id)
    return {**channel.messages, **channel.hidden}[page.id]


def numbers(message: Message) -> list[str]:
    return NUMBERS.findall(text_of(message))


def names(high: int, low: int) -> list[str]:
    return [f"n{number:02}" for number in range(high, low - 1, -1)]


def remembered(sky: Live) -> list[object]:
    """The views that the library keeps, and whatever it notes of messages with views."""
    store = sky.client._connection._view_store
    return [*store._views, *store._synced_message_views]


async def test_buttons_turn_pages_in_place_and_new_posts_do_not_move_them(
    dc: DiscordEmulator, sky: Live, news: Channel, bob: User
) -> None:
    page = await opened(sky, news)
    assert page.labels == ("· 1 ·", "2", "3", "»")
    assert numbers(page) == names(28, 18) == numbers(await turned(sky, page, "· 1 ·"))
    await sky.publish("n98", "n99")
    turns = (("»", names(17, 7), None), ("3", names(6, 0), bob), ("«", names(17, 7), None))
    for label, shown, person in turns:  # everybody may turn them
        page = await turned(sky, page, label, by=person)
        assert numbers(page)[: len(shown)] == shown
        assert dc.messages(news) == [page]
    assert page.labels == ("«", "1", "· 2 ·", "3", "»")
    assert numbers(await turned(sky, page, "1"))[0] == "n28"
    assert numbers(await sky.answer(news, "latest"))[:2] == ["n98", "n99"]
    assert remembered(sky) == []


async def test_more_buttons_than_fit_a_row(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    await sky.publish(*(f"n{number:03}" for number in range(99)))
    page = await sky.answer(news, "latest")
    for label in ("10", "9", "«"):
        page = await turned(sky, page, label)
    assert page.labels == ("«", "1", "7", "· 8 ·", "9", "10", "»")


async def test_buttons_work_after_a_restart(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    page = await opened(sky, news)
    found = await sky.answer(news, "search", words="text")
    await sky.restart()
    assert numbers(await turned(sky, page, "2")) == names(17, 7)
    shown = await turned(sky, found, "2")
    assert shown.labels == ("«", "1", "· 2 ·", "3", "»")
    assert not set(numbers(found)) & set(numbers(shown))
    assert remembered(sky) == []


async def test_a_foreign_button_is_answered(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    page = await opened(sky, news)
    for row in page.components:
        for button in row["components"] if isinstance(row["components"], list) else ():
            button["custom_id"] = "v0:what?"
    with capture_logs() as events:
        shown = await turned(sky, page, "2")
    assert numbers(shown) == names(28, 18)
    assert not events


async def test_a_slow_page_is_announced_and_turned_later(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    async with live(dc, folder, patience=0) as sky:
        page = await opened(sky, news)
        made = dc.press(page, "2")
        await dc.wait_for(lambda: numbers(dc.messages(news)[0]) == names(17, 7))
        assert dc.answers_to(made) == []  # no other message
        assert dc.messages(news)[0].labels == ("«", "1", "· 2 ·", "3", "»")
        assert remembered(sky) == []


async def test_what_a_member_may_not_press_tells_that_member_alone(
    dc: DiscordEmulator, sky: Live, news: Channel, bob: User
) -> None:
    club = news.guild
    assert club is not None
    dc.set_permissions(club, club.everyone, EVERYONE | Permission.MANAGE_GUILD)
    preview = await sky.answer(news, "post", by=bob, text="A title\\nA text")
    dc.set_permissions(club, club.everyone, EVERYONE)
    made = dc.press(preview, "Send here", by=bob)
    reply = await sky.answer_to(made)
    assert text_of(reply) == "⚠ Only admins of this chat can do that."
    assert reply.only_for == bob.id
    assert await sky.states(news) == []


async def test_a_page_that_cannot_be_turned_can_be_turned_at_the_next_press(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    page = await opened(sky, news)
    with capture_logs() as events:
        for number, code in enumerate((50013, 10062), 2):  # nobody waits for the second one any more
            dc.faults.add(refused(code), CALLBACK)
            dc.press(page, "2")
            await called_back(dc, number)
        await sky.barrier()
    (failed,) = [event for event in events if event["log_level"] not in ("info", "debug")]
    assert (failed["event"], failed["reason"]) == ("discord.interaction_failed", "Missing Permissions")
    dc.faults.add(broken(502, processed=True), CALLBACK)
    assert numbers(await turned(sky, page, "2"))[0] == "n17"
    await sky.barrier()
    # A turn that the library has repeated shows the page once.
    assert len([e for e in dc.transcript.entries if isinstance(e, Shown) and e.what == "edited"]) == 1
