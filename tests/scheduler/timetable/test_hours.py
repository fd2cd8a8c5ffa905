"""Quiet hours: what people write, and which instants are quiet."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.timetable.hours import QuietHours, parse
from scheduler.timetable.recurrences import NotUnderstood

ZONES = st.sampled_from(sorted(available_timezones()))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
HOURS = st.builds(QuietHours, TIMES, TIMES, ZONES).filter(lambda hours: hours.start != hours.end)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-08:00", "22:00-08:00"),
        ("22-8", "22:00-08:00"),
        ("22:00 – 08:00 berlin", "22:00-08:00 Europe/Berlin"),
        ("10pm to 8 am new york", "22:00-08:00 America/New_York"),
        ("from 13:00 until 14:30", "13:00-14:30"),
        ("22点到8点", "22:00-08:00"),
        ("从 22点30 至 7点", "22:30-07:00"),
        ("22:00~08:00", "22:00-08:00"),
    ],
)
def test_what_people_write_is_understood(text: str, hours: str) -> None:
    assert str(parse(text)) == hours


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("", "22:00-08:00"),
        ("at night", "22:00-08:00"),
        ("22:00-25:00", "22:00-23:00"),
        ("26-8", "23:00-08:00"),
        ("8:00-8:00", "22:00-08:00"),
        ("22-8 Berln", "22:00-08:00 Europe/Berlin"),
    ],
)
def test_what_is_not_understood_gets_the_nearest_form(text: str, nearest: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        parse(text)
    assert raised.value.nearest == nearest
    parse(nearest)


@given(st.text(max_size=30) | st.text("0123456789:- 点到amp", max_size=14))
def test_any_text_is_understood_or_gets_a_valid_form(text: str) -> None:
    try:
        parse(text)
    except NotUnderstood as exc:
        parse(exc.nearest)


@given(HOURS)
def test_what_is_shown_can_be_read_back(hours: QuietHours) -> None:
    assert parse(str(hours)) == hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "instant", "loud"),
    [
        ("22:00-08:00 Asia/Shanghai", "2026-03-01 14:00", "2026-03-02 00:00"),
        ("22:00-08:00 Asia/Shanghai", "2026-03-01 13:59", "2026-03-01 13:59"),
        ("22:00-08:00 Asia/Shanghai", "2026-03-02 00:00", "2026-03-02 00:00"),
        ("13:00-14:00 UTC", "2026-03-01 13:30", "2026-03-01 14:00"),
        # Half past two does not exist in this night, so that the quiet hours end at three.
        ("22:00-02:30 Europe/Berlin", "2026-03-29 00:30", "2026-03-29 01:00"),
        # It exists twice in this one: they end at the first.
        ("22:00-02:30 Europe/Berlin", "2026-10-25 00:15", "2026-10-25 00:30"),
        ("22:00-02:30 Europe/Berlin", "2026-10-25 01:15", "2026-10-25 01:15"),
        ("23:00-02:15 Australia/Lord_Howe", "2026-10-03 15:00", "2026-10-03 15:30"),
        ("23:00-01:45 America/New_York", "2026-11-01 05:30", "2026-11-01 05:45"),
    ],
)
def test_an_instant_in_quiet_hours_moves_to_their_end(hours: str, instant: str, loud: str) -> None:
    assert parse(hours).after(at(instant)) == at(loud)


@given(HOURS, MOMENTS)
def test_quiet_hours_end_and_what_moves_stays_there(hours: QuietHours, instant: datetime) -> None:
    loud = hours.after(instant)
    assert instant <= loud and hours.after(loud) == loud
    period = hours.period(loud)
    assert loud < period.start < period.end
    if loud > instant:
        assert hours.after(loud - timedelta(minutes=1)) == loud
        place = ZoneInfo(hours.zone)
        last = (loud - timedelta(microseconds=1)).astimezone(place)
        if last.utcoffset() == loud.astimezone(place).utcoffset():
            assert loud.astimezone(place).time() == hours.end
