"""Plots how cost grows: one panel for each measure, with the number of deliveries on a logarithmic axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from drawing.svg import box, document, text_at

WIDTH, HEIGHT = 780, 300
TOP, BOTTOM, GAP, MARGIN = 78, 44, 62, 56
COLOURS = ("series-a", "series-b")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A measure over the number of deliveries, with a line for each series. `ticks` are vertical."""

    heading: str
    ticks: Sequence[float]
    series: Mapping[str, Points]


def plot(title: str, panels: Sequence[Panel]) -> str:
    """Draw panels side by side under one legend."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    room = (WIDTH - MARGIN - GAP * (len(panels) - 1) - 20) / len(panels)
    shapes = [box(0, 0, WIDTH, HEIGHT, "bar"), text_at(MARGIN, 26, title, "name")]
    for number, name in enumerate(names):
        x = MARGIN + 230 * number
        shapes += [_line([(x, 45), (x + 22, 45)], COLOURS[number]), text_at(x + 30, 49, name, "small")]
    for number, panel in enumerate(panels):
        shapes += _panel(panel, names, MARGIN + number * (room + GAP), room)
    return document(WIDTH, HEIGHT, title, shapes)


def _panel(panel: Panel, names: Sequence[str], left: float, room: float) -> list[str]:
    counts = [log10(x) for points in panel.series.values() for x, _ in points]
    first, last = floor(min(counts)), ceil(max(counts))
    bottom, height = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP - 18

    def at(x: float, y: float) -> tuple[float, float]:
        right = (log10(x) - first) / (last - first) * room
        return left + right, bottom - y / panel.ticks[-1] * height

    shapes = [text_at(left - 20, TOP, panel.heading, "small")]
    for tick in panel.ticks:
        _, y = at(10.0**first, tick)
        shapes += [
            _line([(left, y), (left + room, y)], "grid"),
            text_at(left - 6, y + 4, f"{tick:,g}", "small end"),
        ]
    for exponent in range(first, last + 1):
        x, _ = at(10.0**exponent, 0)
        label = {3: "1k", 4: "10k", 5: "100k", 6: "1M"}.get(exponent, str(10**exponent))
        shapes.append(text_at(x, bottom + 20, label, "small middle"))
    for name, points in panel.series.items():
        colour, places = COLOURS[names.index(name)], [at(x, y) for x, y in points]
        shapes.append(_line(places, colour))
        shapes += [f'<circle class="{colour} dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
    return shapes


def _line(points: Points, classes: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{classes}" points="{path}"/>'
