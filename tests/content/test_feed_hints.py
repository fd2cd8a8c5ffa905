"""What feeds say of themselves."""

import json
from datetime import timedelta

import pytest

from content.sources.feed import parse_feed
from content.types import NO_HINTS, Hints

URL = "https://example.org/blog/feed.xml"
HUB, TOPIC = "https://hub.example/", "https://example.org/feed"
LINKS = f'<a:link rel="hub" href="{HUB}"/><a:link href="{TOPIC}" rel="self"/>'


def rss(said: str) -> Hints:
    names = 'xmlns:a="http://www.w3.org/2005/Atom" xmlns:s="http://purl.org/rss/1.0/modules/syndication/"'
    item = '<item><title>a</title><a:link rel="hub" href="https://item.example/"/></item>'
    text = f'<rss version="2.0" {names}><channel><title>t</title>{said}{item}</channel></rss>'
    return parse_feed(text.encode(), "", URL).hints


@pytest.mark.parametrize(
    ("said", "interval"),
    [
        ("<ttl>90</ttl>", timedelta(minutes=90)),
        ("<ttl> 60.5 </ttl>", timedelta(hours=1)),
        ("<s:updatePeriod> Hourly\n</s:updatePeriod>", timedelta(hours=1)),
        (
            "<s:updatePeriod>daily</s:updatePeriod><s:updateFrequency>4</s:updateFrequency>",
            timedelta(hours=6),
        ),
        ("<s:updatePeriod>daily</s:updatePeriod><s:updateFrequency>0</s:updateFrequency>", timedelta(days=1)),
        ("<ttl>15</ttl><s:updatePeriod>weekly</s:updatePeriod>", timedelta(minutes=15)),
        # What no feed can mean.
        ("<ttl>999999999</ttl>", timedelta(days=30)),
        ("<s:updatePeriod>yearly</s:updatePeriod>", timedelta(days=30)),
        (f"<ttl>{'9' * 5000}</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>0</ttl>", None),
        ("<ttl>١٠</ttl>", None),
        ("<s:updatePeriod>often</s:updatePeriod><s:updateFrequency>2</s:updateFrequency>", None),
    ],
)
def test_how_long_a_feed_says_that_it_does_not_change(said: str, interval: timedelta | None) -> None:
    assert rss(said) == Hints(interval)


def test_the_hub_of_a_feed() -> None:
    assert rss(LINKS) == Hints(hub=HUB, topic=TOPIC)
    assert rss('<a:link rel="hub" href="/hub"/>') == Hints(hub="https://example.org/hub")
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom">{LINKS.replace("a:", "")}</feed>'
    assert parse_feed(atom.encode(), "", URL).hints == Hints(hub=HUB, topic=TOPIC)


def test_a_hub_that_cannot_be_asked_is_none() -> None:
    assert rss('<a:link rel="self" href="/feed"/>') == Hints(topic="https://example.org/feed")
    assert rss('<a:link rel="hub" href="file:///etc/passwd"/>') == NO_HINTS
    assert rss(f'<a:link rel="hub" href="{HUB}{"a" * 5000}"/>') == NO_HINTS


def test_the_hub_of_a_json_feed() -> None:
    hubs = [7, {"type": "rssCloud", "url": "https://cloud.example/"}, {"type": "WebSub", "url": HUB}]
    feed = {"items": [], "hubs": hubs, "feed_url": TOPIC}
    assert parse_feed(json.dumps(feed).encode(), "", URL).hints == Hints(hub=HUB, topic=TOPIC)
    broken = feed | {"hubs": "https://hub.example/", "feed_url": {}}
    assert parse_feed(json.dumps(broken).encode(), "", URL).hints == NO_HINTS
