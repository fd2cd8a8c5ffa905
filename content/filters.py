"""The values of a query's filters, and the nearest valid form of one that is not valid."""

import re
from calendar import monthrange
from contextlib import suppress
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date

# What `text.language` sorts posts into.
_LANGUAGES = ("en", "zh")
_EXAMPLES = {"source": "notes", "author": "Ada", "tag": "LoRA", "before": "2026-01-31", "after": "2026-01-31"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A filter that is not valid, as typed, and the nearest one that is."""

    typed: str
    nearest: str


def day(value: str) -> date | None:
    """The day of `before:` or `after:`."""
    with suppress(ValueError):
        return date.fromisoformat(value)
    return None


def language_named(value: str) -> str:
    """The language of `lang:`, also from a tag like zh-CN; empty if posts are not sorted by it."""
    language = value.replace("_", "-").split("-")[0].lower()
    return language if language in _LANGUAGES else ""


def nearest(name: str, value: str) -> str:
    """The valid filter that is nearest to one that is not valid, or that must not be excluded."""
    if name in ("before", "after"):
        return f"{name}:{_nearest_day(value)}"
    if name == "lang":
        return f"lang:{language_named(value) or _nearest_language(value)}"
    value = value or _EXAMPLES[name]
    return f'{name}:"{value}"' if " " in value else f"{name}:{value}"


def _nearest_day(value: str) -> str:
    """The day that the numbers of `value` come nearest to."""
    numbers = [int(digits) for digits in re.findall(r"\d{1,4}", value)[:3]]
    if day(value) or not numbers or not MINYEAR <= numbers[0] <= MAXYEAR or numbers[0] < 100:
        return value if day(value) else _EXAMPLES["after"]
    year, month, number = (*numbers, 1, 1)[:3]
    month = min(max(month, 1), 12)
    return date(year, month, min(max(number, 1), monthrange(year, month)[1])).isoformat()


def _nearest_language(value: str) -> str:
    return "zh" if value[:1].lower() == "c" or value[:1] in "中汉漢简繁" else "en"
