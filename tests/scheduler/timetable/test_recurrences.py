"""Moments and time zones: what people write, and the instants that it means."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.timetable.recurrences import InThePast, NotUnderstood, find_zone, parse_moment

ZONES = st.sampled_from(sorted(available_timezones()))


@given(ZONES)
def test_every_zone_is_found_by_its_name(zone: str) -> None:
    assert find_zone(zone) == zone
    assert find_zone(zone.lower()) == zone


NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant", "rest"),
    [
        ("18:30 Title", datetime(2026, 11, 24, 10, 30), "Title"),
        ("tomorrow 9:00 Title\nBody text", datetime(2026, 11, 25, 1, 0), "Title\nBody text"),
        ("明天 9点 标题", datetime(2026, 11, 25, 1, 0), "标题"),
        ("2026-12-01 09:00 A", datetime(2026, 12, 1, 1, 0), "A"),
        ("12-01 09:00 A", datetime(2026, 12, 1, 1, 0), "A"),
        ("18:30\nTitle here", datetime(2026, 11, 24, 10, 30), "Title here"),
    ],
)
def test_a_moment_at_the_beginning_of_a_text(text: str, instant: datetime, rest: str) -> None:
    assert parse_moment(text, "Asia/Shanghai", NOW) == (instant.replace(tzinfo=UTC), rest)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("17:00 x", "at 2026-11-25 17:00"),
        ("2020-01-01 19:00 x", "at 2026-11-24 19:00"),
        ("today 00:00 x", "at 2026-11-25 00:00"),
    ],
)
def test_a_moment_that_has_passed_gets_its_next_chance(text: str, nearest: str) -> None:
    with pytest.raises(InThePast) as raised:
        parse_moment(text, "Asia/Shanghai", NOW)
    assert raised.value.nearest == nearest


@pytest.mark.parametrize("text", ["25:00 x", "soon x", "2026-13-45 09:00 x", "tomorrow x", ""])
def test_a_moment_that_makes_no_sense(text: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        parse_moment(text, "Asia/Shanghai", NOW)
    assert raised.value.nearest.startswith("at ")
