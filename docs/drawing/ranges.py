"""Draws how often sources are read and how late their posts are, with a line for each kind of source."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from drawing.svg import box, document, text_at

WIDTH, TOP, LINE = 780, 108, 27
NAMES, BARS, DELAYS = 20, 160, 420  # where the columns begin
BAR_ROOM, DELAY_ROOM = 190, 320
TICKS = {1: "1 min", 10: "10 min", 60: "1 h", 360: "6 h"}
OURS, THEIRS = "series-a", "series-b"


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of source: requests a day, and the delays in minutes that half and 95 of 100 posts stay below.

    `others` are the delays of reads at the shortest interval. Without posts there are no delays.
    """

    name: str
    requests: float
    delays: tuple[float, float] | None
    others: tuple[float, float] | None


def ranges(title: str, most: float, rows: Sequence[Row]) -> str:
    """Draw the rows; `most` is the number of requests at the shortest interval."""
    height = TOP + LINE * len(rows) + 28
    bottom = TOP + LINE * len(rows) - 8
    shapes = [
        box(0, 0, WIDTH, height, "bar"),
        text_at(NAMES, 26, title, "name"),
        _line(NAMES, 45, NAMES + 22, OURS),
        text_at(NAMES + 30, 49, "Skywave", "small"),
        _line(NAMES + 110, 45, NAMES + 132, THEIRS),
        text_at(NAMES + 140, 49, f"a read each five minutes: {most:g} a day", "small"),
        text_at(BARS, TOP - 28, "requests a day", "small"),
        text_at(DELAYS, TOP - 28, "delay: half of the posts ● and 95 of 100 ○ come sooner", "small"),
    ]
    for minutes, label in TICKS.items():
        x = _at(minutes)
        shapes += [_rise(x, TOP - 16, bottom, "grid"), text_at(x, bottom + 18, label, "small middle")]
    shapes.append(_rise(BARS + BAR_ROOM, TOP - 16, bottom, THEIRS))
    shapes.append(text_at(BARS + BAR_ROOM, bottom + 18, f"{most:g}", "small middle"))
    for number, row in enumerate(rows):
        shapes += _row(row, most, TOP + LINE * number)
    return document(WIDTH, height, title, shapes)


def _row(row: Row, most: float, y: float) -> list[str]:
    long = max(row.requests / most * BAR_ROOM, 1)
    shapes = [
        text_at(NAMES, y + 5, row.name, "name" if row.name == "all" else ""),
        f'<rect class="{OURS} dot" x="{BARS}" y="{y - 6:g}" width="{long:.1f}" height="12"/>',
        text_at(BARS + long + 6, y + 4, f"{row.requests:.0f}", "small"),
    ]
    for delays, colour, shift in ((row.others, THEIRS, 5), (row.delays, OURS, -2)):
        if delays is not None:
            half, nearly_all = map(_at, delays)
            shapes += [
                _line(half, y + shift, nearly_all, colour),
                f'<circle class="{colour} dot" cx="{half:.1f}" cy="{y + shift:g}" r="4"/>',
                f'<circle class="bar" cx="{nearly_all:.1f}" cy="{y + shift:g}" r="4"/>',
                f'<circle class="{colour}" cx="{nearly_all:.1f}" cy="{y + shift:g}" r="4"/>',
            ]
    return shapes


def _at(minutes: float) -> float:
    return DELAYS + log10(max(minutes, 1)) / log10(max(TICKS)) * DELAY_ROOM


def _line(start: float, y: float, end: float, classes: str) -> str:
    return f'<polyline class="{classes}" points="{start:.1f},{y:g} {end:.1f},{y:g}"/>'


def _rise(x: float, top: float, bottom: float, classes: str) -> str:
    return f'<polyline class="{classes}" points="{x:.1f},{top:g} {x:.1f},{bottom:g}"/>'
