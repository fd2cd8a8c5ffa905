"""Schedules: when a digest runs. Pure.

A schedule is written as people say it: `weekdays 09:00 and 18:00`, `monthly 1 09:00`, `every 6h`, or in the
five fields of cron. It is stored in English and shown in any language, and `parse` reads all of these.
cronsim finds the occurrences on a clock without daylight saving, zoneinfo says which instants these are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from difflib import get_close_matches
from functools import cache
from heapq import merge
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from content.i18n import LANGUAGES, Msgid, Translator
from scheduler.timetable.recurrences import (
    LONGEST_GAP,
    TIME,
    NotUnderstood,
    find_zone,
    parse_time,
    to_instant,
)

# In the order of cron's day numbers 1 to 7; cron takes 0 and 7 for Sunday.
DAYS = (Msgid("mon"), Msgid("tue"), Msgid("wed"), Msgid("thu"), Msgid("fri"), Msgid("sat"), Msgid("sun"))
WEEKDAYS, WEEKENDS = DAYS[:5], DAYS[5:]
GROUPS: dict[str, tuple[str, ...]] = {
    Msgid("daily"): DAYS,
    Msgid("weekdays"): WEEKDAYS,
    Msgid("weekends"): WEEKENDS,
}
# Every so many hours, counted from midnight.
HOURS = (1, 2, 3, 4, 6, 8, 12)
WEEKLY, MONTHLY, EVERY = Msgid("{days} {times}"), Msgid("monthly {days} {times}"), Msgid("every {hours}h")
AND = Msgid("{items} and {last}")

# What else people write for the same.
SYNONYMS = {
    "everyday": "daily",
    "day": "daily",
    "每天": "daily",
    "每日": "daily",
    "weekday": "weekdays",
    "workdays": "weekdays",
    "工作日": "weekdays",
    "weekend": "weekends",
    "周末": "weekends",
    "週末": "weekends",
}
NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FULL_NAMES = dict(zip((*NAMES, *(f"{name}s" for name in NAMES)), (*DAYS, *DAYS), strict=True))
CHINESE_DAYS = dict(zip("一二三四五六日", DAYS, strict=True)) | {"天": "sun"}
NOISE = {"every", "each", "at", "on", "weekly", "in", "and", "&"}
CHINESE_DAY = re.compile(r"(?:周|週|星期|礼拜|禮拜)([一二三四五六日天]+)")
BETWEEN = re.compile(r"[\s,，、和及与與]+")  # what separates words
GLUED = re.compile(r"(?<=[天日末号號一二三四五六])(?=\d)")  # Chinese needs no space between day and time
HALF_APART = re.compile(r"(\d)\s+(am|pm)\b", re.IGNORECASE)
# Digests come every hour at most.
MINUTES = re.compile(r"every\s*\d+\s*(?:m|mins?|minutes?)\b|每隔?\s*\d+\s*分钟?", re.IGNORECASE)
A_MONTH = ("monthly", "every month", "each month", "每个月", "每個月", "每月")
CRON_NUMBERS, CRON_NAMES = re.compile(r"[\d*/,LW-]+", re.IGNORECASE), re.compile(r"[\w*/,#-]+")
NINE = time(9)
ANY = ("0", "9", "*", "*", "*")  # what stands for a field of cron that is not understood
NEVER = Msgid("“{word}” never comes. Did you mean: {nearest}")


class NeverComes(NotUnderstood):
    """A schedule that no date fits; `nearest` is one that comes."""

    def __init__(self, word: str, nearest: str) -> None:
        super().__init__(word, nearest)
        self.message = NEVER


@dataclass(frozen=True, slots=True)
class Weekly:
    """Some days of every week, at some local times."""

    days: tuple[str, ...]
    times: tuple[time, ...]

    def shown(self, tr: Translator) -> str:
        group = next((name for name, days in GROUPS.items() if days == self.days), None)
        days = tr.t(group) if group else tr.t(",").join(map(tr.t, self.days))
        return tr.t(WEEKLY, days=days, times=_listed(self.times, tr))

    @property
    def crons(self) -> Sequence[str]:
        days = "*" if self.days == DAYS else ",".join(str(DAYS.index(day) + 1) for day in self.days)
        return [f"{at.minute} {at.hour} * * {days}" for at in self.times]


@dataclass(frozen=True, slots=True)
class Monthly:
    """Some days of every month that has them, at some local times."""

    days: tuple[int, ...]
    times: tuple[time, ...]

    def shown(self, tr: Translator) -> str:
        days = tr.t(",").join(map(str, self.days))
        return tr.t(MONTHLY, days=days, times=_listed(self.times, tr))

    @property
    def crons(self) -> Sequence[str]:
        days = ",".join(map(str, self.days))
        return [f"{at.minute} {at.hour} {days} * *" for at in self.times]


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many hours, counted from local midnight."""

    hours: int

    def shown(self, tr: Translator) -> str:
        return tr.t(EVERY, hours=self.hours)

    @property
    def crons(self) -> Sequence[str]:
        return [f"0 */{self.hours} * * *"]


