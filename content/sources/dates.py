"""Dates as people write them in feeds and front matter."""

from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime

_FORMATS = (
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M %z",
    "%Y/%m/%d %H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%m/%d/%Y",
)


def to_utc(value: object) -> datetime | None:
    """`value`, a datetime, a date or a text, in UTC; without a zone it is UTC. None when it is no date.

    Dates before 1970 are the zero values of generators (`0001-01-01`), and no dates either.
    """
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return _aware(datetime.combine(value, time()))
    return _from_text(value.strip()) if isinstance(value, str) else None


def _aware(value: datetime) -> datetime | None:
    try:
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None
    return aware if aware.year >= 1970 else None


def _from_text(value: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _aware(read(value))
        except (ValueError, OverflowError):
            continue
    for form in _FORMATS:
        try:
            return _aware(datetime.strptime(value, form))
        except ValueError:
            continue
    return None
