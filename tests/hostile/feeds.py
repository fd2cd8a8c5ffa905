"""Answers of hostile and broken sites.

Each kind is a function that creates an answer, so many times smaller than a site could make it.
"""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from aiohttp import web

from tests.hostile.sites import Handler, item, rss

SLOW = 15.0  # seconds; less than a read may take
MOVED = 3_000  # posts of the site that changes all its addresses
POSTS = 300_000


def compressed(make: Callable[[], bytes], content_type: str = "application/rss+xml") -> Handler:
    """Answer with a compressed body, so that a small answer becomes a large text.

    It is created in advance, because the same event loop serves everything that is measured.
    """
    made = gzip.compress(make(), 1)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": content_type}
        return web.Response(body=made, headers=headers)

    return answer


def _feed_of(body: str) -> Callable[[], bytes]:
    """A feed with one post, whose description is `body`, unchanged."""
    return lambda: rss(
        "hostile", [f"<item><guid>1</guid><title>x</title><description>{body}</description></item>"]
    )


def _escaped(html: str) -> Callable[[], bytes]:
    return _feed_of(f"<![CDATA[{html}]]>")


def _doctype() -> bytes:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE rss [<!ENTITY a0 "ha">{levels}]><rss><channel>&a11;</channel></rss>'
    return f'<?xml version="1.0"?>{body}'.encode()


def _huge(part: int) -> bytes:
    return rss("huge", [f"<item><guid>{n}</guid></item>" for n in range(POSTS // part)])


def _long_guid() -> bytes:
    guid = "".join(f"{n:x}" for n in range(40_000))
    return rss("long", [f"<item><guid>{guid}</guid><title>database is locked</title></item>"])


def _moving(part: int) -> Handler:
    """Old posts that get new ids and addresses at every read."""
    numbers, now, day = count(), datetime.now(UTC), timedelta(days=1)
    posts = [item("vTURN", f"old post {n}", now - n * day) for n in range(1, MOVED // part)]
    body = rss("moving", posts)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        turn = b"v%d" % next(numbers)
        return web.Response(body=body.replace(b"vTURN", turn), content_type="application/rss+xml")

    return answer


def _slow() -> Handler:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(SLOW)
        return web.Response(body=rss("slow", []), content_type="application/rss+xml")

    return answer


def drips() -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/rss+xml"})
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.2)

    return answer


def redirects() -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{request.url}x"})

    return answer


def _leads_inside() -> Handler:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    return answer


def _bad_headers() -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = rss("bad headers", [item("bad", "headers", datetime.now(UTC))])
        assert request.transport is not None
        head = b'HTTP/1.1 200 OK\r\nETag: "\xff\xfe\xe9"\r\nContent-Type: \xe9/x; charset=\xff\r\n'
        request.transport.write(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        request.transport.close()
        return web.Response()

    return answer


def _resets() -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def _nested(depth: int) -> str:
    return '{"version":"https://jsonfeed.org/version/1.1","items":' + "[" * depth + "]" * depth + "}"


def _much() -> bytes:
    """As objects it needs more memory than a parser may take."""
    return b'{"version":"https://jsonfeed.org/version/1.1","items":[' + b"[]," * 3_000_000 + b"[]]}"


KINDS: Mapping[str, Callable[[int], Handler]] = {
    "xml declarations": lambda part: compressed(lambda: b"<rss>" + b"<?xml" * (2_000_000 // part)),
    "attributes": lambda part: compressed(
        _escaped("<p " + " ".join(f"a{n}=1" for n in range(40_000 // part)) + ">x</p>")
    ),
    "ampersands": lambda part: compressed(
        lambda: b"<rss><channel><item><title>" + b"&" * (2_000_000 // part)
    ),
    "nesting": lambda part: compressed(_escaped("<div><b>" * (100_000 // part) + "x")),
    "nested elements": lambda part: compressed(lambda: b"<rss>" + b"<a>" * (100_000 // part)),
    "comments": lambda part: compressed(lambda: b"<rss>" + b"<!--" * (1_000_000 // part)),
    "unclosed tags": lambda part: compressed(_escaped("<p" * (500_000 // part))),
    "entities": lambda _: compressed(_doctype),
    "300,000 posts": lambda part: compressed(lambda: _huge(part)),
    "a long guid": lambda _: compressed(_long_guid),
    "a bomb": lambda part: compressed(lambda: b"<rss>" + b" " * (200_000_000 // part)),
    "deep JSON": lambda _: compressed(lambda: _nested(200_000).encode(), "application/feed+json"),
    "much JSON": lambda _: compressed(_much, "application/feed+json"),
    "a huge number": lambda _: compressed(
        lambda: b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":' + b"9" * 100_000 + b"}]}"
    ),
    "utf-16 that is none": lambda _: compressed(lambda: b'<?xml version="1.0" encoding="utf-16"?><rss/>'),
    "control characters": lambda _: compressed(_feed_of("\x00\x1b[2J\ufffe &#xD800; &#0;")),
    "a page": lambda part: compressed(
        lambda: b"<html><head>" + b"<link rel=alternate " * (100_000 // part), "text/html"
    ),
    "nothing": lambda _: compressed(lambda: b""),
    "moving": _moving,
    "slow": lambda _: _slow(),
    "dripping": lambda _: drips(),
    "redirects": lambda _: redirects(),
    "leads inside": lambda _: _leads_inside(),
    "bad headers": lambda _: _bad_headers(),
    "resets": lambda _: _resets(),
}
