"""Recurrences and time zones: when a digest runs. Pure; the only place that knows local time.

A recurrence is written as people say it: `daily 09:00`, `weekdays 18:30`, `mon,thu 08:00`. cronsim finds the
occurrences on a clock without daylight saving, zoneinfo says which instants these are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim

from content.errors import UsageError
from content.i18n import Msgid, Translator
from scheduler.timetable.zones import known
from scheduler.timetable.zones import nearest as nearest_zone

# In the order of cron's day numbers 1 to 7; cron takes 0 and 7 for Sunday.
DAYS = (Msgid("mon"), Msgid("tue"), Msgid("wed"), Msgid("thu"), Msgid("fri"), Msgid("sat"), Msgid("sun"))
WEEKDAYS, WEEKENDS = DAYS[:5], DAYS[5:]
GROUPS: dict[str, tuple[str, ...]] = {
    Msgid("daily"): DAYS,
    Msgid("weekdays"): WEEKDAYS,
    Msgid("weekends"): WEEKENDS,
}

# What else people write for the same.
SYNONYMS = {
    "everyday": "daily",
    "每天": "daily",
    "每日": "daily",
    "weekday": "weekdays",
    "workdays": "weekdays",
    "工作日": "weekdays",
    "weekend": "weekends",
    "周末": "weekends",
    "週末": "weekends",
}
FULL_NAMES = dict(
    zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), DAYS, strict=True)
)
CHINESE_DAYS = dict(zip("一二三四五六日", DAYS, strict=True)) | {"天": "sun"}
NOISE = {"every", "each", "at", "on", "weekly", "in"}
CHINESE_DAY = re.compile(r"(?:周|週|星期|礼拜|禮拜)([一二三四五六日天])")
TIME = re.compile(r"(\d{1,2})(?:[:.：点點](\d{1,2})?)?(?:分)?\s*(am|pm)?", re.IGNORECASE)

NOT_UNDERSTOOD = Msgid("I don't understand “{word}”. Did you mean: {nearest}")
PASSED = Msgid("“{word}” has passed. Did you mean: {nearest}")
LONGEST_WORD = 60  # characters of it that are shown

# Longer than any gap that a zone's clock has ever made: Samoa left out a whole day.
LONGEST_GAP = timedelta(hours=25)


class NotUnderstood(UsageError):
    """A schedule that makes no sense; `nearest` is the valid form that comes closest.

    `rest` is the text after a moment that looks like one, like 25:00; None if it may be all text.
    """

    def __init__(self, word: str, nearest: str, rest: str | None = None) -> None:
        super().__init__(NOT_UNDERSTOOD, word=word[:LONGEST_WORD], nearest=nearest)
        self.word, self.nearest, self.rest = word, nearest, rest


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Some days of every week, at one local time."""

    days: tuple[str, ...]
    at: time

    def __str__(self) -> str:
        """The one way in which it is stored and shown; `parse` reads it back."""
        group = next((name for name, days in GROUPS.items() if days == self.days), ",".join(self.days))
        return f"{group} {self.at:%H:%M}"

    @property
    def cron(self) -> str:
        days = ",".join(str(DAYS.index(day) + 1) for day in self.days)
        return f"{self.at.minute} {self.at.hour} * * {'*' if self.days == DAYS else days}"


def translated(schedule: str, translator: Translator) -> str:
    """A stored or suggested schedule, like `mon,thu 08:00`, in a language; `parse` reads that as well."""
    days, space, rest = schedule.partition(" ")
    names = (translator.t(day) for day in days.split(","))
    return translator.t(",").join(names) + space + rest


def parse(text: str) -> tuple[Recurrence, str]:
    """A recurrence and the time zone after it, empty if none is given.

    Raises NotUnderstood with the nearest valid form.
    """
    words = [word for word in re.sub("[，、]", ",", text).split() if word.lower() not in NOISE]
    if not words:
        raise NotUnderstood("", "daily 09:00")
    days, rest = _days(words)
    at, zone = _time(days, rest)
    return Recurrence(days, at), find_zone(zone, str(Recurrence(days, at))) if zone else ""


