"""The program around Discord: it starts, syncs, resumes, keeps the pace, and says why it gave up."""

import asyncio
import gc
import logging
import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.engine import SystemClock
from scheduler.types import Place
from tests.bot.discord.live import Live, Naps, live, text_of
from tests.bot.live import PATIENCE
from tests.bot.telegram.test_runner import PaperSender
from tests.e2e.program import item
from tests.emulators.discord import Channel, DiscordEmulator, Limits, Link
from tests.emulators.discord.faults import broken, refused

COMMANDS = "/applications/{application}/commands"


# Commands


def synced(dc: DiscordEmulator) -> int:
    return len(dc.requests("PUT", COMMANDS))


async def test_commands_are_synced_once(dc: DiscordEmulator, sky: Live) -> None:
    assert synced(dc) == 1
    await sky.restart()
    assert synced(dc) == 1
    assert len(dc.requests("GET", COMMANDS)) == 2


@pytest.mark.parametrize("change", ["removed", "added", "described", "translated", "allowed", "option"])
async def test_commands_are_synced_again_when_they_differ(
    dc: DiscordEmulator, sky: Live, change: str
) -> None:
    known = dc.world.commands[None]
    before = {name: dict(command) for name, command in known.by_name.items()}
    _, subscribe = next((key, c) for key, c in known.by_name.items() if key[1] == "subscribe")
    match change:
        case "removed":
            del known.by_name[1, "search"]
        case "added":
            known.by_name[1, "weather"] = dict(subscribe) | {"name": "weather"}
        case "described":
            subscribe["description"] = "something else"
        case "translated":
            subscribe["description_localizations"] = {"zh-CN": "别的", "zh-TW": "别的"}
        case "allowed":
            subscribe["default_member_permissions"] = None
        case "option":
            subscribe["options"] = []
    await sky.restart()
    assert synced(dc) == 2
    ids = ("id", "version")
    assert {
        name: {key: value for key, value in command.items() if key not in ids}
        for name, command in known.by_name.items()
    } == {
        name: {key: value for key, value in command.items() if key not in ids}
        for name, command in before.items()
    }
    await sky.restart()
    assert synced(dc) == 2


async def test_a_command_that_was_for_admins_and_is_not_any_more_is_synced(
    dc: DiscordEmulator, sky: Live
) -> None:
    dc.world.commands[None].by_name[1, "latest"]["default_member_permissions"] = "32"
    await sky.restart()
    assert dc.world.commands[None].by_name[1, "latest"]["default_member_permissions"] is None


# The gateway


def links(dc: DiscordEmulator, what: str) -> int:
    return len([e for e in dc.transcript.entries if isinstance(e, Link) and e.what == what])


@pytest.mark.parametrize("how", ["drop", "close", "reconnect"])
async def test_what_happens_while_the_gateway_is_away_is_told_when_it_is_back(
    dc: DiscordEmulator, sky: Live, news: Channel, how: str
) -> None:
    await sky.answer(news, "latest")
    with capture_logs() as events:
        match how:
            case "drop":
                dc.gateway.drop()
            case "close":
                dc.gateway.close(4000)
            case "reconnect":
                dc.gateway.reconnect()
        made = dc.slash(news, "latest")
        assert "Post old" in text_of(await sky.answer_to(made))
    assert (links(dc, "identified"), links(dc, "resumed")) == (1, 1)
    assert not [event for event in events if event["log_level"] in ("warning", "error")]


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


async def test_a_session_that_is_lost_is_begun_anew(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    """Five seconds later: Discord wants that between two sessions."""
    dc.gateway.invalidate()
    await dc.wait_for(lambda: links(dc, "identified") == 2)
    assert "Post old" in text_of(await sky.answer(news, "latest"))


async def test_what_comes_after_the_end_is_told_to_nobody(dc: DiscordEmulator, sky: Live) -> None:
    """The library goes on to wait for the last server, and would say so to a loop that is not there."""
    await sky.connected()
    client = sky.client
    await sky.stop()
    client.dispatch("ready")


async def test_voice_is_not_spoken_of(
    dc: DiscordEmulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with live(dc, folder):
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


@pytest.mark.parametrize("code", [40001, 50014])
async def test_a_token_that_is_revoked_meanwhile_stops_the_sending(
    dc: DiscordEmulator, sky: Live, news: Channel, code: int
) -> None:
    await sky.follow(news)
    dc.faults.add(refused(code), "POST /channels/{channel}/messages")
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


@pytest.mark.parametrize("code", STOPPED)
async def test_what_the_gateway_refuses_stops_discord_and_nothing_else(
    dc: DiscordEmulator, news: Channel, folder: Path, code: int
) -> None:
    paper = PaperSender()
    operators = frozenset({"paper:boss", "discord:1"})
    async with live(dc, folder, others=lambda: [paper], operators=operators) as sky:
        dc.gateway.close(code)
        async with asyncio.timeout(PATIENCE):
            await paper.something.wait()
        assert sky.runner.refused == {"discord": STOPPED[code]}
        assert sky.task is not None
        assert not sky.task.done()  # the other platform goes on
    ((place, text),) = paper.written
    assert place == Place("paper", "boss")
    assert STOPPED[code] in text


# The pace


@pytest.mark.parametrize("broken_share", [0.0, 0.05])
async def test_a_broadcast_draws_no_429(folder: Path, broken_share: float) -> None:
    """Strict limits and real time, with and without requests that the library repeats by itself."""
    async with DiscordEmulator(limits=Limits()) as dc:
        club = dc.guild("Club")
        channels = [dc.text(club, f"c{number}") for number in range(80)]
        async with live(dc, folder, clock=SystemClock()) as sky:
            for number, channel in enumerate(channels):
                await sky.follow(channel)
                if broken_share and number % round(1 / broken_share) == 0:
                    dc.faults.add(broken(500), "POST /channels/{channel}/messages", channel.id)
            await sky.publish("new")
            for channel in channels:
                assert await sky.ended(channel) == ["sent"]
                assert sky.posts(channel) == ["new"]
        assert dc.governor is not None
        assert dc.governor.refusals == 0


async def test_parts_of_an_edition_never_empty_a_channels_bucket(folder: Path) -> None:
    async with DiscordEmulator(limits=Limits()) as dc:
        news = dc.text(dc.guild("Club"), "news")
        async with live(dc, folder, clock=SystemClock()) as sky:
            await sky.follow(news)
            long = "<p>" + "word " * 400 + "</p>"
            await sky.publish(*(item(f"n{number}", content_html=long) for number in range(20)))
            assert await sky.ended(news) == ["sent"]
            assert len(dc.messages(news)) > 1
        assert dc.governor is not None
        assert dc.governor.refusals == 0
