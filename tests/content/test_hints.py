from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.hints import HINTING, LONGEST_HINT, header_hints, merged
from content.types import NO_HINTS, Hints

NOW = datetime(2026, 7, 14, 10, tzinfo=UTC)
URL = "https://example.org/blog/feed.xml"


def of(**headers: str) -> Hints:
    return header_hints({name.replace("_", "-"): value for name, value in headers.items()}, URL, NOW)


class TestFreshness:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("max-age=600", 600),
            ("public, Max-Age=600, must-revalidate", 600),
            ('max-age="600"', 600),
            ("max-age=600, max-age=9", 600),
            ("s-maxage=600", None),  # for shared caches
            ("stale-max-age=600", None),
            ("max-age=600, no-cache", None),
            ("no-store, max-age=600", None),
            ("max-age=0", None),
            ("max-age=-5", None),
            ("max-age=", None),
            ("max-age=1e9", None),
            ("max-age=soon", None),
            ("max-age=٦٠٠", None),
            ("", None),
        ],
    )
    def test_of_cache_control(self, value: str, seconds: int | None) -> None:
        expected = None if seconds is None else timedelta(seconds=seconds)
        assert of(cache_control=value) == Hints(expected)

    @pytest.mark.parametrize("value", ["max-age=315360000", "max-age=" + "9" * 5000])
    def test_is_bounded(self, value: str) -> None:
        assert of(cache_control=value).interval == LONGEST_HINT

    @pytest.mark.parametrize(
        ("age", "minutes"), [("300", 5), ("0", 10), ("-1", 10), ("old", 10), ("601", None), ("9" * 99, None)]
    )
    def test_the_age_in_a_cache_counts(self, age: str, minutes: int | None) -> None:
        expected = None if minutes is None else timedelta(minutes=minutes)
        assert of(cache_control="max-age=600", age=age).interval == expected

    @pytest.mark.parametrize(
        ("expires", "date", "hours"),
        [
            # The server's clock may be wrong: only the distance to its own Date counts.
            ("Sat, 14 Jul 2001 11:00:00 GMT", "Sat, 14 Jul 2001 10:00:00 GMT", 1),
            ("Tue, 14 Jul 2026 12:00:00 GMT", "", 2),
            ("Tue, 14 Jul 2026 12:00:00 GMT", "today", 2),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 14 Jul 2026 10:00:00 GMT", None),
            ("Fri, 31 Dec 9999 23:59:59 -2300", "", None),
            ("0", "", None),
            ("-1", "", None),
        ],
    )
    def test_of_expires(self, expires: str, date: str, hours: int | None) -> None:
        expected = None if hours is None else timedelta(hours=hours)
        assert of(expires=expires, date=date).interval == expected

    def test_max_age_counts_before_expires(self) -> None:
        assert of(cache_control="max-age=0", expires="Tue, 14 Jul 2026 12:00:00 GMT") == NO_HINTS


class TestLinks:
    @pytest.mark.parametrize(
        "value",
        [
            '<https://hub.example/>; rel="hub", <https://example.org/feed>; rel="self"',
            "<https://hub.example/>; rel=hub, </feed>; rel=self",
            '<https://hub.example/> ; title="a, <b>; c" ; REL="Preconnect HUB",<../feed>;rel=self',
            '<https://hub.example/>; rel=hub; rel=self, </feed>; rel="alternate self"',
            '<https://x.test/>; rel="hub"; anchor="#x", <https://hub.example/>; rel=hub, </feed>; rel=self',
            "<https://hub.example/>; rel=hub, <//b.test>; rel=hub, </feed>; rel=self, </b>; rel=self",
        ],
    )
    def test_name_hub_and_topic(self, value: str) -> None:
        assert of(link=value) == Hints(None, "https://hub.example/", "https://example.org/feed")

    @pytest.mark.parametrize(
        "value",
        [
            "<javascript:x>; rel=hub",
            "<http://[>; rel=hub",
            "<https://a b/>; rel=hub",
            "<https://hub.example/\x00>; rel=hub",
            "<https://hub.example/\udce9>; rel=hub",
            f"<https://hub.example/{'x' * 5000}>; rel=hub",
            "https://hub.example/; rel=hub",
            "<https://hub.example/>; title=hub",
            '<https://hub.example/>; title="rel=hub',
        ],
    )
    def test_that_are_no_web_urls_are_left_out(self, value: str) -> None:
        assert of(link=value).hub == ""

    @pytest.mark.parametrize("part", ["<", "<a>;", '<a>;rel="', "<a>;" + '"' * 9, ";" * 9, "<a>; rel=hub,"])
    @pytest.mark.timeout(60)
    def test_take_linear_time(self, part: str) -> None:
        of(link=part * 100_000)


@given(st.dictionaries(st.sampled_from(HINTING), st.text(max_size=60)))
def test_arbitrary_headers_are_read(headers: dict[str, str]) -> None:
    interval = header_hints(headers, URL, NOW).interval
    assert interval is None or timedelta() < interval <= LONGEST_HINT


def test_the_longer_interval_and_the_hub_of_the_headers_count() -> None:
    short, long = timedelta(minutes=5), timedelta(hours=1)
    header, feed = Hints(short, "https://a.example/"), Hints(long, "https://b.example/", "https://c.example/")
    assert merged(header, feed) == Hints(long, "https://a.example/", "https://c.example/")
    assert merged(feed, header).hub == "https://b.example/"
    assert merged(NO_HINTS, feed) == merged(feed, NO_HINTS) == feed
