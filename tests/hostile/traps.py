"""The sources that are more than a feed: listing pages, git repositories, full text, hooks and hubs."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from sqlalchemy import select

from scheduler.push.pushes import Push, PushKind, PushState, new_secret
from storage.tables import POSTS
from storage.unit_of_work import SqlStore
from tests.chaos.books import Database
from tests.e2e.program import Program
from tests.hostile import pages, repositories
from tests.hostile.calls import PUBLIC, Address, Callers, free_port
from tests.hostile.canary import ALLOWED, Canary
from tests.hostile.sites import Site, serving
from tests.hostile.teasers import Teaser

HUB = "https://hub.example.org/"
TOKEN = "f" * 32  # of the address that the hub calls
EVERY = 5.0  # seconds between two posts of the good hook


class Traps:
    """All of them, good until `turn`. The arguments say how many there are of each kind."""

    def __init__(self, listings: int, gits: int, teasers: int) -> None:
        self.canary, self.port = Canary(), free_port()
        self.listings = [Site(f"listing {n}") for n in range(listings)]
        self.gits = [Site(f"git {n}", repositories.PATH) for n in range(gits)]
        self.teasers = [Site(f"teaser {n}") for n in range(teasers)]
        self.hub = Site("hub")
        self.hub.answer = self._names_hub
        for page in self.listings:
            page.answer = pages.good
        for repository in self.gits:
            repository.answer = repositories.good()
        self._callers: Callers | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        sites = [*self.listings, *self.gits, *self.teasers, self.hub]
        async with self.canary.listening(), serving(sites, 100):
            yield

    @property
    def settings(self) -> Mapping[str, str]:
        return {"allowed_networks": ALLOWED, "metrics_port": str(self.port), "public_url": PUBLIC}

    @property
    def plain(self) -> Sequence[str]:
        """The addresses that need no option when they are added."""
        return _addresses([*self.gits, self.hub])

    async def add(self, program: Program) -> None:
        """Add those that are not `plain` as sources."""
        if self.listings:
            await command(program, "sources", "add", "--listing", "--yes", *_addresses(self.listings))
        await command(program, "sources", "add", "--full-text", *_addresses(self.teasers))
        hooks = await program.json("sources", "add", "hook:good", "hook:loud")
        good, loud = (
            Address(hook["hook"]["address"].removeprefix(PUBLIC), hook["hook"]["secret"]) for hook in hooks
        )
        hub = Address(f"/websub/{TOKEN}", await self._subscribe(program.environment["SKYWAVE_DATABASE_URL"]))
        self._callers = Callers(self.port, good, loud, hub)

    async def _subscribe(self, url: str) -> str:
        """Let the hub have verified a subscription: it could not be asked, as it would be on loopback."""
        store = await SqlStore.open(url)
        async with store.write() as work:
            source = await work.sources.by_url(self.hub.address)
            assert source is not None
            secret, until = new_secret(), datetime.now(UTC) + timedelta(days=9)
            subscribed = Push(0, source.id, PushKind.WEBSUB, TOKEN, secret, HUB, self.hub.address)
            await work.pushes.add(replace(subscribed, state=PushState.ACTIVE, lease_until=until))
            await work.commit()
        await store.close()
        return secret

    async def _names_hub(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self.hub.feed(request)
        response.headers["Link"] = f'<{HUB}>; rel="hub", <{self.hub.address}>; rel="self"'
        return response

    def turn(self, part: int) -> None:
        """Make all but the good hook hostile; see `feeds` for `part`."""
        inside = self.canary.urls
        spoilt = list(pages.KINDS.values())
        for number, page in enumerate(self.listings):
            page.answer = spoilt[number % len(spoilt)]()
        lies = list(repositories.kinds(inside[0]).values())
        for number, repository in enumerate(self.gits):
            repository.answer = lies[number % len(lies)]()
        for site in self.teasers:
            site.answer = Teaser(site, inside, part).answer

    async def publish(self) -> None:
        """Send posts with the good hook, until cancelled."""
        assert self._callers is not None
        number = 0
        while True:
            await self._callers.publish(f"Built {number:04}")
            number += 1
            await asyncio.sleep(EVERY)

    async def flood(self, rng: random.Random, every: float) -> None:
        """Call hooks and subscriptions without pause, until cancelled."""
        assert self._callers is not None
        await self._callers.flood(rng, every)

    async def faults(self, folder: Path) -> tuple[Sequence[str], Sequence[str]]:
        """The posts of the good hook that were lost, and what the program did that it must not."""
        assert self._callers is not None
        rows = await Database(f"sqlite:///{folder / 'skywave.db'}").rows(select(POSTS.c.title))
        titles = {title for (title,) in rows}
        lost = [f"{title} of the hook" for title in self._callers.accepted if title not in titles]
        return lost, [*self._callers.wrong, *(f"reached the inside: {hit}" for hit in self.canary.hits)]


async def command(program: Program, *arguments: str, input: str = "") -> None:
    """Run a command that must succeed."""
    status, _, err = await program.call(*arguments, input=input)
    if status:
        raise AssertionError(f"skywave {' '.join(arguments)[:200]}: {err}")


def _addresses(sites: Sequence[Site]) -> Sequence[str]:
    return [site.address for site in sites]
