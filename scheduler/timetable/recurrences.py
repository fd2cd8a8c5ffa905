"""Times of day, moments and time zones, as people write them, and the instants that they mean. Pure."""

import re
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from content.errors import UsageError
from content.i18n import Msgid
from scheduler.timetable.zones import known
from scheduler.timetable.zones import nearest as nearest_zone

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


def to_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a local time; see `schedules.occurrences` for those that exist not once."""
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
RELATIVE = {
    "today": 0,
    "tomorrow": 1,
    **{"今天": 0, "明天": 1, "后天": 2, "後天": 2},
    **{"сегодня": 0, "завтра": 1, "послезавтра": 2},
    **{"hoy": 0, "mañana": 1},
}
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


def parse_until(text: str, zone: str, now: datetime) -> datetime:
    """The instant (UTC) until which something lasts, like `18:30`, `tomorrow`, `12-24 9:00`, `2026-12-24`.

    A day alone means its beginning. Raises NotUnderstood, also for a moment that has passed.
    """
    words = text.split()
    if len(words) == 1 and not TIME.fullmatch(words[0]):
        words.append("00:00")
    try:
        moment, rest = parse_moment(" ".join(words), zone, now)
    except (NotUnderstood, InThePast) as exc:
        raise NotUnderstood(text.strip(), exc.nearest.removeprefix("at ")) from exc
    if rest:
        local = moment.astimezone(ZoneInfo(zone))
        raise NotUnderstood(text.strip(), f"{local:%Y-%m-%d %H:%M}")
    return moment
