"""Tables: drawn for a person at a terminal, lines with tabs for a pipe."""

import sys
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.common import warn
from bot.visible import visible_line

# These columns are read, and go on in the next line where the terminal is too narrow. All others hold
# what is copied or given as an argument: a terminal may break their lines, but nothing is cut.
PROSE = ("title", "heading", "reason", "state")
PROSE_WIDTH = 20  # so many characters of a line, at least
GAP = 2


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A table of outside texts, without anything that a terminal obeys; `empty` is said if it has no rows."""
    lines = [[visible_line(str(cell)).replace("\t", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        print(*("\t".join(line) for line in (columns, *lines)), sep="\n")
    elif lines:
        draw_table(Console(highlight=False), columns, lines)
    if not lines:
        warn(empty)


def draw_table(console: Console, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    narrowest = 0
    for name, *cells in zip(columns, *lines, strict=True):
        prose = name in PROSE
        table.add_column(name, no_wrap=not prose, overflow="fold" if prose else "ignore")
        widest = max(map(cell_len, (name, *cells)))
        narrowest += GAP + (min(widest, PROSE_WIDTH) if prose else widest)
    for line in lines:
        table.add_row(*map(Text, line))
    console.width = max(console.width, narrowest)
    console.print(table, crop=False)
