"""Parsing: the CPU of a feed of 56 KB and 31 posts, beside feedparser alone and the way through it."""

import pickle
import random
import time
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO

import feedparser

from benchmarks.corpus import TOPICS
from benchmarks.results import Result, at_least
from content.sources.feed import parse_feed

POSTS = 31
SIZE = 56_000  # bytes
TIMES = 15
URL = "https://example.org/feed.xml"
DATE = "Tue, {} Jul 2026 10:00:00 +0000"


def feed(seed: int = 0) -> bytes:
    """A feed as blogs have them, with descriptions beside the content."""
    rng = random.Random(seed)
    sentences = [sentence for topic in TOPICS for sentence in (*topic.answers, *topic.nearly)]
    items = "".join(_item(rng, sentences, number) for number in range(POSTS))
    names = (
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    head = f"<title>Notes</title><link>https://example.org/</link><description>{sentences[0]}</description>"
    return f'<?xml version="1.0"?><rss version="2.0" {names}><channel>{head}{items}</channel></rss>'.encode()


def _item(rng: random.Random, sentences: Sequence[str], number: int) -> str:
    link = f"https://example.org/posts/{number}"
    head = (
        f"<item><title>{escape(rng.choice(sentences)[:50])}</title><link>{link}?utm_source=rss</link>"
        f'<guid isPermaLink="false">{link}</guid><dc:creator><![CDATA[Ann]]></dc:creator>'
        f"<pubDate>{DATE.format(number % 28 + 1)}</pubDate><category>Notes</category>"
        f"<description>{escape(rng.choice(sentences))}</description><content:encoded><![CDATA["
    )
    body = f'<p><img src="/{number}.jpg" alt="A view"></p>'
    while len(head.encode()) + len(body.encode()) < SIZE // POSTS - 40:
        some = rng.choice(sentences)
        body += (
            f'<p>{some} <a href="{link}#more">{rng.choice(sentences)[:20]}</a> <strong>more</strong></p>\n'
        )
    return f"{head}{body}]]></content:encoded></item>"


async def parsing() -> Sequence[Result]:
    """What a worker does for one feed: parse, sanitise, and derive what is compared and stored."""
    body = feed()
    parsed = parse_feed(body, "", URL)
    hashes = {post.guid: post.raw_hash for post in parsed.posts}
    answer = pickle.dumps(parsed, pickle.HIGHEST_PROTOCOL)
    ours, through, alone, unchanged, carried = _times(
        lambda: parse_feed(body, "", URL),
        lambda: parse_feed(body, "", URL, read_fast=lambda _text: None),
        lambda: feedparser.parse(BytesIO(body), resolve_relative_uris=False, sanitize_html=False),
        lambda: parse_feed(body, "", URL, hashes=hashes),
        lambda: pickle.loads(answer),
    )
    return [
        at_least("parse a feed, all of it, beside feedparser alone", "feeds/s", 1 / ours, 1 / alone, 0.8),
        at_least("the same beside the way through feedparser", "feeds/s", 1 / ours, 1 / through, 1.5),
        at_least("parse it again when nothing has changed", "feeds/s", 1 / unchanged, 1 / ours, 3),
        Result("carry the posts from the worker", "ms", carried * 1000, ours * 1000, carried / ours),
    ]


def _times(*functions: Callable[[], object]) -> list[float]:
    """The least CPU seconds of each, measured in turns."""
    least = [float("inf")] * len(functions)
    for _ in range(TIMES):
        for n, function in enumerate(functions):
            begun = time.process_time()
            function()
            least[n] = min(least[n], time.process_time() - begun)
    return least