@dataclass(frozen=True, slots=True)
class Cron:
    """The five fields of cron, in local time."""

    fields: str

    def shown(self, tr: Translator) -> str:
        return f"cron {self.fields}"

    @property
    def crons(self) -> Sequence[str]:
        return [self.fields]


Recurrence = Weekly | Monthly | Every | Cron


def stored(recurrence: Recurrence) -> str:
    """The one way in which a recurrence is stored; `parse` reads it back."""
    return recurrence.shown(Translator())


def translated(schedule: str, translator: Translator) -> str:
    """A stored or suggested schedule, like `mon,thu 08:00`, in a language; `parse` reads that as well."""
    recurrence, zone = parse(schedule)
    return f"{recurrence.shown(translator)} {zone}".strip()


def _listed(times: Sequence[time], tr: Translator) -> str:
    *items, last = (f"{at:%H:%M}" for at in times)
    return tr.t(AND, items=tr.t(", ").join(items), last=last) if items else last


def parse(text: str) -> tuple[Recurrence, str]:
    """A recurrence and the time zone after it, empty if none is given.

    Raises NotUnderstood with the nearest valid form, also for a schedule that never comes.
    """
    words = text.split()
    if words and words[0].lower() == "cron":
        return _cron(words[1:])
    if len(words) >= 5 and all(map(CRON_NUMBERS.fullmatch, words[:3])) and CRON_NAMES.fullmatch(words[4]):
        return _cron(words)
    plain = HALF_APART.sub(r"\1\2", GLUED.sub(" ", text)).strip()
    plain = _day_phrases().sub(lambda found: _day_words()[" ".join(found[0].lower().split())], plain)
    if match := _every().match(plain):
        hours = int(next(filter(None, match.groups()), 1))
        return _every_hours(hours, match[0], _words(plain[match.end() :]))
    if match := MINUTES.match(plain):
        raise NotUnderstood(match[0], stored(Every(1)))
    if match := _a_month().match(plain):
        return _monthly(_words(plain[match.end() :]))
    return _weekly(plain, _words(plain))


def _words(text: str) -> list[str]:
    return [word for word in BETWEEN.split(text) if word and word.lower() not in NOISE | _ands()]


def _zone(words: Sequence[str], recurrence: Recurrence) -> str:
    return find_zone(" ".join(words), stored(recurrence)) if words else ""


# What the catalogs say for these is read as well, so that people can type what they are shown.


@cache
def _ands() -> set[str]:
    parts = (
        Translator(language).t(AND).partition("{items}")[2].partition("{last}")[0] for language in LANGUAGES
    )
    return {part.strip().lower() for part in parts}


