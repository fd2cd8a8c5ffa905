"""A site and its WebSub hub on loopback. The hub verifies and sends as the Recommendation says, or lies."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from aiohttp import web

from tests.scheduler.conftest import json_feed

PUBLIC = "https://bot.example.org/skywave"


@dataclass
class Hub:
    """`port` is where the server behind `PUBLIC` listens, as a proxy would know.

    `lease` is what it grants, `verifies` how often it asks back; `says` replaces fields of its questions.
    `redirect`: where it sends those who subscribe. `asked` are the requests, `answers` the subscriber's.
    """

    port: int = 0
    lease: str = "864000"
    verifies: int = 1
    says: dict[str, str] = field(default_factory=dict)
    redirect: str = ""
    status: int = 202
    feed: bytes = field(default_factory=lambda: json_feed("old"))
    names_hub: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    subscribed: dict[str, str] = field(default_factory=dict)  # callback → secret
    url: str = ""
    inside: str = ""  # the same server at an address that no fetcher may reach
    _session: aiohttp.ClientSession | None = None
    _verifying: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def topic(self) -> str:
        return f"{self.url}/feed.json"

    async def publish(
        self,
        body: bytes,
        *,
        callback: str = "",
        secret: str = "",
        method: str = "sha256",
        content_type: str = "application/feed+json",
    ) -> int:
        """Send the content to a subscriber, signed; returns the status of its answer."""
        callback = callback or next(iter(self.subscribed))
        key = secret or self.subscribed[callback]
        signature = hmac.new(key.encode(), body, method).hexdigest()
        headers = {"X-Hub-Signature": f"{method}={signature}", "Content-Type": content_type}
        return (await self.call("POST", callback, data=body, headers=headers))[0]

    async def call(
        self, method: str, callback: str, *, data: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Call the server through its proxy."""
        assert self._session is not None
        parts = urlsplit(callback)
        path = parts.path.removeprefix(urlsplit(PUBLIC).path)
        url = f"http://127.0.0.1:{self.port}{path}" + (f"?{parts.query}" if parts.query else "")
        proxied = {"Host": parts.netloc, "X-Forwarded-For": "192.0.2.7", **(headers or {})}
        async with self._session.request(method, url, headers=proxied, data=data) as response:
            return response.status, await response.text()

    async def verified(self) -> None:
        """Wait until the hub has asked back what it wanted to."""
        while self._verifying:
            await asyncio.gather(*self._verifying)

    async def _subscribe(self, request: web.Request) -> web.Response:
        if self.redirect:
            raise web.HTTPTemporaryRedirect(self.redirect)
        fields = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        self.asked.append(fields)
        for _ in range(self.verifies):
            task = asyncio.create_task(self._verify(fields))
            self._verifying.add(task)
            task.add_done_callback(self._verifying.discard)
        return web.Response(status=self.status)

    async def _verify(self, fields: dict[str, str]) -> None:
        mode, callback = fields["hub.mode"], fields["hub.callback"]
        challenge = hashlib.sha256(callback.encode()).hexdigest()
        question = {"hub.mode": mode, "hub.topic": fields["hub.topic"], "hub.challenge": challenge}
        if mode == "subscribe":
            question["hub.lease_seconds"] = self.lease
        answer = await self.ask(callback, **(question | self.says))
        if answer != (200, challenge):
            return
        if mode == "subscribe":
            self.subscribed[callback] = fields["hub.secret"]
        else:
            self.subscribed.pop(callback, None)

    async def ask(self, callback: str, **question: str) -> tuple[int, str]:
        """Ask a subscriber back; fields that are empty are left out."""
        params = {name: value for name, value in question.items() if value}
        answer = await self.call("GET", f"{callback}?{urlencode(params)}")
        self.answers.append(answer)
        return answer

    async def _feed(self, request: web.Request) -> web.Response:
        links = f'<{self.url}/hub>; rel="hub", <{self.topic}>; rel="self"'
        headers = {"Link": links} if self.names_hub else {}
        return web.Response(body=self.feed, content_type="application/feed+json", headers=headers)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/feed.json", self._feed)
        app.router.add_post("/hub", self._subscribe)
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        for host in ("127.0.0.1", "127.0.0.2"):
            await web.TCPSite(runner, host, 0).start()
        self.url, self.inside = (f"http://{host}:{port}" for host, port in runner.addresses)
        async with aiohttp.ClientSession() as self._session:
            yield
        await runner.cleanup()
