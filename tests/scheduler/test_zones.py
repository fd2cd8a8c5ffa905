"""Time zones as people name them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.timetable import zones
from scheduler.timetable.recurrences import NotUnderstood, find_zone
from scheduler.timetable.schedules import parse


@pytest.mark.parametrize("hours", range(zones.WEST, zones.EAST + 1))
def test_a_whole_offset_is_that_far_ahead(hours: int) -> None:
    for words in (f"UTC{hours:+d}", f"gmt {hours:+03d}:00", f"{hours:+03d}00"):
        zone = find_zone(words)
        assert datetime(2026, 7, 1, tzinfo=ZoneInfo(zone)).utcoffset() == timedelta(hours=hours)
        assert zones.shown(zone) == (f"UTC{hours:+d}" if hours else "Etc/UTC")


@pytest.mark.parametrize("minutes", zones.SAME)
def test_an_offset_with_minutes_is_a_zone_that_always_has_it(minutes: int) -> None:
    zone = ZoneInfo(find_zone(f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60}:{abs(minutes) % 60:02}"))
    for month in range(1, 13):
        assert datetime(2026, month, 1, tzinfo=zone).utcoffset() == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        ("UTC+10:30", "Australia/Lord_Howe"),
        ("UTC+15", "UTC+14"),
        ("-99", "UTC-12"),
        ("UTC+1:23", "UTC+1"),
        ("Berlim", "Europe/Berlin"),
        ("geo:95,1", "Asia/Shanghai"),
    ],
)
def test_what_is_no_zone_gets_the_nearest(words: str, nearest: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        find_zone(words)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("munich", "Europe/Berlin"),
        ("San Francisco", "America/Los_Angeles"),
        ("北京", "Asia/Shanghai"),
        ("上海", "Asia/Shanghai"),
        ("纽约", "America/New_York"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
        ("geo:52.52,13.4", "Europe/Berlin"),
        ("geo:-33.87,151.2", "Australia/Sydney"),
        ("geo:0,-150", "Etc/GMT+10"),
    ],
)
def test_a_city_or_a_place_is_a_zone(words: str, zone: str) -> None:
    assert find_zone(words) == zone
    assert datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(zone))


def test_every_large_city_has_a_zone_that_exists() -> None:
    assert {ZoneInfo(zone).key for zone in zones.CITIES} == set(zones.CITIES)


def test_a_schedule_may_name_an_offset() -> None:
    assert parse("daily 09:00 UTC+8")[1] == "Etc/GMT-8"
