"""Web sites on loopback. Each has an address of its own, because few sources of one host are read at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SHOWN = 20  # posts of a good feed
TEXT = "<p>" + "The beacon on the northern ridge was heard again, 电波回到了山谷。 " * 12 + "</p>"


class Site:
    """One host with one source at `path`. `answer` creates the response; by default it is a good feed."""

    def __init__(self, name: str, path: str = "") -> None:
        self.name, self.url, self._path = name, "", path
        self.asked: list[float] = []
        self.answer: Handler = self.feed
        self._posts: list[tuple[str, datetime]] = []
        self.publish("a first post")

    @property
    def address(self) -> str:
        return self.url + self._path

    def publish(self, title: str) -> None:
        """Add a new post."""
        self._posts = [(title, datetime.now(UTC)), *self._posts][:SHOWN]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Record the request and answer it."""
        self.asked.append(asyncio.get_running_loop().time())
        return await self.answer(request)

    async def feed(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with RSS and an ETag, like most feeds."""
        tag = f'"{len(self._posts)}-{self._posts[0][1].timestamp()}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        body = rss(self.name, [item(self.name, title, moment) for title, moment in self._posts])
        return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": tag})


def item(site: str, title: str, moment: datetime, link: str = "") -> str:
    """One item of an RSS feed."""
    name = escape(f"{site}-{title}".replace(" ", "-"))
    return (
        f"<item><guid isPermaLink='false'>{name}</guid><title>{escape(title)}</title>"
        f"<link>{escape(link) or f'https://example.org/{name}'}</link><pubDate>{format_datetime(moment)}</pubDate>"
        f"<description>{escape(TEXT)}</description></item>"
    )


def rss(title: str, items: Sequence[str]) -> bytes:
    """A complete RSS feed."""
    head = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{escape(title)}</title>'
    return (head + "".join(items) + "</channel></rss>").encode()


@asynccontextmanager
async def serving(sites: Sequence[Site], net: int) -> AsyncIterator[None]:
    """Serve all sites at addresses from 127.1.`net`.1 on, each on a free port."""
    async with AsyncExitStack() as stack:
        for number, site in enumerate(sites):
            runner = web.ServerRunner(web.Server(site.handle), shutdown_timeout=0.05)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, f"127.1.{net + number // 250}.{number % 250 + 1}", 0).start()
            host, port = runner.addresses[0][:2]
            site.url = f"http://{host}:{port}"
        yield
