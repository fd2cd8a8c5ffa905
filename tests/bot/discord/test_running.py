"""The program around Discord: it starts, syncs, resumes, keeps the pace, and says why it gave up."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.engine import SystemClock
from bot.platforms.discord.commands import command_payloads, differ
from bot.platforms.discord.connection import CLOSED
from scheduler.types import Place
from tests.bot.discord.live import Live, Naps, live, text_of
from tests.bot.live import PATIENCE
from tests.bot.telegram.test_runner import PaperSender
from tests.e2e.program import item
from tests.emulators.discord import Channel, DiscordEmulator, Limits, Link
from tests.emulators.discord.faults import broken, refused
from tests.emulators.discord.types import Json

COMMANDS = "/applications/{application}/commands"


# Commands


def synced(dc: DiscordEmulator) -> int:
    return len(dc.requests("PUT", COMMANDS))


async def test_commands_are_synced_when_they_differ(dc: DiscordEmulator, folder: Path) -> None:
    dc.world.commands.clear()
    async with live(dc, folder) as sky:
        known = dc.world.commands[None]
        before = plain(known.listed())
        assert (synced(dc), differ(command_payloads(), known.listed())) == (1, False)
        described = next(command for command in known.listed() if command["name"] == "subscribe")
        described["description"] = "something else"
        await sky.restart()
        assert (synced(dc), plain(known.listed())) == (2, before)
        await sky.restart()
        assert (synced(dc), len(dc.requests("GET", COMMANDS))) == (2, 3)
    for change in CHANGES.values():
        other = {command["name"]: command for command in deepcopy(known.listed())}
        change(other)
        assert differ(command_payloads(), list(other.values()))


def plain(commands: list[Json]) -> list[Json]:
    """Commands without what Discord adds to them."""
    return [{k: v for k, v in command.items() if k not in ("id", "version")} for command in commands]


Named = dict[Any, Any]
CHANGES: dict[str, Callable[[Named], object]] = {
    "removed": lambda known: known.pop("search"),
    "added": lambda known: known.update(weather=known["subscribe"] | {"name": "weather"}),
    "translated": lambda known: known["subscribe"].update(description_localizations={"zh-CN": "别的"}),
    "allowed": lambda known: known["subscribe"].update(default_member_permissions=None),
    "no longer allowed": lambda known: known["latest"].update(default_member_permissions="32"),
    "option": lambda known: known["subscribe"].update(options=[]),
}


# The gateway


def links(dc: DiscordEmulator, what: str) -> int:
    return len([e for e in dc.transcript.entries if isinstance(e, Link) and e.what == what])


async def test_what_happens_while_the_gateway_is_away_is_told_when_it_is_back(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    await sky.answer(news, "latest")
    begun = links(dc, "identified")
    ways = (dc.gateway.drop, lambda: dc.gateway.close(4000), dc.gateway.reconnect)
    with capture_logs() as events:
        for number, goes in enumerate(ways, 1):
            goes()
            assert "Post old" in text_of(await sky.answer(news, "latest"))
            assert links(dc, "resumed") == number
    assert links(dc, "identified") == begun
    assert not [event for event in events if event["log_level"] in ("warning", "error")]
    dc.gateway.invalidate()  # a session that is lost is begun anew
    await dc.wait_for(lambda: links(dc, "identified") == begun + 1)
    assert "Post old" in text_of(await sky.answer(news, "latest"))


@pytest.fixture
def nowhere() -> str:
    """A gateway where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{probe.getsockname()[1]}/"


async def test_posts_go_out_while_the_gateway_is_away(
    dc: DiscordEmulator, news: Channel, folder: Path, nowhere: str, caplog: pytest.LogCaptureFixture
) -> None:
    naps = Naps(3)
    with capture_logs() as events:
        async with live(dc, folder, run=False, sleep=naps.sleep, discord_gateway_url=nowhere) as sky:
            await sky.follow(news)
            sky.start()
            await naps.all_taken.wait()
            await sky.publish("new")
            assert await sky.ended(news) == ["sent"]
            assert sky.posts(news) == ["new"]
    lines = [event for event in events if event["event"] == "discord.unreachable"]
    assert [event["seconds"] for event in lines] == naps.taken == [1.0, 2.0, 5.0]
    assert lines[0]["reason"] == "Discord cannot be reached: ClientConnectorError"
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]  # none of the library's own


