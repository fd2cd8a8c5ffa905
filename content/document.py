"""A platform-neutral tree of blocks and inlines, which presenters build and the platforms' renderers take.

All text in it is data, which renderers escape for their platform. Links are http(s) only; `link` makes them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class Emphasis:
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class Strike:
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class CodeSpan:
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an http(s) URL. Use `link` to make one: it refuses every other scheme."""

    url: str
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class LineBreak:
    pass


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text of which at most `limit` code points are shown. A renderer may cut more to make a page fit."""

    text: str
    limit: int


Inline = Text | Strong | Emphasis | Strike | CodeSpan | Link | LineBreak | Excerpt


@dataclass(frozen=True, slots=True)
class Heading:
    children: tuple[Inline, ...]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block of text. `tight`: without an empty line before it, as in the lines of a page."""

    children: tuple[Inline, ...]
    tight: bool = False


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


Block = Heading | Paragraph | ListBlock | CodeBlock | Quote | Image


@dataclass(frozen=True, slots=True)
class Document:
    """A text to show. `single`: it must fit into one message, so its excerpts are cut evenly.

    A document that is not single may become several messages. `carried[i]` are the ids of the posts in
    `blocks[i]`, so that each message knows its posts; an empty tuple means that no block carries any.
    """

    blocks: tuple[Block, ...]
    single: bool = False
    carried: tuple[tuple[int, ...], ...] = ()


def is_web_url(url: str) -> bool:
    """Whether `url` is an absolute http(s) URL with a host and no control or white-space characters."""
    if " " in url or not url.isprintable():  # no other white space is printable
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:  # for instance an IPv6 address without its closing bracket
        return False


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
            case Text() | CodeSpan() | Excerpt():
                parts.append(node.text)
            case LineBreak():
                parts.append("\n")
            case Strong() | Emphasis() | Strike() | Link():
                parts.append(inline_text(node.children))
    return "".join(parts)


def block_text(block: Block) -> str:
    """The plain text of a block. Blocks inside it are joined by line feeds."""
    match block:
        case Heading() | Paragraph():
            return inline_text(block.children)
        case CodeBlock():
            return block.text
        case Quote():
            return "\n".join(map(block_text, block.blocks))
        case ListBlock():
            return "\n".join(block_text(Quote(item)) for item in block.items)
        case Image():
            return block.alt.strip() or block.url


def map_excerpts(document: Document, shorten: Callable[[Excerpt], str]) -> Document:
    """Replace every excerpt by a text that `shorten` makes of it."""

    def inline(node: Inline) -> Inline:
        if isinstance(node, Excerpt):
            return Text(shorten(node))
        if isinstance(node, Strong | Emphasis | Strike | Link):
            return replace(node, children=inlines(node.children))
        return node

    def inlines(nodes: Sequence[Inline]) -> tuple[Inline, ...]:
        return tuple(inline(node) for node in nodes)

    def block(node: Block) -> Block:
        match node:
            case Heading() | Paragraph():
                return replace(node, children=inlines(node.children))
            case ListBlock():
                return replace(node, items=tuple(tuple(map(block, item)) for item in node.items))
            case Quote():
                return replace(node, blocks=tuple(map(block, node.blocks)))
            case _:
                return node

    return replace(document, blocks=tuple(map(block, document.blocks)))


def without_images(blocks: Iterable[Block]) -> list[Block]:
    """The blocks without pictures, at any depth."""
    kept: list[Block] = []
    for block in blocks:
        match block:
            case Image():
                continue
            case Quote():
                block = replace(block, blocks=tuple(without_images(block.blocks)))
            case ListBlock():
                block = replace(block, items=tuple(tuple(without_images(item)) for item in block.items))
        kept.append(block)
    return kept