def _days(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """The days at the beginning, also when they are several words, and the words after them."""
    wanted: set[str] = set()
    for place, word in enumerate(words):
        found = _named_days(word)
        if found is None:
            if not wanted and TIME.fullmatch(word):
                return DAYS, words  # a time alone means every day
            if not wanted:
                raise NotUnderstood(word, f"{_nearest_day(word)} {_time_or_nine(words[place + 1 :])}")
            return tuple(day for day in DAYS if day in wanted), words[place:]
        wanted.update(found)
    days = tuple(day for day in DAYS if day in wanted)
    raise NotUnderstood(" ".join(words), f"{Recurrence(days, time(9))}")


def _named_days(word: str) -> set[str] | None:
    found: set[str] = set()
    for name in filter(None, word.lower().split(",")):
        name = SYNONYMS.get(name, FULL_NAMES.get(name, name))
        if name in GROUPS:
            found.update(GROUPS[name])
        elif name in DAYS:
            found.add(name)
        elif (chinese := CHINESE_DAY.findall(name)) and not CHINESE_DAY.sub("", name):
            found.update(CHINESE_DAYS[day] for day in chinese)
        else:
            return None
    return found or None


def _nearest_day(word: str) -> str:
    known = [*GROUPS, *DAYS, *FULL_NAMES]
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return FULL_NAMES.get(near[0], near[0]) if near else "daily"


def _time_or_nine(words: list[str]) -> str:
    try:
        return f"{parse_time(words[0]):%H:%M}" if words else "09:00"
    except NotUnderstood:
        return "09:00"


def _time(days: tuple[str, ...], words: list[str]) -> tuple[time, str]:
    """The time, which may be two words (`9 pm`), and the zone after it."""
    if len(words) > 1 and words[1].lower() in ("am", "pm"):
        words = [words[0] + words[1], *words[2:]]
    try:
        return parse_time(words[0]), " ".join(words[1:])
    except NotUnderstood as exc:
        raise NotUnderstood(exc.word, f"{Recurrence(days, time(9))}"[:-5] + exc.nearest) from exc


def parse_time(word: str) -> time:
    """`9`, `09:00`, `9pm`, `9点`, `21点30`. Raises NotUnderstood with the nearest time of day."""
    match = TIME.fullmatch(word)
    if match is None:
        raise NotUnderstood(word, "09:00")
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise NotUnderstood(word, f"{min(hour, 23):02}:{min(minute, 59):02}")
    return time(hour, minute)


@cache
def _zones_by_word() -> dict[str, list[str]]:
    """Zones by their whole name and by their city, in lower case."""
    words: dict[str, list[str]] = {}
    for zone in sorted(available_timezones()):
        for word in {zone.lower(), zone.rpartition("/")[2].lower()}:
            words.setdefault(word, []).append(zone)
    return words


def find_zone(word: str, before: str = "") -> str:
    """An IANA time zone by its name, its city, an offset or a place: `Asia/Shanghai`, `new york`, `UTC+8`.

    Raises NotUnderstood with the zone that comes nearest, written after `before`.
    """
    zones, name = _zones_by_word(), word.strip().lower().replace(" ", "_")
    if name in zones:
        return next((zone for zone in zones[name] if zone.lower() == name), zones[name][0])
    if found := known(word):
        return found
    near = get_close_matches(name, zones, n=1, cutoff=0.6)
    nearest = nearest_zone(word) or (zones[near[0]][0] if near else "Asia/Shanghai")
    raise NotUnderstood(word, f"{before} {nearest}".strip())


def occurrences(recurrence: Recurrence, zone: str, after: datetime) -> Iterator[datetime]:
    """The instants (UTC) of a recurrence after an instant, ascending, without end.

    A local time that does not exist is replaced by the first one after it that does; of one that exists
    twice the first is meant.
    """
    place = ZoneInfo(zone)
    start = after.astimezone(place).replace(tzinfo=None) - LONGEST_GAP
    last = after
    for local in CronSim(recurrence.cron, start):
        instant = to_instant(local, place)
        if instant > last:
            yield instant
            last = instant


def next_run(recurrence: Recurrence, zone: str, after: datetime) -> datetime:
    """The first occurrence (UTC) after an instant."""
    return next(occurrences(recurrence, zone, after))


def to_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a local time; see `occurrences` for those that exist not once."""
    for minute in range(int(LONGEST_GAP.total_seconds()) // 60):
        shifted = local + timedelta(minutes=minute)
        instant = shifted.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == shifted:
            return instant
    raise AssertionError(f"{zone} has a gap of more than {LONGEST_GAP}")


class InThePast(UsageError):
    """A moment that has passed: `nearest` is the same time at its next chance, `rest` the text after it."""

    def __init__(self, word: str, nearest: str, rest: str) -> None:
        super().__init__(PASSED, word=word, nearest=nearest)
        self.word, self.nearest, self.rest = word, nearest, rest


# Days that people name by their distance.
RELATIVE = {"today": 0, "tomorrow": 1, "今天": 0, "明天": 1, "后天": 2, "後天": 2}
# An update is written for so many years ahead at most; the calendar itself ends in 9999.
FURTHEST = 10
DATE = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})")


def parse_moment(text: str, zone: str, now: datetime) -> tuple[datetime, str]:
    """The instant (UTC) that a text begins with, and the text after it.

    `18:30 …`, `tomorrow 9:00 …`, `2026-11-25 18:30 …`, in local time of `zone`. A time without a day is its
    next occurrence today; raises InThePast if that was before `now`, NotUnderstood for anything else.
    """
    place = ZoneInfo(zone)
    today = now.astimezone(place).replace(tzinfo=None)
    first, _, rest = text.partition(" ")
    try:
        day = _day(first, today)
    except NotUnderstood as exc:
        clock, _, after = rest.lstrip().partition(" ")
        raise NotUnderstood(exc.word, exc.nearest, after if TIME.fullmatch(clock) else rest) from exc
    if day is None:
        clock, day = first, today
    else:
        clock, _, rest = rest.lstrip().partition(" ")
    if "\n" in clock:
        clock, _, tail = clock.partition("\n")
        rest = f"{tail} {rest}".strip()
    try:
        local = datetime.combine(day.date(), parse_time(clock))
    except NotUnderstood as exc:
        words = f"{first} {clock}" if clock != first else first
        text_after = rest if TIME.fullmatch(clock) else None
        raise NotUnderstood(words, f"at {exc.nearest}", text_after) from exc
    if local.year > today.year + FURTHEST:
        raise NotUnderstood(first, f"at {today:%Y-%m-%d} 18:00", rest)
    instant = to_instant(local, place)
    if instant <= now:
        later = datetime.combine(today.date(), local.time())
        later += timedelta(days=to_instant(later, place) <= now)
        raise InThePast(f"{local:%Y-%m-%d %H:%M}", f"at {later:%Y-%m-%d %H:%M}", rest)
    return instant, rest


def _day(word: str, today: datetime) -> datetime | None:
    if word.lower() in RELATIVE:
        return today + timedelta(days=RELATIVE[word.lower()])
    match = DATE.fullmatch(word)
    if match is None:
        return None
    try:
        return datetime(int(match[1] or today.year), int(match[2]), int(match[3]))
    except ValueError as exc:
        raise NotUnderstood(word, f"at {today:%Y-%m-%d} 18:00") from exc
