"""Feeds as a process: `python -m benchmarks.feedserver FEEDS` serves them until standard input closes.

It prints its ports: each stands for a host, so that limits for one host count as they would. A line on
standard input makes the feeds whose number it divides wholly new. All of them depend on their number alone.
"""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

from benchmarks.corpus import filler
from tests.emulators.telegram.console import read_lines

PORTS = 100
POSTS = 31  # of a feed
SIZE = 56 * 1024  # bytes of a feed
TEXTS = 400  # different feeds; the others repeat one of these under another name
NAME, VERSION = b"@NAME@", b"@VERSION@"


class Feeds:
    """The feeds in memory, and how often each was made new."""

    def __init__(self, count: int) -> None:
        rng = random.Random(11)
        sentences = filler(rng)
        now = datetime.now(UTC)
        self._texts = [_feed(rng, sentences, now) for _ in range(min(count * 2, TEXTS))]
        self._versions = [0] * count

    def renew(self, divisor: int) -> None:
        """Replace all posts of every `divisor`th feed."""
        for number in range(0, len(self._versions), divisor):
            self._versions[number] += 1

    def etag(self, number: int) -> bytes:
        """The validator of a feed's present content."""
        return b'"%d-%d"' % (number, self._versions[number])

    def body(self, number: int) -> bytes:
        """A feed's present content."""
        version = self._versions[number]
        text = self._texts[(number + version * len(self._texts) // 2) % len(self._texts)]
        return text.replace(NAME, b"%06d" % number).replace(VERSION, b"%d" % version)


def _feed(rng: random.Random, sentences: Sequence[str], now: datetime) -> bytes:
    """An RSS feed, half of its posts in Chinese; the newest is a minute old, the others an hour apart."""
    items: list[str] = []
    left = SIZE
    for number in range(POSTS):
        items.append(_item(rng, sentences, number, now, left // (POSTS - number)))
        left -= len(items[-1].encode())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<channel><title>Feed @NAME@</title><link>https://example.org/@NAME@/</link>"
        f"<description>Notes</description>{''.join(items)}</channel></rss>"
    ).encode()


def _item(rng: random.Random, sentences: Sequence[str], number: int, now: datetime, size: int) -> str:
    """A post of about so many bytes: paragraphs with links, emphasis, a picture and a list."""
    link = f"https://example.org/@NAME@/@VERSION@/{number}"
    title, *some = rng.choices(sentences, k=3)
    when = format_datetime(now - timedelta(minutes=1, hours=number), usegmt=True)
    head = (
        f"<item><title>{escape(title[:40])}</title><link>{link}</link>"
        f'<guid isPermaLink="false">@NAME@-@VERSION@-{number}</guid><pubDate>{when}</pubDate>'
        f"<dc:creator>An author</dc:creator><category>notes</category>"
        f"<description>{escape(some[0])}</description><content:encoded><![CDATA["
    )
    html = f'<p><img src="{link}.jpg" alt="A view"></p>'
    while len(html.encode()) < size - len(head.encode()) - 400:
        first, second = rng.choices(sentences, k=2)
        html += f'<p>{first} <a href="{link}#more">{second[:20]}</a> <strong>{second[20:]}</strong></p>\n'
    return f"{head}{html}<ul><li>{some[1]}</li></ul>]]></content:encoded></item>"


class Connection(asyncio.Protocol):
    """Answers GET with the least work, so that the client is measured."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds, self._received = feeds, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        number = int(head.split(b" ", 2)[1].strip(b"/"))
        etag = self._feeds.etag(number)
        if b"if-none-match: %b\r\n" % etag in head.lower() + b"\r\n":
            return b"HTTP/1.1 304 Not Modified\r\nETag: %b\r\n\r\n" % etag
        body = self._feeds.body(number)
        kind = b"application/rss+xml; charset=utf-8"
        return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\nETag: %b\r\n\r\n%b" % (
            kind,
            len(body),
            etag,
            body,
        )


async def main(count: int) -> None:
    """Serve until standard input ends."""
    feeds, loop = Feeds(count), asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: Connection(feeds), "127.0.0.1", 0) for _ in range(min(count, PORTS))
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    async for line in read_lines(sys.stdin.readline):
        feeds.renew(int(line))
        print(json.dumps("renewed"), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