@cache
def _day_words() -> dict[str, str]:
    """All words for days and groups of days, in lower case."""
    words = {
        Translator(language).t(word).lower(): word
        for language in LANGUAGES[::-1]
        for word in (*GROUPS, *DAYS)
    }
    return words | SYNONYMS | FULL_NAMES | {day: day for day in (*DAYS, *GROUPS)}


@cache
def _day_phrases() -> re.Pattern[str]:
    """Those of several words, like the Russian and Spanish ones for weekdays."""
    phrases = sorted((word for word in _day_words() if " " in word), key=len, reverse=True)
    patterns = (r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns) or '(?!)'})(?!\w)", re.IGNORECASE)


@cache
def _a_month() -> re.Pattern[str]:
    before = (Translator(language).t(MONTHLY).partition("{days}")[0].strip() for language in LANGUAGES)
    return re.compile(
        "|".join(map(re.escape, sorted({*A_MONTH, *before}, key=len, reverse=True))), re.IGNORECASE
    )


@cache
def _month_day() -> re.Pattern[str]:
    after = (Translator(one).t(MONTHLY).partition("{days}")[2].partition("{times}")[0] for one in LANGUAGES)
    suffixes = {"st", "nd", "rd", "th", "日", "号", "號", *(part.strip() for part in after)} - {""}
    return re.compile(rf"(\d{{1,2}})({'|'.join(map(re.escape, suffixes))})?", re.IGNORECASE)


@cache
def _every() -> re.Pattern[str]:
    shown = [Translator(language).t(EVERY).partition("{hours}") for language in LANGUAGES]
    patterns = [rf"{re.escape(a.strip())}\s*(\d{{1,3}})\s*{re.escape(b.strip())}(?!\w)" for a, _, b in shown]
    patterns += [r"(?:every\s*|each\s*)?(\d{1,3})\s*(?:h|hrs?|hours?)\b", r"hourly\b|(?:every|each)\s+hour\b"]
    patterns += [r"每隔?\s*(\d{1,3})\s*个?個?(?:小时|小時|钟头)", r"每个?個?(?:小时|小時)"]
    return re.compile("|".join(patterns), re.IGNORECASE)


def _every_hours(hours: int, word: str, rest: Sequence[str]) -> tuple[Every, str]:
    if hours not in HOURS:
        near = min(HOURS, key=lambda known: (abs(known - hours), -known))
        raise NotUnderstood(word, stored(Every(near)) if hours < 24 else "daily 09:00")
    return Every(hours), _zone(rest, Every(hours))


def _monthly(words: Sequence[str]) -> tuple[Monthly, str]:
    days: list[int] = []
    bare = False  # whether the last day could also be an hour
    for word in words:
        match = _month_day().fullmatch(word)
        if match is None:
            break
        days.append(int(match[1]))
        bare = not match[2]
    rest = list(words[len(days) :])
    if len(days) > 1 and bare and not (rest and TIME.fullmatch(rest[0])):
        rest = [str(days.pop()), *rest]  # `monthly 1 9` is at nine
    near = ",".join(str(min(max(day, 1), 31)) for day in days) or "1"
    wrong = next((day for day in days if not 1 <= day <= 31), None)
    if wrong is not None or not days or not rest:
        word = str(wrong) if wrong is not None else " ".join(("monthly", *words))
        raise NotUnderstood(word, f"monthly {near} {_times_or_nine(rest)}")
    times, after = _times(f"monthly {near}", rest)
    recurrence = Monthly(tuple(sorted(set(days))), times)
    return recurrence, _zone(after, recurrence)


