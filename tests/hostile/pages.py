"""Web pages that list posts. All are good when they are added; then each becomes one of these."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from tests.content.listing_pages import CARDS
from tests.hostile.feeds import compressed
from tests.hostile.sites import Handler

ENTRIES = 300_000  # of the huge page
CELLS = 400  # rows and columns of the table


async def good(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text=CARDS.html, content_type="text/html")


def _huge() -> bytes:
    one = "<article><h2><a href='/posts/{0}'>Post number {0}</a></h2><p>A beacon was heard.</p></article>"
    return f"<html><body><main>{''.join(map(one.format, range(ENTRIES)))}</main></body></html>".encode()


def _table() -> bytes:
    """Rows that repeat inside rows that repeat: every column may be the list of posts."""
    row = (
        "<tr>" + "".join(f"<td><a href='/{n}'>A cell with words {n}</a></td>" for n in range(CELLS)) + "</tr>"
    )
    return f"<html><body><table>{row * CELLS}</table></body></html>".encode()


def _nested() -> bytes:
    """A list in each entry of a list, thousands of levels deep."""
    return b"<html><body>" + b"<ul><li><a href='/x'>Some words here</a>" * 60_000


def _many_classes() -> bytes:
    """Entries that each look different, by thousands of classes."""
    entries = (
        f"<div class='{' '.join(f'c{n}-{k}' for k in range(200))}'><a href='/{n}'>x</a></div>"
        for n in range(500)
    )
    return f"<html><body>{''.join(entries)}</body></html>".encode()


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    while True:
        await response.write(b"<div><a href='/x'>x</a></div>" * 2_000)
        await asyncio.sleep(0)


async def _changed(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="<html><body><p>We have moved.</p></body></html>", content_type="text/html")


KINDS: Mapping[str, Callable[[], Handler]] = {
    "another structure": lambda: _changed,
    "many classes": lambda: compressed(_many_classes, "text/html"),
    "nested lists": lambda: compressed(_nested, "text/html"),
    "a table of links": lambda: compressed(_table, "text/html"),
    "300,000 entries": lambda: compressed(_huge, "text/html"),
    "endless": lambda: _endless,
}
