"""Schedules: what people write, in any language, and the instants that it means."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.i18n import LANGUAGES, Translator
from scheduler.timetable.recurrences import NotUnderstood
from scheduler.timetable.schedules import (
    DAYS,
    HOURS,
    Cron,
    Every,
    Monthly,
    NeverComes,
    Recurrence,
    Weekly,
    next_run,
    occurrences,
    parse,
    stored,
    translated,
)

ZONES = st.sampled_from(sorted(available_timezones()))
AT = st.times().map(lambda at: at.replace(second=0, microsecond=0))
TIMES = st.sets(AT, min_size=1, max_size=4).map(lambda times: tuple(sorted(times)))
SOME_DAYS = st.sets(st.sampled_from(DAYS), min_size=1).map(lambda days: tuple(d for d in DAYS if d in days))
WEEKLY, ONCE_A_DAY = st.builds(Weekly, SOME_DAYS, TIMES), st.builds(Weekly, SOME_DAYS, st.tuples(AT))
MONTHLY = st.builds(
    Monthly, st.sets(st.integers(1, 31), min_size=1, max_size=5).map(lambda days: tuple(sorted(days))), TIMES
)
CRONS = st.sampled_from(
    ["0 9 * * 1-5", "*/15 8-18 * * *", "0 9 1,15 JAN-JUN *", "30 6 L * *", "0 9 * * MON#1"]
)
RECURRENCES = st.one_of(WEEKLY, MONTHLY, st.builds(Every, st.sampled_from(HOURS)), st.builds(Cron, CRONS))
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
        ("weekdays 09:00 and 18:00", "weekdays 09:00 and 18:00", ""),
        ("daily 18, 9, 12 berlin", "daily 09:00, 12:00 and 18:00", "Europe/Berlin"),
        ("monthly 1 09:00", "monthly 1 09:00", ""),
        ("every month on 15, 1st at 9 pm tokyo", "monthly 1,15 21:00", "Asia/Tokyo"),
        ("monthly 1 15 9", "monthly 1,15 09:00", ""),
        ("every 6h", "every 6h", ""),
        ("every 12 hours new york", "every 12h", "America/New_York"),
        ("hourly", "every 1h", ""),
        ("0 9 * * 1-5 berlin", "cron 0 9 * * 1-5", "Europe/Berlin"),
        ("cron 0 9 * jan mon-fri", "cron 0 9 * JAN MON-FRI", ""),
        ("每月1日 9点", "monthly 1 09:00", ""),
        ("每月1日、15号9点和18点 Asia/Shanghai", "monthly 1,15 09:00 and 18:00", "Asia/Shanghai"),
        ("每6小时", "every 6h", ""),
        ("每天 9点和18点", "daily 09:00 and 18:00", ""),
        ("周一三五9点", "mon,wed,fri 09:00", ""),
    ],
)
def test_what_people_write_is_understood(text: str, recurrence: str, zone: str) -> None:
    understood, found = parse(text)
    assert (stored(understood), found) == (recurrence, zone)


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
        ("daily 9 25:00", "25:00", "daily 09:00 and 23:00"),
        ("monthly", "monthly", "monthly 1 09:00"),
        ("montly 3 9", "montly", "monthly 3 09:00"),
        ("monthly 32 9", "32", "monthly 31 09:00"),
        ("monthly 3 25:00", "25:00", "monthly 3 23:00"),
        ("every 5h", "every 5h", "every 6h"),
        ("every 5m", "every 5m", "every 1h"),
        ("every 48 hours", "every 48 hours", "daily 09:00"),
        ("cron 0 25 * * *", "0 25 * * *", "cron 0 9 * * *"),
        ("cron 0 9", "0 9", "cron 0 9 * * *"),
    ],
)
def test_what_is_not_understood_gets_the_nearest_form(text: str, word: str, nearest: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        parse(text)
    assert (raised.value.word, raised.value.nearest) == (word, nearest)
    parse(nearest)


@pytest.mark.parametrize("fields", ["0 9 31 2 *", "0 9 30 feb *", "0 9 31 4,6,9,11 *"])
def test_a_date_that_never_comes_gets_one_that_does(fields: str) -> None:
    with pytest.raises(NeverComes, match="never comes") as raised:
        parse(fields)
    assert (
        raised.value.nearest
        == f"cron {' '.join([*fields.split()[:2], '28', *fields.split()[3:]])}".replace("feb", "FEB")
    )
    recurrence, _ = parse(raised.value.nearest)
    assert next_run(recurrence, "UTC", datetime(2026, 3, 1, tzinfo=UTC)).day == 28


WORDS = st.sampled_from(
    ["monthly", "every", "6h", "cron", "*", "*/5", "31", "2", "and", "09:00", "25:00", "每月", "点"]
)


@given(st.text(max_size=40) | st.lists(WORDS, max_size=7).map(" ".join))
def test_any_text_is_understood_or_gets_a_valid_form(text: str) -> None:
    try:
        parse(text)
    except NotUnderstood as exc:
        parse(exc.nearest)


@given(RECURRENCES)
def test_what_is_shown_can_be_read_back(recurrence: Recurrence) -> None:
    assert parse(stored(recurrence)) == (recurrence, "")
    for language in LANGUAGES:
        assert parse(translated(stored(recurrence), Translator(language))) == (recurrence, "")


def test_a_schedule_is_shown_in_a_language() -> None:
    assert translated("mon,thu 08:00 Europe/Berlin", Translator("zh")) == "周一、周四 08:00 Europe/Berlin"
    assert translated("mon,thu 08:00", Translator("en")) == "mon,thu 08:00"
    chinese = [
        translated(one, Translator("zh")) for one in ("monthly 1,15 09:00", "every 6h", "daily 9 and 18")
    ]
    assert chinese == ["每月1、15日 09:00", "每6小时", "每天 09:00和18:00"]


@given(ONCE_A_DAY, ZONES, MOMENTS)
def test_occurrences_ascend_and_are_on_time(recurrence: Weekly, zone: str, after: datetime) -> None:
    place = ZoneInfo(zone)
    last = after
    for instant in islice(occurrences(recurrence, zone, after), 8):
        assert instant > last
        last = instant
        local = instant.astimezone(place)
        if local.time() not in recurrence.times:
            # Only because that time does not exist, and then it is the first one after it that does.
            at = recurrence.times[0]
            meant = local.replace(hour=at.hour, minute=at.minute)
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
        runs = list(islice(occurrences(Weekly(DAYS, (at,)), zone, start), 365))
        days = [run.astimezone(ZoneInfo(zone)).date() for run in runs]
        assert len(set(days)) == 365
        assert {instant.replace(tzinfo=UTC) for instant in instants} <= set(runs)
