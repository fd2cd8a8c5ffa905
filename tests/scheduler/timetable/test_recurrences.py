"""Recurrences: what people write, and the instants that it means."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.i18n import Translator
from scheduler.timetable.recurrences import (
    DAYS,
    InThePast,
    NotUnderstood,
    Recurrence,
    find_zone,
    next_run,
    occurrences,
    parse,
    parse_moment,
    translated,
)

ZONES = st.sampled_from(sorted(available_timezones()))
RECURRENCES = st.builds(
    Recurrence,
    st.sets(st.sampled_from(DAYS), min_size=1).map(lambda days: tuple(d for d in DAYS if d in days)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "recurrence", "zone"),
    [
        ("daily 09:00", "daily 09:00", ""),
        ("daily 9 Asia/Shanghai", "daily 09:00", "Asia/Shanghai"),
        ("9:30", "daily 09:30", ""),
        ("weekdays 18:30 shanghai", "weekdays 18:30", "Asia/Shanghai"),
        ("weekends 9pm", "weekends 21:00", ""),
        ("mon,thu 08:00 new york", "mon,thu 08:00", "America/New_York"),
        ("every Thursday, Monday at 9 PM", "mon,thu 21:00", ""),
        ("weekly sun 12am", "sun 00:00", ""),
        ("每天 9点", "daily 09:00", ""),
        ("周一、周四 21点30分", "mon,thu 21:30", ""),
        ("星期日 8：05 Asia/Tokyo", "sun 08:05", "Asia/Tokyo"),
        ("工作日 7:00", "weekdays 07:00", ""),
    ],
)
def test_what_people_write_is_understood(text: str, recurrence: str, zone: str) -> None:
    understood, found = parse(text)
    assert (str(understood), found) == (recurrence, zone)


@pytest.mark.parametrize(
    ("text", "word", "nearest"),
    [
        ("daily 25:00", "25:00", "daily 23:00"),
        ("daily 9:75", "9:75", "daily 09:59"),
        ("dayly 9", "dayly", "daily 09:00"),
        ("thirsday 18:30", "thirsday", "thu 18:30"),
        ("daily", "daily", "daily 09:00"),
        ("mon,thu", "mon,thu", "mon,thu 09:00"),
        ("", "", "daily 09:00"),
        ("daily 09:00 Asia/Shangai", "Asia/Shangai", "daily 09:00 Asia/Shanghai"),
        ("mon 08:00 somewhere else entirely", "somewhere else entirely", "mon 08:00 Asia/Shanghai"),
        ("?? !!", "??", "daily 09:00"),
    ],
)
def test_what_is_not_understood_gets_the_nearest_form(text: str, word: str, nearest: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        parse(text)
    assert (raised.value.word, raised.value.nearest) == (word, nearest)
    parse(nearest)


@given(st.text(max_size=40))
def test_any_text_is_understood_or_gets_a_valid_form(text: str) -> None:
    try:
        parse(text)
    except NotUnderstood as exc:
        parse(exc.nearest)


@given(RECURRENCES)
def test_what_is_shown_can_be_read_back(recurrence: Recurrence) -> None:
    assert parse(str(recurrence)) == (recurrence, "")
    assert parse(translated(str(recurrence), Translator("zh"))) == (recurrence, "")


def test_a_schedule_is_shown_in_a_language() -> None:
    assert translated("mon,thu 08:00 Europe/Berlin", Translator("zh")) == "周一、周四 08:00 Europe/Berlin"
    assert translated("mon,thu 08:00", Translator("en")) == "mon,thu 08:00"


@given(ZONES)
def test_every_zone_is_found_by_its_name(zone: str) -> None:
    assert find_zone(zone) == zone
    assert find_zone(zone.lower()) == zone


@given(RECURRENCES, ZONES, MOMENTS)
def test_occurrences_ascend_and_are_on_time(recurrence: Recurrence, zone: str, after: datetime) -> None:
    place = ZoneInfo(zone)
    last = after
    for instant in islice(occurrences(recurrence, zone, after), 8):
        assert instant > last
        last = instant
        local = instant.astimezone(place)
        if local.time() != recurrence.at:
            # Only because that time does not exist, and then it is the first one after it that does.
            meant = local.replace(hour=recurrence.at.hour, minute=recurrence.at.minute)
            meant -= timedelta(days=meant.replace(tzinfo=None) > local.replace(tzinfo=None))
            back = meant.astimezone(UTC).astimezone(place)
            assert back.replace(tzinfo=None) != meant.replace(tzinfo=None)
            before = (instant - timedelta(minutes=1)).astimezone(place)
            assert before.replace(tzinfo=None) < meant.replace(tzinfo=None)
        else:
            assert DAYS[local.weekday()] in recurrence.days
            assert local.fold == 0


@given(RECURRENCES, ZONES, MOMENTS)
def test_the_next_run_does_not_depend_on_when_one_asks(
    recurrence: Recurrence, zone: str, after: datetime
) -> None:
    first, second = islice(occurrences(recurrence, zone, after), 2)
    assert next_run(recurrence, zone, first) == second
    assert next_run(recurrence, zone, first - timedelta(microseconds=1)) == first


def test_each_day_of_a_year_has_one_run_also_when_clocks_change() -> None:
    expected = {
        # Skipped at 02:30 on 29 March, twice on 25 October.
        ("Europe/Berlin", time(2, 30)): {datetime(2026, 3, 29, 1, 0), datetime(2026, 10, 25, 0, 30)},
        # Midnight does not exist on 6 September.
        ("America/Santiago", time(0, 0)): {datetime(2026, 9, 6, 4, 0)},
        ("Asia/Kolkata", time(9, 0)): {datetime(2026, 6, 1, 3, 30)},
        ("Australia/Lord_Howe", time(2, 15)): {datetime(2026, 10, 3, 15, 30)},
        ("Asia/Shanghai", time(9, 0)): {datetime(2026, 2, 28, 1, 0)},
    }
    for (zone, at), instants in expected.items():
        start = datetime(2025, 12, 31, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        runs = list(islice(occurrences(Recurrence(DAYS, at), zone, start), 365))
        days = [run.astimezone(ZoneInfo(zone)).date() for run in runs]
        assert len(set(days)) == 365
        assert {instant.replace(tzinfo=UTC) for instant in instants} <= set(runs)


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
