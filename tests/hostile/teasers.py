"""Feeds with the option `full-text`. At each read they have new posts, which link to hostile articles.

They also name a WebSub hub at an address that must not be reached.
"""

import asyncio
import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count

from aiohttp import web

from tests.hostile.feeds import compressed, drips, redirects
from tests.hostile.sites import Handler, Site, item, rss

A_READ = 3  # new posts at each read
ZEROS = gzip.compress(bytes(20_000_000), 9)


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    """Ten gigabytes in some megabytes: a compressed answer that goes on and on."""
    response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})
    await response.prepare(request)
    while True:
        await response.write(ZEROS)
        await asyncio.sleep(0.001)


def _leads(targets: Sequence[str]) -> Handler:
    numbers = count()

    async def answered(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": targets[next(numbers) % len(targets)]})

    return answered


def _refreshes(inside: str) -> Handler:
    """A page that would load more from inside if a browser showed it."""
    head = f"<meta http-equiv=refresh content='0;url={inside}'><link rel=amphtml href='{inside}'>"
    page = f"<html><head>{head}</head><body><article><p>{'Words. ' * 200}</p></article></body></html>"

    async def answered(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=page, content_type="text/html")

    return answered


def _html(make: Callable[[], str]) -> Handler:
    return compressed(lambda: f"<html><body><article>{make()}</article></body></html>".encode(), "text/html")


def articles(inside: Sequence[str], part: int) -> Mapping[str, Callable[[], Handler]]:
    """The hostile articles by their paths. `inside` are addresses that must not be reached."""
    return {
        "/leads-inside": lambda: _leads(inside),
        "/refreshes": lambda: _refreshes(inside[0]),
        "/redirects": redirects,
        "/drips": drips,
        "/endless": lambda: _endless,
        "/nested": lambda: _html(lambda: "<div><p>" * (100_000 // part) + "x"),
        "/attributes": lambda: _html(
            lambda: "<p " + " ".join(f"a{n}=1" for n in range(40_000 // part)) + ">x</p>"
        ),
        "/paragraphs": lambda: _html(lambda: "<p>Some words of a text, and more.</p>" * (100_000 // part)),
    }


class Teaser:
    """The answers of one such feed. The first of its posts link to `inside` itself."""

    def __init__(self, site: Site, inside: Sequence[str], part: int) -> None:
        self._site, self._inside = site, inside
        self._articles = {path: make() for path, make in articles(inside, part).items()}
        self._read, self._posts = count(), list[str]()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path in self._articles:
            return await self._articles[request.path](request)
        return self._feed()

    def _feed(self) -> web.Response:
        links = [*self._inside, *(self._site.url + path for path in self._articles)]
        for _ in range(A_READ):
            number = next(self._read)
            link = f"{links[number % len(links)]}?{number}"
            self._posts.insert(0, item(self._site.name, f"teaser {number}", datetime.now(UTC), link))
        hub = f'<{self._inside[0]}>; rel="hub", <{self._site.url}>; rel="self"'
        body = rss(self._site.name, self._posts[:20])
        return web.Response(body=body, content_type="application/rss+xml", headers={"Link": hub})