async def test_a_gateway_that_comes_back_later_is_connected_to(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    naps = Naps(6)
    async with live(dc, folder, sleep=naps.sleep) as sky:
        await dc.stop()
        await naps.all_taken.wait()
        await dc.start()
        made = dc.slash(news, "latest")
        naps.go_on.set()
        assert "Post old" in text_of(await sky.answer_to(made))
    assert (links(dc, "identified"), links(dc, "resumed")) == (1, 1)
    assert naps.taken == [2.0, 5.0, 15.0, 30.0, 30.0, 30.0]  # after one attempt at once


async def test_nothing_is_said_of_voice_or_after_the_end(
    dc: DiscordEmulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The library goes on to wait for the last server, and would say so to a loop that is not there."""
    async with live(dc, folder) as sky:
        client = sky.client
        await sky.stop()
        client.dispatch("ready")
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


# Start and stop


async def ended(sky: Live) -> None:
    assert sky.task is not None
    async with asyncio.timeout(PATIENCE):
        await sky.task


async def test_it_waits_for_discord_to_be_there(
    dc: DiscordEmulator, news: Channel, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    naps = Naps(3)
    async with live(dc, folder, run=False, sleep=naps.sleep) as sky:
        await dc.stop()
        sky.start()
        await naps.all_taken.wait()
        assert naps.taken == [1.0, 2.0, 5.0]
        await dc.start()
        naps.go_on.set()
        await sky.connected()
        assert "Post old" in text_of(await sky.answer(news, "latest"))
    gc.collect()
    assert not [one for one in caplog.records if "Unclosed" in one.getMessage()]


WRONG = "Discord refuses the token: check SKYWAVE_DISCORD_TOKEN (Developer Portal, Bot, Reset Token)"


async def test_a_wrong_token_ends_the_platform_with_one_message(
    dc: DiscordEmulator, folder: Path, news: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as events:
        async with live(dc, folder, run=False, discord_token="WRONG.discord.token") as sky:
            await sky.follow(news)
            await sky.publish("new")
            sky.start()
            await ended(sky)
            assert sky.runner.refused == {"discord": WRONG}
            assert await sky.states(news) == ["pending"]
    (stopped,) = [event for event in events if event["log_level"] == "error"]
    assert (stopped["event"], stopped["platform"]) == ("platform.stopped", "discord")
    assert "WRONG.discord.token" not in str(events)
    gc.collect()
    assert not [one for one in caplog.records if "Unclosed" in one.getMessage()]


async def test_a_token_that_is_revoked_meanwhile_stops_the_sending(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    await sky.follow(news)
    dc.faults.add(refused(50014), "POST /channels/{channel}/messages")
    await sky.publish("new")
    await ended(sky)
    assert "check SKYWAVE_DISCORD_TOKEN" in sky.runner.refused["discord"]
    assert await sky.states(news) == ["pending"]
    assert sky.ledger(news) == {"Post new": "reserved"}


STOPPED = {
    4004: WRONG,
    4013: "Discord does not know the intents that Skywave asks for: update Skywave",
    4014: "Discord does not allow the intents that Skywave asks for: check the bot's page in the portal",
}


async def test_what_the_gateway_refuses_stops_discord_and_nothing_else(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    paper = PaperSender()
    operators = frozenset({"paper:boss", "discord:1"})
    async with live(dc, folder, others=lambda: [paper], operators=operators) as sky:
        dc.gateway.close(4014)
        async with asyncio.timeout(PATIENCE):
            await paper.something.wait()
        assert sky.runner.refused == {"discord": STOPPED[4014]}
        assert sky.task is not None and not sky.task.done()  # the other platform goes on
    ((place, text),) = paper.written
    assert place == Place("paper", "boss")
    assert STOPPED[4014] in text
    assert {code: CLOSED[code] for code in STOPPED} == STOPPED


# The pace


async def test_neither_a_broadcast_nor_the_parts_of_an_edition_draw_a_429(folder: Path) -> None:
    """Strict limits and real time, with some requests that the library repeats by itself."""
    async with DiscordEmulator(limits=Limits()) as dc:
        club = dc.guild("Club")
        channels = [dc.text(club, f"c{number}") for number in range(80)]
        news = dc.text(club, "news")
        async with live(dc, folder, clock=SystemClock()) as sky:
            await sky.follow_all(channels)
            for channel in channels[::20]:
                dc.faults.add(broken(500), "POST /channels/{channel}/messages", channel.id)
            await sky.publish("new")
            await sky.all_sent()
            assert [sky.posts(channel) for channel in channels] == [["new"]] * 80
            await sky.write("DELETE FROM subscriptions")
            await sky.follow(news)
            long = "<p>" + "word " * 400 + "</p>"
            await sky.publish(*(item(f"n{number}", content_html=long) for number in range(20)))
            assert await sky.ended(news) == ["sent"]
            assert len(dc.messages(news)) > 1
        assert dc.governor is not None
        assert dc.governor.refusals == 0
