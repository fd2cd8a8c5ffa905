"""A platform-neutral tree of blocks and inlines: the only thing presenters return and renderers take.

Text in it is data: renderers escape it for their platform. Links are http(s) only; `link` builds them.
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
    """A link to `url`, which is http(s): build it with `link`, which drops any other scheme."""

    url: str
    children: tuple["Inline", ...]


@dataclass(frozen=True, slots=True)
class LineBreak:
    pass


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Text of which at most `limit` code points are shown; a renderer may show less, so that a page fits."""

    text: str
    limit: int


Inline = Text | Strong | Emphasis | Strike | CodeSpan | Link | LineBreak | Excerpt


@dataclass(frozen=True, slots=True)
class Heading:
    children: tuple[Inline, ...]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block of text. `tight`: no empty line before it, so that the lines of a page stay together."""

    children: tuple[Inline, ...]
    tight: bool = False


@dataclass(frozen=True, slots=True)
class ListBlock:
    """`start` is None for bullets, else the first number."""

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
    """A picture: shown where the platform can and the form allows, else its `alt` and link."""

    url: str
    alt: str = ""


Block = Heading | Paragraph | ListBlock | CodeBlock | Quote | Image


@dataclass(frozen=True, slots=True)
class Document:
    """What is shown. `single`: must become one message; its excerpts shrink evenly until it fits.

    `posts` are the store's ids of the posts that each top-level block carries, for a document that may be
    split into several messages: `carried[i]` belongs to `blocks[i]`; an empty tuple means none anywhere.
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
    except ValueError:
        return False


def link(url: str, *children: Inline) -> tuple[Inline, ...]:
    """`children` as a link to `url`, or as they are when `url` is not http(s)."""
    return (Link(url, children),) if is_web_url(url) else children


def text(content: str) -> tuple[Inline, ...]:
    """Plain text as inlines."""
    return (Text(content),)


def inline_text(nodes: Iterable[Inline]) -> str:
    """The characters of inlines without their marks: line breaks are line feeds, excerpts whole."""
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
    """The characters of a block without its marks; the blocks inside it are joined by line feeds."""
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
    """The document with every top-level excerpt replaced by what `shorten` makes of it."""

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
