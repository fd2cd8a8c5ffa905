"""Quiet hours: the part of each day in which a chat is sent nothing by itself. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.timetable.recurrences import LONGEST_GAP, NotUnderstood, find_zone, parse_time, to_instant

NIGHT = "22:00-08:00"
# Between the two times, as people write it; the zone may follow.
HOURS = re.compile(
    r"(?:from\s+|从\s*)?(?P<start>[^\s–—~至到-]+(?:\s+[ap]m)?)\s*(?:-|–|—|~|至|到|to\b|until\b)\s*"
    r"(?P<end>\S+(?:\s+[ap]m\b)?)(?P<zone>.*)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Period:
    """One night, or whenever it is quiet, in UTC; `end` is not quiet any more."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end`, in local time of `zone`, every day; the end may be on the next day."""

    start: time
    end: time
    zone: str = ""

    def __str__(self) -> str:
        """The one way in which they are stored and shown; `parse` reads it back."""
        return f"{self.times} {self.zone}".strip()

    @property
    def times(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def period(self, now: datetime) -> Period:
        """The period that lasts now, or else the next."""
        return next(self._ending_after(now))

    def after(self, instant: datetime) -> datetime:
        """The instant itself, or the end of the quiet hours around it."""
        period = self.period(instant)
        # Where clocks change, a period may begin as the one before it ends.
        return self.after(period.end) if period.start <= instant else instant

    def _ending_after(self, now: datetime) -> Iterator[Period]:
        place = ZoneInfo(self.zone)
        day = (now.astimezone(place) - 2 * LONGEST_GAP).date()
        while True:
            last = day + timedelta(days=self.end < self.start)
            start = to_instant(datetime.combine(day, self.start), place)
            end = to_instant(datetime.combine(last, self.end), place)
            if now < end and start < end:
                yield Period(start, end)
            day += timedelta(days=1)


def parse(text: str) -> QuietHours:
    """Quiet hours, with the time zone after them if one is given: `22:00-08:00`, `22点到8点`, `10pm to 8 am`.

    Raises NotUnderstood with the nearest valid form.
    """
    match = HOURS.fullmatch(text.strip())
    if match is None:
        raise NotUnderstood(text.strip(), NIGHT)
    start, end = _time(match["start"], "{}-08:00"), _time(match["end"], "22:00-{}")
    hours = QuietHours(start, end)
    if start == end:
        raise NotUnderstood(hours.times, NIGHT)
    zone = match["zone"].strip()
    return replace(hours, zone=find_zone(zone, hours.times)) if zone else hours


def stored(text: str) -> QuietHours | None:
    """Those of a chat's row; None if it has none."""
    return parse(text) if text else None


def _time(text: str, form: str) -> time:
    try:
        return parse_time(text.replace(" ", ""))
    except NotUnderstood as exc:
        raise NotUnderstood(exc.word, form.format(exc.nearest)) from exc
