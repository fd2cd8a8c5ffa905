"""A platform-neutral tree of blocks and inlines, which presenters build and the platforms' renderers take.

All text in it is data, which renderers escape for their platform. Links are http(s) only; `link` makes them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from content.urls import is_web_url


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Styled:
    """Inlines that look alike. Where a form cannot show a style, the text stays."""

    children: tuple["Inline", ...]


class Strong(Styled):
    __slots__ = ()


class Emphasis(Styled):
    __slots__ = ()


class Strike(Styled):
    __slots__ = ()


class Underline(Styled):
    __slots__ = ()


class Marked(Styled):
    """Text that is highlighted, as by a marker pen."""

    __slots__ = ()


class Sub(Styled):
    __slots__ = ()


class Sup(Styled):
    __slots__ = ()


class Spoiler(Styled):
    """Text that is hidden until the reader asks for it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CodeSpan:
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an http(s) URL. Use `link` to make one: it refuses every other scheme."""

    url: str
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """A link to the heading of that `name` in the same document. Its text stays where links cannot jump."""

    name: str
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class NoteMark:
    """Where the text refers to the footnote of that number."""

    number: int


@dataclass(frozen=True, slots=True)
class Formula:
    """A mathematical expression in TeX."""

    text: str


@dataclass(frozen=True, slots=True)
class LineBreak:
    pass


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text of which at most `limit` code points are shown. A renderer may cut more to make a page fit.

    `strong` are the start and end of each part to emphasise, in order and apart.
    """

    text: str
    limit: int
    strong: tuple[tuple[int, int], ...] = ()


