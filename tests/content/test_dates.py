"""What dates of feeds are taken for, with what feedparser makes of each beside it."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from feedparser.datetimes import _parse_date
from hypothesis import given
from hypothesis import strategies as st

from content.sources.dates import to_utc

# A text, the moment in UTC, and the moment according to feedparser, which fills gaps from today's date.
DATES: list[tuple[str, str | None, str | None]] = [
    ("Tue, 05 Mar 2024 08:09:10 +0800", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 +08:00", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("Tue, 5 Mar 2024 08:09:10 GMT+8", "2024-03-05T00:09:10", None),
    ("Tue, 05 Mar 2024 08:09:10 GMT+0800", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 GMT+08:00", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 UTC+8", "2024-03-05T00:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 UTC+08:00", "2024-03-05T00:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 +0800 (CST)", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 GMT+0800 (中国标准时间)", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 UT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 UTC", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 Z", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10", "2024-03-05T08:09:10", None),
    ("05 Mar 2024 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("5 Mar 2024 08:09 GMT", "2024-03-05T08:09:00", "2024-03-05T08:09:00"),
    ("Tue, 05 Mar 24 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue,05 Mar 2024 08:09:10 GMT", "2024-03-05T08:09:10", None),
    ("Tue 05 Mar 2024 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("tue, 05 mar 2024 08:09:10 gmt", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("TUE, 05 MAR 2024 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 March 2024 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Mon, 05 Mar 2024 08:09:10 GMT", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 EST", "2024-03-05T13:09:10", "2024-03-05T13:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 EDT", "2024-03-05T12:09:10", "2024-03-05T12:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 PST", "2024-03-05T16:09:10", "2024-03-05T16:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 CET", "2024-03-05T07:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 CEST", "2024-03-05T06:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 JST", "2024-03-04T23:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 HKT", "2024-03-05T00:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 MSK", "2024-03-05T05:09:10", "2024-03-05T08:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 -0500", "2024-03-05T13:09:10", "2024-03-05T13:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 -05:00", "2024-03-05T13:09:10", "2024-03-05T13:09:10"),
    ("Tue, 05 Mar 2024 08:09:10 +0530", "2024-03-05T02:39:10", "2024-03-05T02:39:10"),
    ("Tue, 05 Mar 2024 08:09:10 -01:01", "2024-03-05T09:10:10", "2024-03-05T09:10:10"),
    ("Tue, 05 Mar 2024 08:09:10 GMT-01:01", "2024-03-05T09:10:10", "2024-03-05T09:10:10"),
    ("Tue, 05 Mar 2024 08:09:10 -0000", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59", None),
    ("Thu, 29 Feb 2024 08:09:10 GMT", "2024-02-29T08:09:10", "2024-02-29T08:09:10"),
    ("Tue, 05 Mar 2024 00:09:10 +0800", "2024-03-04T16:09:10", "2024-03-04T16:09:10"),
    ("2024-03-05T08:09:10Z", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("2024-03-05T08:09:10+08:00", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05T08:09:10+0800", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05T08:09:10+08", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05T08:09:10.123+08:00", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05T08:09:10.123456789Z", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("2024-03-05T08:09:10", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("2024-03-05 08:09:10", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("2024-03-05 08:09:10 UTC", "2024-03-05T08:09:10", "2024-03-05T00:00:00"),
    ("2024-03-05 08:09:10 +0800", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05 08:09:10 +08:00", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05 08:09:10+08:00", "2024-03-05T00:09:10", "2024-03-05T00:09:10"),
    ("2024-03-05 08:09:10 GMT+8", "2024-03-05T00:09:10", "2024-03-05T00:00:00"),
    ("2024-03-05T08:09Z", "2024-03-05T08:09:00", "2024-03-05T08:09:00"),
    ("2024-03-05 08:09", "2024-03-05T08:09:00", "2024-03-05T08:09:00"),
    ("2024-03-05", "2024-03-05T00:00:00", "2024-03-05T00:00:00"),
    ("20240305T080910Z", "2024-03-05T08:09:10", "2024-03-05T00:00:00"),
    ("2024-03-05T08:09:10 Z", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("2024-03-05t08:09:10z", "2024-03-05T08:09:10", "2024-03-05T08:09:10"),
    ("2024-03-05T08:09:10-01:01", "2024-03-05T09:10:10", "2024-03-05T09:10:10"),
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59", "2017-01-01T00:00:00"),
    ("2024/03/05 08:09:10", "2024-03-05T08:09:10", "2024-%m-01T00:00:00"),
    ("2024/03/05 08:09:10 +0800", "2024-03-05T00:09:10", "2024-%m-01T00:00:00"),
    ("2024/3/5 8:09", "2024-03-05T08:09:00", "2024-%m-01T00:00:00"),
    ("2024/03/05", "2024-03-05T00:00:00", "2024-%m-01T00:00:00"),
    ("2024.03.05", "2024-03-05T00:00:00", "2024-%m-01T00:00:00"),
    ("2024年3月5日", "2024-03-05T00:00:00", "2024-%m-01T00:00:00"),
    ("2024年03月05日 08:09:10", "2024-03-05T08:09:10", "2024-%m-01T00:00:00"),
    ("2024年3月5日 08:09", "2024-03-05T08:09:00", "2024-%m-01T00:00:00"),
    ("2024年3月5日 08:09 GMT+8", "2024-03-05T00:09:00", "2024-%m-01T00:00:00"),
    ("March 5, 2024", "2024-03-05T00:00:00", None),
    ("Mar 5, 2024 08:09:10", "2024-03-05T08:09:10", None),
    ("March 5, 2024 8:09 PM", "2024-03-05T20:09:00", None),
    ("5 March 2024", "2024-03-05T00:00:00", "2024-03-05T00:00:00"),
    ("03/05/2024 08:09:10", "2024-03-05T08:09:10", None),
    ("03/05/2024 08:09:10 PM", "2024-03-05T20:09:10", None),
    ("", None, None),
    ("yesterday", None, None),
    ("2024-13-05", None, "2025-01-05T00:00:00"),
    ("Tue, 35 Mar 2024 08:09:10 GMT", None, None),
    ("0001-01-01T00:00:00Z", None, "1-01-01T00:00:00"),
    ("08:09:10 +0800", None, "%Y-%m-%dT08:09:10"),
    ("5", None, None),
]


def shown(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else None


@pytest.mark.parametrize(("text", "meant", "_theirs"), DATES)
def test_dates_of_feeds(text: str, meant: str | None, _theirs: str | None) -> None:
    assert shown(to_utc(text)) == meant


def test_the_table_says_what_feedparser_makes_of_them() -> None:
    for text, _, theirs in DATES:
        before, parts, after = time.gmtime(), _parse_date(text), time.gmtime()
        made = time.strftime("%Y-%m-%dT%H:%M:%S", parts) if parts else None
        assert made in [theirs and time.strftime(theirs, today) for today in (before, after)]


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["", "GMT", "UTC"]),
)
def test_any_offset_is_counted(local: datetime, minutes: int, name: str) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    for zone in (f"{sign}{hours:02}{rest:02}", f"{sign}{hours:02}:{rest:02}"):
        for form in ("%a, %d %b %Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S"):
            read = to_utc(f"{local:{form}} {name}{zone}")
            assert read is not None
            assert (read - local.replace(tzinfo=UTC, microsecond=0)).total_seconds() == -minutes * 60


@given(st.text(max_size=120))
def test_whatever_is_no_date_is_none_or_a_moment(text: str) -> None:
    read = to_utc(text)
    assert read is None or (read.tzinfo is UTC and read.year >= 1970)


@given(
    st.sampled_from(("Tue, ", "")),
    st.integers(0, 32),
    st.sampled_from(("Jan", "Feb", "Sep", "Dec", "Foo")),
    st.sampled_from((1969, 1970, 2026, 9999)),
    st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
    st.sampled_from(("GMT", "UTC", "+0800", "-0330", "+1400", "-1459", "-0000")),
)
def test_the_common_form_is_read_like_the_standard_library_reads_it(
    weekday: str, day: int, month: str, year: int, time: tuple[int, int, int], zone: str
) -> None:
    text = f"{weekday}{day} {month} {year} {time[0]:02}:{time[1]:02}:{time[2]:02} {zone}"
    try:
        read = parsedate_to_datetime(text)
        expected = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        expected = None
    assert to_utc(text) == (expected if expected and expected.year >= 1970 else None)
