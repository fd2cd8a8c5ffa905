"""Tables as aligned text for a code block: Discord's Markdown has no tables."""

from collections.abc import Iterable
from itertools import product

from rich.cells import cell_len

from bot.platforms.flat import flatten
from content.document import Cell, Document, Inline, Link, Paragraph, Spoiler, Styled, Table

WIDTH = 48  # columns of a code block that phones show without breaking lines
MOST_CELLS = 400  # a table with more is not narrow, whatever it holds
_GAP = "  "


def as_code(table: Table) -> str | None:
    """The table with aligned columns; None if it is too wide, or has what code would not show.

    A rule follows a first row of headers. Chinese and Japanese characters are two columns wide.
    """
    cells = [cell for row in table.rows for cell in row]
    area = sum(max(cell.colspan, 1) * max(cell.rowspan, 1) for cell in cells)
    if area > MOST_CELLS or any(_is_lost(cell.children) for cell in cells):
        return None
    grid = _grid(table)
    widths = [max(map(cell_len, column)) for column in zip(*grid, strict=True)]
    if not any(widths) or sum(widths) + len(_GAP) * (len(widths) - 1) > WIDTH:
        return None
    lines = [_GAP.join(map(_padded, row, widths)).rstrip() for row in grid]
    if all(cell.header for cell in table.rows[0]) and len(lines) > 1:
        lines.insert(1, _GAP.join("─" * width for width in widths))
    return "\n".join(lines)


def _is_lost(nodes: Iterable[Inline]) -> bool:
    """Whether code would show a link without its URL, or text that was to be hidden."""
    return any(
        isinstance(node, Link | Spoiler) or (isinstance(node, Styled) and _is_lost(node.children))
        for node in nodes
    )


def _grid(table: Table) -> list[list[str]]:
    """The text at each place; a cell that covers several places has its text in the first."""
    places: dict[tuple[int, int], str] = {}
    for y, row in enumerate(table.rows):
        x = 0
        for cell in row:
            while (y, x) in places:
                x += 1
            high, wide = min(max(cell.rowspan, 1), len(table.rows) - y), max(cell.colspan, 1)
            places |= {(y + dy, x + dx): "" for dy, dx in product(range(high), range(wide))}
            places[y, x] = _text(cell)
    columns = max((x for _, x in places), default=-1) + 1
    return [[places.get((y, x), "") for x in range(columns)] for y in range(len(table.rows))]


def _text(cell: Cell) -> str:
    return flatten(Document((Paragraph(cell.children),))).text.replace("\n", " ")


def _padded(content: str, width: int) -> str:
    return content + " " * (width - cell_len(content))
