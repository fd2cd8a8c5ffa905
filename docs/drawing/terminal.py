"""Draws a terminal window with Skywave's output, or with output of rich."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.color import Color
from rich.console import Console, RenderableType
from rich.segment import Segment

from drawing.svg import box, document, spans, text_at
from drawing.text import Line, Styled, cells, is_wide, plain
from scheduler.types import Payload

COLUMNS, ROWS = 92, 34
CELL = 8.43  # pixels of a column at 14 pixels


def of_terminal(payload: Payload) -> list[Styled]:
    spans = payload["spans"]
    return [
        Styled(character, ("screen-text", *(str(kind) for start, end, kind, _ in spans if start <= at < end)))
        for at, character in enumerate(payload["text"])
    ]


def of_rich(drawn: RenderableType, columns: int) -> Iterator[Line]:
    """The output of rich in so many columns."""
    console = Console(width=columns, force_terminal=True, color_system="truecolor", legacy_windows=False)
    bars = {
        console.get_style(f"bar.{part}").color: f"bar-{part}" for part in ("back", "complete", "finished")
    }
    for line in console.render_lines(drawn):
        yield [one for segment in line for one in _of_segment(segment, bars)]


def _of_segment(segment: Segment, bars: Mapping[Color | None, str]) -> list[Styled]:
    style = segment.style
    bold = ("strong",) if style and style.bold else ()
    bar = (bars[style.color],) if style and style.color in bars else ()
    return plain(segment.text, "screen-text", *bold, *bar)


def _cells(line: Line) -> str:
    """Write a line so that wide characters take two cells, even in fonts that make them narrower."""
    if not any(is_wide(one.character) for one in line):
        return spans(line)
    parts, x = [], 18.0
    for wide, run in groupby(line, lambda one: is_wide(one.character)):
        run = list(run)
        width = sum(map(cells, run)) * CELL
        extra = f' class="wide" textLength="{width:g}"' if wide else ""
        parts.append(f'<tspan x="{x:g}"{extra}>{spans(run)}</tspan>')
        x += width
    return "".join(parts)


def terminal_svg(title: str, lines: Sequence[Line], columns: int = COLUMNS) -> str:
    """The window, scrolled to its last line."""
    lines = lines[-ROWS:]
    width, height = columns * CELL + 2 * 18, len(lines) * 20 + 62
    dots = [
        f'<circle cx="{x}" cy="20" r="5.5" fill="{fill}"/>'
        for x, fill in ((22, "#ff5f57"), (40, "#febc2e"), (58, "#28c840"))
    ]
    texts = [text_at(18, 56 + 20 * number, _cells(line), "mono") for number, line in enumerate(lines)]
    return document(round(width), height, title, [box(0, 0, round(width), height, "screen"), *dots, *texts])
