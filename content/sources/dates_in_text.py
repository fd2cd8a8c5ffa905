"""Find the date in a line of a web page: absolute ones, those without a year, and "3 days ago"."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from content.sources.dates import to_utc

LONGEST = 200  # characters of a line that are looked at
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_TIME = (
    r"(?:[T\s,，]{1,3}(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\.\d{1,9})?"
    r"(?P<half>\s?[ap]m)?)?"
)
_ZONE = r"(?:\s?(?P<zone>z\b|[+-]\d\d:?\d\d))?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WRITTEN = [
    re.compile(rf"(?<![\d.]){form}{_TIME}{_ZONE}", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})\s?[-/.]\s?(?P<month>\d{1,2})\s?[-/.]\s?(?P<day>\d{1,2})(?!\d)",
        r"(?P<year>\d{4})\s?年\s?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号]?",
        rf"\b{_MONTH}\s{{0,2}}{_DAY}(?:,?\s{{0,2}}(?P<year>\d{{4}})\b|(?!\d))",
        rf"{_DAY}\.?\s?{_MONTH},?(?:\s{{0,2}}(?P<year>\d{{4}})\b)?",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?!\d)",
        # A day beside its month, as in "14 2026-07", or a day of a month beside its year.
        r"(?P<day>\d{1,2})\s(?P<year>\d{4})\s?[-/.年]\s?(?P<month>\d{1,2})月?(?![\d-])",
        r"(?P<year>\d{4})\s?[-/.年]\s?(?P<month>\d{1,2})月?\s(?P<day>\d{1,2})(?!\d)",
        r"(?P<month>\d{1,2})[-/](?P<day>\d{1,2})\s(?P<year>\d{4})(?!\d)",
        r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?!\d)",
        r"(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号]",
    )
]
# Without a year and without words, only a line of its own is a date.
_ALONE = re.compile(rf"[\[(（【]?(?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})[\])）】]?{_TIME}", re.IGNORECASE)
_UNITS = {
    **dict.fromkeys(("second", "sec", "秒"), timedelta(seconds=1)),
    **dict.fromkeys(("minute", "min", "分钟", "分鐘"), timedelta(minutes=1)),
    **dict.fromkeys(("hour", "hr", "小时", "小時"), timedelta(hours=1)),
    **dict.fromkeys(("day", "天", "日"), timedelta(days=1)),
    **dict.fromkeys(("week", "周", "週", "星期"), timedelta(days=7)),
    **dict.fromkeys(("month", "个月", "個月"), timedelta(days=30)),
    **dict.fromkeys(("year", "年"), timedelta(days=365)),
}
_AGO = re.compile(
    r"\b(?P<count>\d{1,3}|an?|one)\s(?P<unit>second|sec|minute|min|hour|hr|day|week|month|year)s?\sago\b"
    r"|(?<!\d)(?P<number>\d{1,3})\s?(?P<counter>秒|分[钟鐘]|小[时時]|天|日|周|週|星期|[个個]月|年)\s?前",
    re.IGNORECASE,
)
_DAYS_AGO = {"today": 0, "今天": 0, "yesterday": 1, "昨天": 1, "前天": 2}
_NAMED_DAY = re.compile(rf"(?P<named>\btoday\b|\byesterday\b|今天|昨天|前天){_TIME}", re.IGNORECASE)
_JUST_NOW = re.compile(r"\bjust\snow\b|刚刚|剛剛", re.IGNORECASE)


def date_in(text: str, now: datetime) -> datetime | None:
    """The first date in a line of text, in UTC; None without one. A date without a zone is UTC.

    A date without a year is the last such day. "3 days ago" counts from `now`.
    """
    line = " ".join(text.split())[:LONGEST]
    for found in _matches(line):
        if (date := _date(found, now)) is not None:
            return date
    return _relative(line, now)


def _matches(line: str) -> Iterable[re.Match[str]]:
    for form in _WRITTEN:
        yield from form.finditer(line)
    if alone := _ALONE.fullmatch(line.strip()):
        yield alone


def _date(found: re.Match[str], now: datetime) -> datetime | None:
    parts = found.groupdict()
    name = (parts.get("name") or "")[:3].lower()
    month = _MONTHS.index(name) + 1 if name else int(parts["month"])
    if parts.get("year"):
        return _moment(int(parts["year"]), month, parts)
    this_year = _moment(now.year, month, parts)
    is_ahead = this_year is None or this_year > now + timedelta(days=1)
    return _moment(now.year - 1, month, parts) if is_ahead else this_year


def _moment(year: int, month: int, parts: dict[str, str | None]) -> datetime | None:
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    half = (parts.get("half") or "").strip().lower()
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    zone = (parts.get("zone") or "").upper().replace(":", "")
    day = int(parts["day"] or 0)
    return to_utc(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")


def _relative(line: str, now: datetime) -> datetime | None:
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], datetime | None]], ...] = (
        (_AGO, _ago),
        (_NAMED_DAY, _named_day),
        (_JUST_NOW, lambda _found, moment: moment),
    )
    return next((read(found, now) for form, read in readers if (found := form.search(line))), None)


def _ago(found: re.Match[str], now: datetime) -> datetime | None:
    count, unit = found["count"] or found["number"], (found["unit"] or found["counter"]).lower()
    return to_utc(now - int(count if count.isdecimal() else 1) * _UNITS[unit])


def _named_day(found: re.Match[str], now: datetime) -> datetime | None:
    day = now - timedelta(days=_DAYS_AGO[found["named"].lower()])
    return _moment(day.year, day.month, {**found.groupdict(), "day": str(day.day)})