Inline = Text | Styled | CodeSpan | Formula | Link | Jump | NoteMark | LineBreak | Excerpt


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6. A `name` is what a `Jump` leads to."""

    children: tuple[Inline, ...]
    level: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block of text. `tight`: without an empty line before it, as in the lines of a page.

    A paragraph with a `name` heads a part, as a heading does: a `Jump` leads to it.
    """

    children: tuple[Inline, ...]
    tight: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Byline(Paragraph):
    """The line that says where a post is from. A platform with places for these shows them there instead.

    `source` and `author` are names, empty if they are not to be shown; `at` is when the post was published.
    """

    source: str = ""
    author: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListBlock:
    """A list with bullets, or a numbered one whose first number is `start`."""

    items: tuple[tuple["Block", ...], ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class CodeBlock:
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture. A platform or form of message without pictures shows a link with its `alt` instead."""

    url: str
    alt: str = ""
    caption: tuple[Inline, ...] = ()


class MediaKind(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Media:
    """A sound or film. Where it cannot be played, it is a link with its `title`."""

    kind: MediaKind
    url: str
    title: str = ""
    caption: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, which may cover several columns and rows."""

    children: tuple[Inline, ...]
    header: bool = False
    colspan: int = 1
    rowspan: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table. A form without tables shows a line for each row, with ` | ` between the cells."""

    rows: tuple[tuple[Cell, ...], ...]
    caption: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks below a `summary`, folded until the reader opens them."""

    summary: tuple[Inline, ...]
    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote. The text refers to it with a `NoteMark` of the same number."""

    number: int
    blocks: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class FormulaBlock:
    """A mathematical expression in TeX, on lines of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Divider:
    """A line between two parts. Forms without lines leave it out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One post of a list: `head: body` on one line, or the body folded below its head."""

    head: tuple[Inline, ...]
    body: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """A table of contents: a title, and a jump to each part. Forms without jumps leave it out."""

    title: str
    parts: tuple[Jump, ...]


Block = (
    Heading
    | Paragraph
    | ListBlock
    | CodeBlock
    | Quote
    | Image
    | Media
    | Table
    | Details
    | Note
    | FormulaBlock
    | Divider
    | Entry
    | Contents
)


@dataclass(frozen=True, slots=True)
class Document:
    """A text to show. `single`: it must fit into one message, so its excerpts are cut evenly.

    A document that is not single may become several messages. `carried[i]` are the ids of the posts in
    `blocks[i]`, so that each message knows its posts; an empty tuple means that no block carries any.
    """

    blocks: tuple[Block, ...]
    single: bool = False
    carried: tuple[tuple[int, ...], ...] = ()


def link(url: str, *children: Inline) -> tuple[Inline, ...]:
    """`children` as a link to `url`, or unchanged if `url` is not http(s)."""
    return (Link(url, children),) if is_web_url(url) else children


def text(content: str) -> tuple[Inline, ...]:
    """Plain text as a sequence of inlines."""
    return (Text(content),)


def inline_text(nodes: Iterable[Inline]) -> str:
    """The plain text of inlines. A line break is a line feed; excerpts are not cut."""
    parts: list[str] = []
    for node in nodes:
        match node:
            case Text() | CodeSpan() | Formula() | Excerpt():
                parts.append(node.text)
            case LineBreak():
                parts.append("\n")
            case NoteMark():
                parts.append(f"[{node.number}]")
            case Styled() | Link() | Jump():
                parts.append(inline_text(node.children))
    return "".join(parts)


def block_text(block: Block) -> str:
    """The plain text of a block. Blocks inside it are joined by line feeds."""
    match block:
        case Heading() | Paragraph():
            return inline_text(block.children)
        case CodeBlock() | FormulaBlock():
            return block.text
        case Quote() | Note():
            return "\n".join(map(block_text, block.blocks))
        case ListBlock():
            return "\n".join(block_text(Quote(item)) for item in block.items)
        case Image():
            return _with_caption(block.alt.strip() or block.url, block.caption)
        case Media():
            return _with_caption(block.title.strip() or block.url, block.caption)
        case Table():
            return inline_text(in_lines(block).children)
        case Details():
            summary = [inline_text(block.summary)] if block.summary else []
            return "\n".join((*summary, *map(block_text, block.blocks)))
        case Entry():
            return inline_text(in_line(block).children)
        case Divider() | Contents():
            return ""


def _with_caption(label: str, caption: tuple[Inline, ...]) -> str:
    return f"{label}\n{inline_text(caption)}" if caption else label


def in_line(entry: Entry) -> Paragraph:
    """An entry of a list as one line."""
    rest = (Text(": "), *entry.body) if entry.body else ()
    return Paragraph((*entry.head, *rest), tight=True)


def in_lines(table: Table) -> Paragraph:
    """A table as a paragraph: its caption, then a line for each row."""
    nodes: list[Inline] = [Emphasis(table.caption)] if table.caption else []
    for row in table.rows:
        nodes += [LineBreak()] if nodes else []
        line = [node for cell in row for node in (Text(" | "), *cell.children)][1:]
        is_header = bool(row) and all(cell.header for cell in row)
        nodes += [Strong(tuple(line))] if is_header and line else line
    return Paragraph(tuple(nodes))


def map_excerpts(document: Document, shorten: Callable[[Excerpt], str]) -> Document:
    """Replace every excerpt by a text that `shorten` makes of it: its beginning, perhaps with dots."""

    def inlines(nodes: Sequence[Inline]) -> tuple[Inline, ...]:
        shortened: list[Inline] = []
        for node in nodes:
            if isinstance(node, Excerpt):
                shortened += emphasised(node, shorten(node))
            elif isinstance(node, Styled | Link | Jump):
                shortened.append(replace(node, children=inlines(node.children)))
            else:
                shortened.append(node)
        return tuple(shortened)

    def cell(node: Cell) -> Cell:
        return replace(node, children=inlines(node.children))

    def block(node: Block) -> Block:
        match node:
            case Heading() | Paragraph():
                return replace(node, children=inlines(node.children))
            case ListBlock():
                return replace(node, items=tuple(tuple(map(block, item)) for item in node.items))
            case Quote() | Note():
                return replace(node, blocks=tuple(map(block, node.blocks)))
            case Details():
                inner = tuple(map(block, node.blocks))
                return replace(node, summary=inlines(node.summary), blocks=inner)
            case Entry():
                return replace(node, head=inlines(node.head), body=inlines(node.body))
            case Image() | Media():
                return replace(node, caption=inlines(node.caption))
            case Table():
                rows = tuple(tuple(map(cell, row)) for row in node.rows)
                return replace(node, rows=rows, caption=inlines(node.caption))
            case CodeBlock() | FormulaBlock() | Divider() | Contents():
                return node

    return replace(document, blocks=tuple(map(block, document.blocks)))


def emphasised(node: Excerpt, shown: str) -> list[Inline]:
    """What is shown of an excerpt, with the parts that are emphasised."""
    if not node.strong:
        return [Text(shown)]
    pairs = zip(node.text, shown, strict=False)
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), len(shown))  # but for dots
    pieces: list[Inline] = []
    done = 0
    for start, end in node.strong:
        if start < min(end, same):
            pieces += [Text(shown[done:start]), Strong(text(shown[start : min(end, same)]))]
            done = min(end, same)
    return [piece for piece in (*pieces, Text(shown[done:])) if piece != Text("")]


def without_images(blocks: Iterable[Block]) -> list[Block]:
    """The blocks without pictures, at any depth."""
    kept: list[Block] = []
    for block in blocks:
        match block:
            case Image():
                continue
            case Quote() | Note() | Details():
                block = replace(block, blocks=tuple(without_images(block.blocks)))
            case ListBlock():
                block = replace(block, items=tuple(tuple(without_images(item)) for item in block.items))
        kept.append(block)
    return kept
