"""Tables: drawn for a person at a terminal, tab-separated lines for a pipe. Only drawing loads rich."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bot.cli.common import warn
from bot.visible import visible_line

if TYPE_CHECKING:
    from rich.console import Console

# Columns of prose, which are wrapped if the terminal is too narrow. All other columns hold values that people
# copy, so they are never wrapped or cut; the terminal itself may break their lines.
PROSE = ("title", "heading", "reason", "state")
PROSE_WIDTH = 20  # least width of a column of prose, in terminal cells
GAP = 2  # cells between columns


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table; control characters in its cells are replaced. Without rows, warn with `empty`."""
    lines = [[visible_line(str(cell)).replace("\t", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        print(*("\t".join(line) for line in (columns, *lines)), sep="\n")
    elif lines:
        from rich.console import Console

        draw_table(Console(highlight=False), columns, lines)
    if not lines:
        warn(empty)


def draw_table(console: "Console", columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    narrowest = 0
    for name, *cells in zip(columns, *lines, strict=True):
        prose = name in PROSE
        table.add_column(name, no_wrap=not prose, overflow="fold" if prose else "ignore")
        widest = max(map(cell_len, (name, *cells)))
        narrowest += GAP + (min(widest, PROSE_WIDTH) if prose else widest)
    for line in lines:
        table.add_row(*map(Text, line))
    # Rich would cut cells to fit the terminal; a table that is too wide keeps them whole.
    console.width = max(console.width, narrowest)
    console.print(table, crop=False)
