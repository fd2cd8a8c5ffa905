"""The world of a run: both emulated platforms with their chats, and the feed."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.chaos.places import Spot
from tests.chaos.storm import ELSEWHERE, ELSEWHERE_DISCORD, Effect, Storm, discord_table, telegram_table
from tests.e2e.program import FeedServer, item, json_feed
from tests.emulators.base import Answer, Fault
from tests.emulators.discord import DiscordEmulator
from tests.emulators.discord import faults as dc_faults
from tests.emulators.discord.call import Call
from tests.emulators.discord.records import Outcome
from tests.emulators.telegram import Latency, TelegramEmulator
from tests.emulators.telegram import faults as tg_faults

TG_SENDS = ("sendMessage", "sendRichMessage")
DC_SENDS = ("POST /channels/{channel}/messages", "POST /channels/{channel}/threads")
# Latency in seconds, so that several requests are in flight at any moment.
LATENCY = Latency(round_trip=0.05, jitter=0.1)
# Items that the feed contains; older ones have been dropped.
SHOWN = 150
# Of these, so many may change.
NEWEST = 10
LONG = "电波 and back again, as far as the sky allows it. " * 40


def title(name: str, changes: int) -> str:
    """The title of a post that was changed so often."""
    return f"Post {name}, version {changes}."


class Telegram(TelegramEmulator):
    """Counts the sends without an answer yet. If an outage cuts them, their outcome is unknown."""

    under_way = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        is_send = request.path.endswith(tuple(f"/{method}" for method in TG_SENDS))
        self.under_way += is_send
        try:
            return await super().handle(request)
        finally:
            self.under_way -= is_send


class Discord(DiscordEmulator):
    """Does not refuse content that it accepted before: a known nonce gets the message that exists."""

    async def _carry_out(self, name: str, call: Call, fault: Fault) -> tuple[Answer, Outcome]:
        nonce, refuses = (
            call.body.get("nonce"),
            fault.answer is not None and fault.answer.status in (400, 413),
        )
        if refuses and isinstance(nonce, str) and self.world.nonces.find(nonce, self.world.clock()):
            fault = Fault()
        return await super()._carry_out(name, call, fault)


class Feed(FeedServer):
    """The feed. It counts its reads."""

    asked = 0

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return await super()._answer(request)


class World:
    """Both platforms and the feed. `size` scales the chats: 1.0 means 60 on Telegram and 40 on Discord."""

    def __init__(self, rng: random.Random, size: float) -> None:
        self.rng = rng
        self.tg, self.dc = Telegram(latency=LATENCY), Discord(latency=LATENCY)
        self.spots: list[Spot] = []
        self.items: list[Mapping[str, Any]] = []
        self.published = 0
        self.changes: dict[str, int] = {}
        """How often a post was changed."""
        self.ambiguous = {"telegram": 0, "discord": 0}
        self.stopped: set[str] = set()
        """Platforms whose token was refused since the last start."""
        self.feed = Feed()
        self._people(size)
        self.storms = (self._telegram_storm(), self._discord_storm())

    def _people(self, size: float) -> None:
        def some(count: int) -> range:
            return range(max(1, round(count * size)))

        tg, dc = self.tg, self.dc
        for n in some(30):
            self._add_chat(tg.private(tg.user(f"Reader {n}")).id, "private")
        for n in some(8):
            self._add_chat(tg.group(f"Group {n}").id, "group")
        for n in some(6):
            self._add_chat(tg.supergroup(f"Supergroup {n}").id, "supergroup")
        for n in some(8):
            self._add_chat(tg.channel(f"Channel {n}").id, "channel")
        for n in some(4):
            forum = tg.forum(f"Forum {n}", ("News", "Talk"))
            for topic in ("News", "Talk"):
                self._add_chat(forum.id, "topic", str(tg.topic(forum, topic)))
        self.guild = dc.guild("Club")
        for n in some(18):
            self._add_channel(dc.text(self.guild, f"text-{n}").id, "text")
        for n in some(5):
            self._add_channel(dc.announcement(self.guild, f"announcement-{n}").id, "announcement")
        home = dc.text(self.guild, "home")
        for n in some(6):
            self._add_channel(dc.thread(home, f"thread-{n}").id, "thread")
        for n in some(3):
            self._add_channel(dc.forum(self.guild, f"forum-{n}").id, "forum")
        for n in some(8):
            self._add_channel(dc.dm(dc.user(f"Reader {n}")).id, "dm")

    def _add_chat(self, number: int, kind: str, topic: str = "") -> None:
        self.spots.append(Spot("telegram", [str(number)], kind, topic, chat=self.tg.chat(number)))

    def _add_channel(self, number: int, kind: str) -> None:
        self.spots.append(Spot("discord", [str(number)], kind, channel=self.dc.channel(number)))

    def _telegram_storm(self) -> Storm:
        elsewhere = [tg_faults.named(kind) for kind in ELSEWHERE]
        rng = random.Random(self.rng.random())
        storm = Storm(
            rng=rng, table=telegram_table(), sends=TG_SENDS, elsewhere=elsewhere, befell=self._on_telegram
        )
        self.tg.faults = storm
        return storm

    def _discord_storm(self) -> Storm:
        elsewhere = [dc_faults.named(kind) for kind in ELSEWHERE_DISCORD]
        rng = random.Random(self.rng.random())
        storm = Storm(
            rng=rng, table=discord_table(), sends=DC_SENDS, elsewhere=elsewhere, befell=self._on_discord
        )
        self.dc.faults = storm
        return storm

    def _on_telegram(self, effect: Effect, address: str) -> None:
        spots = [s for s in self.spots if s.platform == "telegram" and address in s.addresses]
        self._befell(effect, "telegram", spots)

    def _on_discord(self, effect: Effect, address: str) -> None:
        channel = self.dc.world.channels.get(int(address))
        around = str(channel.parent.id) if channel and channel.parent else ""
        spots = [
            s
            for s in self.spots
            if s.platform == "discord"
            and (address in s.addresses or (s.kind == "forum" and around in s.addresses))
        ]
        self._befell(effect, "discord", spots)

    def _befell(self, effect: Effect, platform: str, spots: list[Spot]) -> None:
        match effect:
            case Effect.AMBIGUOUS:
                self.ambiguous[platform] += 1
            case Effect.STOPS:
                self.stopped.add(platform)
            case Effect.GONE:
                for spot in spots:
                    spot.left()
                    spot.hindered = True
            case Effect.PAUSED:
                for spot in spots:
                    spot.hindered = True

    def publish(self, count: int) -> None:
        """Add so many new posts to the feed at once."""
        for _ in range(count):
            self.published += 1
            name = f"p{self.published:04}"
            when = datetime.now(UTC) + timedelta(microseconds=self.published)
            text = f"<p>{LONG[: self.rng.randrange(20, len(LONG))]}</p>"
            self.items.insert(0, item(name, content_html=text, date_published=when.isoformat()))
        del self.items[SHOWN:]
        self.feed.documents["/feed"] = json_feed(*self.items)

    def change(self) -> None:
        """Change one of the newest posts."""
        place = self.rng.randrange(min(NEWEST, self.published))
        name = self.items[place]["id"]
        self.changes[name] = self.changes.get(name, 0) + 1
        self.items[place] = {**self.items[place], "title": title(name, self.changes[name])}
        self.feed.documents["/feed"] = json_feed(*self.items)

    def storm(self, share: float) -> None:
        """Give faults to this share of all calls."""
        for storm in self.storms:
            storm.share = share
            if not share:
                storm.clear()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["World"]:
        """Serve both platforms and the feed."""
        self.feed.documents["/feed"] = json_feed(item("old"))
        self.items = [item("old", date_published="2020-01-01T00:00:00Z")]
        async with self.tg, self.dc, self.feed.serving():
            yield self
