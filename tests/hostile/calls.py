"""Programs that call the HTTP server: a good one that has posts, and attackers who flood it."""

import asyncio
import hmac
import json
import random
import secrets
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import aiohttp

from tests.hostile.sites import item, rss

PUBLIC = "https://bot.example.org"
AT_ONCE = 40
LARGE = bytes(2 * 1024 * 1024)
# What comes through a proxy.
PROXIED = {"Host": "bot.example.org", "X-Forwarded-For": "192.0.2.7"}
AGAIN = 0.5  # seconds until the good program repeats a call that was refused


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody may call, and the secret."""

    path: str
    secret: str


def signed(address: Address, body: bytes) -> Mapping[str, str]:
    signature = hmac.new(address.secret.encode(), body, "sha256").hexdigest()
    kind = "X-Hub-Signature" if address.path.startswith("/websub") else "X-Hub-Signature-256"
    return {kind: f"sha256={signature}"}


class Callers:
    """`good` and `loud` are hooks, `hub` is a subscription. `accepted` are the titles that the server took.

    `wrong` says what the server answered that it must not answer.
    """

    def __init__(self, port: int, good: Address, loud: Address, hub: Address) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._good, self._loud, self._hub = good, loud, hub
        self.accepted: list[str] = []
        self.wrong: list[str] = []
        self._replayed = json.dumps({"id": "once", "title": "Sent once, and then again and again"}).encode()

    async def publish(self, title: str) -> None:
        """Send a post with the good hook, again and again until it is taken."""
        headers = PROXIED | {"Authorization": f"Bearer {self._good.secret}"}
        body = json.dumps({"id": title, "title": title}).encode()
        async with aiohttp.ClientSession() as session:
            while await self._status(session, "POST", self._good.path, headers, body) != 202:
                await asyncio.sleep(AGAIN)
        self.accepted.append(title)

    async def flood(self, rng: random.Random, every: float) -> None:
        """Call each so many seconds without waiting for answers, until cancelled."""
        attacks = [self._guess, self._forge, self._too_large, self._replay, self._slow, self._lie, self._peek]
        places = asyncio.Semaphore(AT_ONCE)

        async def one(attack: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, None]]) -> None:
            async with places:
                await attack(session)

        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            while True:
                group.create_task(one(rng.choice(attacks)))
                await asyncio.sleep(every)

    async def _status(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Any = b"",
    ) -> int:
        """The status of the answer, 0 if the connection ended before there was one."""
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with session.request(method, self._url + path, headers=headers, data=body) as response:
                if response.status == 500:
                    self.wrong.append(f"{path} answered 500")
                return response.status
        return 0

    async def _refused(self, session: aiohttp.ClientSession, path: str, headers: Mapping[str, str]) -> None:
        """Send a post that must not be taken."""
        body = json.dumps({"title": "Forged"}).encode()
        if await self._status(session, "POST", path, PROXIED | dict(headers), body) in (200, 202):
            self.wrong.append(f"a forged call of {path.split('/')[1]} was taken")

    async def _guess(self, session: aiohttp.ClientSession) -> None:
        await self._refused(session, f"/hooks/{secrets.token_hex(16)}", {"Authorization": "Bearer x"})

    async def _forge(self, session: aiohttp.ClientSession) -> None:
        for address in (self._loud, self._hub):
            forged = Address(address.path, "0" * 64)
            await self._refused(session, address.path, signed(forged, b"another body"))
        question = {"hub.mode": "subscribe", "hub.topic": "http://example.org/", "hub.challenge": "x"}
        query = "&".join(f"{name}={value}" for name, value in question.items())
        if await self._status(session, "GET", f"{self._hub.path}?{query}", PROXIED) == 200:
            self.wrong.append("a subscription was confirmed that nobody asked for")

    async def _too_large(self, session: aiohttp.ClientSession) -> None:
        async def endless() -> Any:
            while True:
                yield LARGE[:65_536]

        headers = PROXIED | {"Authorization": f"Bearer {self._loud.secret}"}
        await self._status(session, "POST", self._loud.path, headers, BytesIO(LARGE))
        await self._status(session, "POST", self._loud.path, headers, endless())

    async def _replay(self, session: aiohttp.ClientSession) -> None:
        headers = PROXIED | dict(signed(self._loud, self._replayed))
        await self._status(session, "POST", self._loud.path, headers, self._replayed)

    async def _slow(self, session: aiohttp.ClientSession) -> None:
        async def drips() -> Any:
            for _ in range(60):
                yield b" "
                await asyncio.sleep(0.5)

        headers = PROXIED | {"Authorization": f"Bearer {self._loud.secret}"}
        await self._status(session, "POST", self._loud.path, headers, drips())

    async def _lie(self, session: aiohttp.ClientSession) -> None:
        """A hub that sends what its topic never had, signed as it should be."""
        now = secrets.token_hex(4)
        body = rss(
            "lies",
            [item("lies", f"{now} {n}", datetime.now(UTC), "http://169.254.169.254/") for n in range(50)],
        )
        headers = PROXIED | {"Content-Type": "application/rss+xml"} | dict(signed(self._hub, body))
        await self._status(session, "POST", self._hub.path, headers, body)

    async def _peek(self, session: aiohttp.ClientSession) -> None:
        for path in ("/metrics", "/healthz", "/readyz"):
            if await self._status(session, "GET", path, PROXIED) == 200:
                self.wrong.append(f"a stranger could read {path}")