def _weekly(text: str, words: Sequence[str]) -> tuple[Recurrence, str]:
    if not words:
        raise NotUnderstood("", "daily 09:00")
    wanted: set[str] = set()
    rest = list(words)
    while rest and (found := _named_days(rest[0])):
        wanted.update(found)
        rest.pop(0)
    if not wanted and not TIME.fullmatch(rest[0]):
        raise NotUnderstood(rest[0], _nearest(rest[0], rest[1:]))
    days = tuple(day for day in DAYS if day in wanted) or DAYS  # a time alone means every day
    if not rest:
        raise NotUnderstood(text, stored(Weekly(days, (NINE,))))
    times, after = _times(stored(Weekly(days, (NINE,))).rpartition(" ")[0], rest)
    recurrence = Weekly(days, times)
    return recurrence, _zone(after, recurrence)


def _named_days(word: str) -> set[str]:
    name = _day_words().get(word.lower(), "")
    if name:
        return set(GROUPS.get(name, (name,)))
    chinese = CHINESE_DAY.findall(word)
    return {CHINESE_DAYS[day] for days in chinese for day in days} if not CHINESE_DAY.sub("", word) else set()


def _nearest(word: str, rest: Sequence[str]) -> str:
    """The nearest schedule to one whose first word is not known."""
    known = [*GROUPS, "monthly", *DAYS, *FULL_NAMES]
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.5) or ["daily"]
    try:
        recurrence, zone = parse(" ".join((near[0], *rest)))
    except NotUnderstood as exc:
        return exc.nearest
    return f"{stored(recurrence)} {zone}".strip()


def _times_or_nine(words: Sequence[str]) -> str:
    try:
        return _listed(_times("", words)[0], Translator()) if words else "09:00"
    except NotUnderstood:
        return "09:00"


def _times(before: str, words: Sequence[str]) -> tuple[tuple[time, ...], Sequence[str]]:
    """The times at the beginning, and the words after them. `before` is what was read of the schedule."""
    times: list[time] = []
    for word in words:
        if times and not TIME.fullmatch(word):
            break
        try:
            times.append(parse_time(word))
        except NotUnderstood as exc:
            so_far = [f"{at:%H:%M}" for at in times]
            raise NotUnderstood(exc.word, f"{before} {' and '.join((*so_far, exc.nearest))}") from exc
    return tuple(sorted(set(times))), words[len(times) :]


def _cron(words: Sequence[str]) -> tuple[Cron, str]:
    """Raises NotUnderstood, and NeverComes for a date like 31 February."""
    given = [field.upper() for field in (*words[:5], *ANY[len(words[:5]) :])]
    alone = [field if _comes([*ANY[:n], field, *ANY[n + 1 :]]) else ANY[n] for n, field in enumerate(given)]
    if alone != given or len(words) < 5:
        raise NotUnderstood(" ".join(words[:5]), f"cron {' '.join(_coming(alone))}")
    if not _comes(given):
        raise NeverComes(" ".join(words[:5]), f"cron {' '.join(_coming(given))}")
    recurrence = Cron(" ".join(given))
    return recurrence, _zone(words[5:], recurrence)


def _coming(fields: Sequence[str]) -> Sequence[str]:
    """The fields, with a day that every month has if they never come."""
    return fields if _comes(fields) else [*fields[:2], "28", *fields[3:]]


def _comes(fields: Sequence[str]) -> bool:
    try:
        return next(CronSim(" ".join(fields), datetime(2001, 1, 1)), None) is not None
    except CronSimError:
        return False


def occurrences(recurrence: Recurrence, zone: str, after: datetime) -> Iterator[datetime]:
    """The instants (UTC) of a recurrence after an instant, ascending, without end.

    A local time that does not exist is replaced by the first one after it that does; of one that exists
    twice the first is meant.
    """
    place = ZoneInfo(zone)
    start = after.astimezone(place).replace(tzinfo=None) - LONGEST_GAP
    last = after
    for local in merge(*(CronSim(cron, start) for cron in recurrence.crons)):
        instant = to_instant(local, place)
        if instant > last:
            yield instant
            last = instant


def next_run(recurrence: Recurrence, zone: str, after: datetime) -> datetime:
    """The first occurrence (UTC) after an instant."""
    return next(occurrences(recurrence, zone, after))
