"""Parse dates as they are written in feeds and front matter."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache

_FORMATS = (
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%B %d, %Y %H:%M:%S",
    "%B %d, %Y %H:%M",
    "%B %d, %Y %I:%M %p",
    "%B %d, %Y",
    "%b %d, %Y %H:%M:%S",
    "%b %d, %Y %H:%M",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y",
    "%d %B %Y %H:%M:%S",
    "%d %B %Y",
    "%d %b %Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
)
# A time zone after a time: +0800 and GMT (RFC 822), +08:00 and Z (ISO 8601), and GMT+8, UTC or JST, which
# programs write that follow neither standard. GMT+8 means eight hours ahead of GMT.
_ZONE = re.compile(
    r"(?P<time>\d:\d\d(?:[.,]\d+)?(?: ?[AaPp][Mm])?)\s*"
    r"(?:(?P<name>[A-Za-z]{1,4})?\s*(?P<sign>[+\-−])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?|(?P<alone>[A-Za-z]{1,4}))"
    r"(?:\s*\([^()]{0,40}\))?$"
)
_UTC = {"", "gmt", "utc", "ut", "z"}
# Hours ahead of UTC, for zone names that are not ambiguous. RFC 822 defines the North American ones.
_NAMES = {
    **dict.fromkeys(_UTC, 0),
    **{"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7},
    **{"wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3},
    **{"hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13},
}
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_RFC_822 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d\d?) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4})"
    r" (\d\d):([0-5]\d):([0-5]\d) (?:GMT|UTC|([+-](?:0\d|1[0-4])[0-5]\d))",
    re.ASCII,
)
_LONGEST = 100  # characters
_LEAP_SECOND = re.compile(r"(\d:\d\d):60(?!\d)")


def to_utc(value: object) -> datetime | None:
    """A datetime, a date or a text as a time in UTC, or None if it is no date. Without a zone it is UTC.

    Dates before 1970 count as no date: they are the zero values of site generators (`0001-01-01`).
    """
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return _aware(datetime.combine(value, time()))
    return _from_text(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else None


def _aware(value: datetime) -> datetime | None:
    try:
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None
    return aware if aware.year >= 1970 else None


@lru_cache(maxsize=2048)  # the date of a post is asked for several times
def _from_text(value: str) -> datetime | None:
    if (found := _RFC_822.fullmatch(value)) and (common := _common(found)):
        return _aware(common)
    value = _LEAP_SECOND.sub(r"\1:59", value)
    try:
        return _aware(datetime.fromisoformat(value))
    except ValueError:
        pass
    # Zones come first, because the parsers of the standard library ignore a zone that they do not know.
    if (zoned := _ZONE.search(value)) and (zone := _zone(zoned)) is not None:
        local = _local(value[: zoned.end("time")])
        return None if local is None else _aware(local.replace(tzinfo=zone))
    local = _local(value)
    return None if local is None else _aware(local)


def _common(found: re.Match[str]) -> datetime | None:
    """A date in the form that nearly all feeds use."""
    day, month, year, hour, minute, second, zone = found.groups()
    ahead = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:])) if zone else timedelta()
    number = _MONTHS.index(month) // 3 + 1
    try:
        local = datetime(
            int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=timezone(ahead)
        )
    except ValueError:
        return None
    return local


def _zone(found: re.Match[str]) -> timezone | None:
    if found["alone"] is not None:
        hours = _NAMES.get(found["alone"].lower())
        return None if hours is None else timezone(timedelta(hours=hours))
    if (found["name"] or "").lower() not in _UTC:
        return None
    digits, minutes = found["hours"], int(found["minutes"] or 0)
    ahead = timedelta(hours=int(digits), minutes=minutes)
    if minutes >= 60 or ahead >= timedelta(days=1):
        return None
    return timezone(ahead if found["sign"] == "+" else -ahead)


def _local(value: str) -> datetime | None:
    readers = [datetime.fromisoformat]
    if not value.endswith(("M", "m")):  # it reads 8:09 PM as a time in the morning
        readers.append(parsedate_to_datetime)
    for read in readers:
        try:
            return read(value)
        except (ValueError, OverflowError):
            continue
    for form in _FORMATS:
        try:
            return datetime.strptime(value, form)
        except ValueError:
            continue
    return None
