"""HTML tables: those with data become tables, those that only arrange things become what they hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from content import document as doc
from content.document import Block
from content.spacing import in_inlines

Read = Callable[[LexborNode], tuple[Block, ...]]

_GROUPS = ("thead", "tbody", "tfoot")
_SPAN = 1000  # columns or rows of a cell, as in the HTML standard


@dataclass(frozen=True, slots=True)
class _Cell:
    node: LexborNode
    blocks: tuple[Block, ...]
    header: bool


def read_table(node: LexborNode, read: Read) -> Sequence[Block]:
    """The blocks of a table element; `read` makes the blocks of a cell or caption.

    A table with one column, or with more than a paragraph in a cell and without headers, only arranges what
    it holds.
    """
    captions = [child for child in _children(node) if child.tag == "caption"]  # broken HTML may have several
    title = in_inlines(block for caption in captions for block in read(caption))
    rows = [cells for row in _rows(node) if (cells := _cells(row, read))]
    above = [doc.Paragraph((doc.Emphasis(title),))] if title else []
    if not any(cell.blocks for row in rows for cell in row):
        return above
    if _only_arranges(rows):
        return [*above, *(block for row in rows for block in _without_numbers(row))]
    widest = min(max(sum(_span(cell.node, "colspan") for cell in row) for row in rows), _SPAN)
    shown = [
        tuple(_cell(cell, widest, len(rows) - number) for cell in row) for number, row in enumerate(rows)
    ]
    return [doc.Table(tuple(shown), title)]


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _rows(node: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """The rows of a table, but not of tables in it, and whether they are in its head."""
    for child in _children(node):
        if child.tag in _GROUPS:
            yield from ((row, child.tag == "thead") for row in _children(child) if row.tag == "tr")
        elif child.tag == "tr":
            yield child, False


def _cells(row: tuple[LexborNode, bool], read: Read) -> list[_Cell]:
    node, in_head = row
    cells = (child for child in _children(node) if child.tag in ("td", "th"))
    return [_Cell(cell, read(cell), in_head or cell.tag == "th") for cell in cells]


def _only_arranges(rows: Sequence[Sequence[_Cell]]) -> bool:
    cells = [cell for row in rows for cell in row]
    if max(map(len, rows)) == 1:
        return True
    return not any(cell.header for cell in cells) and not all(map(_is_simple, cells))


def _is_simple(cell: _Cell) -> bool:
    return len(cell.blocks) < 2 and all(isinstance(block, doc.Paragraph) for block in cell.blocks)


def _without_numbers(row: Sequence[_Cell]) -> Iterator[Block]:
    """The blocks of a row. Numbers of lines beside code are left out."""
    has_code = sum(isinstance(block, doc.CodeBlock) for cell in row for block in cell.blocks) > 1
    for cell in row:
        if not (has_code and all(map(_is_numbers, cell.blocks))):
            yield from cell.blocks


def _is_numbers(block: Block) -> bool:
    numbers = block.text.split() if isinstance(block, doc.CodeBlock) else []
    return bool(numbers) and numbers == [str(number) for number in range(1, len(numbers) + 1)]


def _cell(cell: _Cell, columns: int, rows: int) -> doc.Cell:
    """A cell that is no wider and no higher than what is left of its table."""
    colspan = min(_span(cell.node, "colspan"), columns)
    rowspan = min(_span(cell.node, "rowspan"), rows)
    return doc.Cell(in_inlines(cell.blocks), cell.header, colspan, rowspan)


def _span(node: LexborNode, name: str) -> int:
    value = node.attributes.get(name) or ""
    is_number = value.isascii() and value.isdecimal() and len(value) < 6
    return min(max(int(value), 1), _SPAN) if is_number else 1
