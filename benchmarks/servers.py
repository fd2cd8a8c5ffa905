"""The emulators as processes: `python -m benchmarks.servers KIND`; they end when standard input closes."""

import argparse
import asyncio
import gc
import json
import random
import sys
from typing import TypeVar

from aiohttp import web

from tests.emulators import discord, telegram
from tests.emulators.base import Emulator, Fault, FaultQueue, Transcript
from tests.emulators.discord.control import ControlledEmulator as Discord
from tests.emulators.telegram.console import read_lines
from tests.emulators.telegram.control import ControlledEmulator as Telegram
from tests.emulators.telegram.faults import named

Entry = TypeVar("Entry")
BODY = {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, "text": "x"}
ME = {"id": 1, "is_bot": True, "first_name": "Skywave", "username": "skywave_bot"}


class Scattered(FaultQueue):
    """Temporary faults on a share of the messages, the same ones in every run."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share, self._rng = share, random.Random(7)
        self._faults = [named(kind) for kind in ("retry-after-1", "drop", "bad-gateway", "server-error")]

    def take(self, method: str, chat: str | int) -> Fault | None:
        """The fault for this request."""
        befalls = method.lower() == "sendmessage" and self._rng.random() < self._share
        return self._rng.choice(self._faults) if befalls else None


class Shows(Transcript[Entry]):
    """A transcript that records when each message was shown, and in which chat."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[float, str]] = []
        self.said: list[tuple[float, str]] = []

    def append(self, entry: Entry) -> int:
        if isinstance(entry, telegram.Shown):
            self.shown.append((asyncio.get_running_loop().time(), str(entry.message.chat_id)))
        elif isinstance(entry, discord.Shown):
            self.shown.append((asyncio.get_running_loop().time(), str(entry.message.channel_id)))
        return super().append(entry)


class TimedTelegram(Telegram):
    """Serves the times of all messages at /_emulator/times, people's own ones included."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        shows = self.world.transcript
        assert isinstance(shows, Shows)
        if request.path == "/_emulator/times":
            return web.json_response({"shown": shows.shown, "said": shows.said})
        if request.path == "/_emulator/say":
            chat = json.loads(await request.read())["chat"]
            shows.said.append((asyncio.get_running_loop().time(), str(chat)))
        return await super().handle(request)


class TimedDiscord(Discord):
    """Serves the times of all messages at /_emulator/times."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        shows = self.world.transcript
        assert isinstance(shows, Shows)
        if request.path == "/_emulator/times":
            return web.json_response({"shown": shows.shown, "said": []})
        return await super().handle(request)


class Canned(Emulator):
    """Answers every request like a sendMessage, at once, so that only the client is measured."""

    def __init__(self) -> None:
        super().__init__()
        self._me, self._sent = (json.dumps({"ok": True, "result": found}).encode() for found in (ME, BODY))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        await request.read()
        body = self._me if request.path.endswith("getMe") else self._sent
        return web.Response(body=body, content_type="application/json")


def make(options: argparse.Namespace) -> Emulator:
    """The emulator named on the command line."""
    latency = telegram.Latency(options.latency / 1000, options.jitter / 1000)
    if options.kind == "telegram":
        limits = telegram.Limits(overall=options.strict, hold=0) if options.strict else None
        tg = TimedTelegram(limits=limits, latency=latency)
        tg.world.transcript = Shows()
        if options.faults:
            tg.faults = Scattered(options.faults)
        return tg
    if options.kind == "discord":
        dc = TimedDiscord(
            limits=discord.Limits(overall=options.strict) if options.strict else None, latency=latency
        )
        dc.world.transcript = Shows()
        return dc
    return Canned()


async def main(options: argparse.Namespace) -> None:
    """Serve until standard input ends."""
    gc.disable()  # a pause would look like a burst of requests
    emulator = make(options)
    async with emulator:
        gateway = emulator.gateway_url if isinstance(emulator, Discord) else ""
        print(json.dumps({"port": emulator.port, "url": emulator.url, "gateway": gateway}), flush=True)
        async for _ in read_lines(sys.stdin.readline):
            pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["telegram", "discord", "canned"])
    parser.add_argument("--strict", type=int, default=0)
    parser.add_argument("--faults", type=float, default=0)
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--jitter", type=float, default=0)
    asyncio.run(main(parser.parse_args()))
