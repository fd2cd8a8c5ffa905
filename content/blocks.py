"""Turn sanitised HTML into the blocks and inlines of a document."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from selectolax.lexbor import LexborNode

from content import document as doc
from content.clean import UNREADABLE, parse
from content.document import Block, Inline

_DEEPEST = 60  # below this depth only the text is kept, so that recursion ends
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_STYLES: dict[str, Callable[[tuple[Inline, ...]], Inline]] = {
    **dict.fromkeys(("b", "strong", "dt", "summary", "th", "caption"), doc.Strong),
    **dict.fromkeys(("i", "em", "cite", "var", "dfn", "figcaption"), doc.Emphasis),
    **dict.fromkeys(("s", "strike", "del"), doc.Strike),
}
_CODE = frozenset(("code", "kbd", "samp", "tt"))
_OWN_PARAGRAPH_NAMES = (
    "address article aside body caption center dd details dialog div dl dt fieldset figcaption figure "
    "footer form header hgroup hr main nav p section summary"
)
_OWN_PARAGRAPH = frozenset(_OWN_PARAGRAPH_NAMES.split())
_SPACES = re.compile(r"\s+")

Item = Inline | Block


def to_blocks(html: str) -> tuple[Block, ...]:
    """The blocks of `html`, which must be sanitised. A row of a table becomes a line of text."""
    body = parse(html)
    return _into_blocks(_children(body, 0)) if body else ()


def _is_block(item: Item) -> bool:
    return isinstance(item, Block)


def _into_blocks(items: Iterable[Item]) -> tuple[Block, ...]:
    """Make a paragraph of each run of inlines; blocks stay as they are."""
    blocks: list[Block] = []
    run: list[Inline] = []
    for item in (*items, None):
        if item is not None and not isinstance(item, Block):
            run.append(item)
            continue
        if tidy := _tidy(run):
            blocks.append(doc.Paragraph(tidy))
        run = []
        if item is not None:
            blocks.append(item)
    return tuple(blocks)


def _children(node: LexborNode, depth: int) -> list[Item]:
    if depth > _DEEPEST:
        return [doc.Text(node.text(deep=True))]
    items: list[Item] = []
    child = node.first_child
    while child is not None:
        items += _items(child, depth + 1)
        child = child.next
    return items


def _items(node: LexborNode, depth: int) -> Sequence[Item]:
    tag = node.tag or ""
    if tag == "-text":
        return [doc.Text(_SPACES.sub(" ", node.text_content or ""))]
    if tag in UNREADABLE or tag.startswith("-"):  # lexbor names comments and the like with a dash
        return ()
    if leaf := _LEAVES.get(tag):
        return leaf(node)
    if tag in _CODE:
        return [doc.CodeSpan(node.text(deep=True))]
    if container := _CONTAINERS.get(tag):
        return container(node, depth)
    items = _children(node, depth)
    if tag in _HEADINGS:
        return _heading(items, _HEADINGS[tag])
    if tag == "a":
        return _around(items, lambda inner: doc.link(node.attributes.get("href") or "", *inner))
    if style := _STYLES.get(tag):
        items = _around(items, lambda inner: (style(inner),))
    return _into_blocks(items) if tag in _OWN_PARAGRAPH else items


def _around(items: Iterable[Item], wrap: Callable[[tuple[Inline, ...]], tuple[Inline, ...]]) -> list[Item]:
    """Wrap each run of inlines. Blocks between them stay outside, because an inline cannot hold a block."""
    wrapped: list[Item] = []
    for are_blocks, run in groupby(items, _is_block):
        inner = tuple(run)
        inlines = tuple(item for item in inner if not isinstance(item, Block))
        wrapped += inner if are_blocks or not _has_text(inlines) else wrap(inlines)
    return wrapped


def _heading(items: Iterable[Item], level: int) -> list[Item]:
    blocks = _into_blocks(items)
    return [doc.Heading(b.children, level) if isinstance(b, doc.Paragraph) else b for b in blocks]


# ---------------------------------------------------------------- elements that become a block or inline


def _image(node: LexborNode) -> Sequence[Item]:
    url = node.attributes.get("src") or ""
    alt = " ".join((node.attributes.get("alt") or "").split())
    return [doc.Image(url, alt)] if doc.is_web_url(url) else [doc.Text(alt)]


def _line_break(_node: LexborNode) -> Sequence[Item]:
    return [doc.LineBreak()]


def _code(node: LexborNode) -> Sequence[Item]:
    code = node.css_first("code")
    names = ((code or node).attributes.get("class") or "").split()
    found = next((name for name in names if name.startswith("language-")), "")
    return [doc.CodeBlock(node.text(deep=True).strip("\n"), found.removeprefix("language-"))]


def _rows(node: LexborNode) -> Sequence[Item]:
    """A table as a paragraph, as no platform shows tables: a line for each row, ` | ` between cells."""
    lines: list[Inline] = []
    for row in node.css("tr"):
        cells = [" ".join(cell.text(deep=True).split()) for cell in row.css("td, th")]
        line = doc.Text(" | ".join(cells))
        lines += [doc.LineBreak(), doc.Strong((line,)) if row.css_first("th") else line]
    return [doc.Paragraph(tuple(lines[1:]))] if lines else ()


def _quote(node: LexborNode, depth: int) -> Sequence[Item]:
    blocks = _into_blocks(_children(node, depth))
    return [doc.Quote(blocks)] if blocks else ()


def _list(node: LexborNode, depth: int) -> Sequence[Item]:
    items: list[tuple[Block, ...]] = []
    child = node.first_child
    while child is not None:
        if blocks := _into_blocks(_children(child, depth) if child.tag == "li" else _items(child, depth)):
            if child.tag == "li" or not items:
                items.append(blocks)
            else:  # a list directly inside a list belongs to the item before it
                items[-1] += blocks
        child = child.next
    return [doc.ListBlock(tuple(items), _start(node))] if items else ()


def _start(node: LexborNode) -> int | None:
    if node.tag != "ol":
        return None
    start = node.attributes.get("start") or ""
    return int(start) if start.isascii() and start.isdecimal() and len(start) < 10 else 1


_LEAVES: dict[str, Callable[[LexborNode], Sequence[Item]]] = {
    "img": _image,
    "br": _line_break,
    "pre": _code,
    "table": _rows,
}
_CONTAINERS: dict[str, Callable[[LexborNode, int], Sequence[Item]]] = {
    "ul": _list,
    "ol": _list,
    "blockquote": _quote,
}


# ---------------------------------------------------------------- white space between inlines


def _has_text(items: Iterable[Inline]) -> bool:
    return any(map(_is_seen, items))


def _is_seen(item: Inline) -> bool:
    match item:
        case doc.LineBreak() | doc.NoteMark():
            return True
        case doc.Text() | doc.CodeSpan() | doc.Formula() | doc.Excerpt():
            return bool(item.text.strip())
        case doc.Styled() | doc.Link() | doc.Jump():
            return _has_text(item.children)


def _tidy(run: Sequence[Inline]) -> tuple[Inline, ...]:
    """Collapse white space, and remove it at the ends of lines, with inlines that become empty there."""
    collapsed, _ = _collapsed(run, True)
    return _trimmed(collapsed)


def _collapsed(items: Iterable[Inline], after_space: bool) -> tuple[list[Inline], bool]:
    """`items` without white space after white space, and whether they end with white space."""
    kept: list[Inline] = []
    for item in items:
        match item:
            case doc.Text(text):
                text = text.lstrip() if after_space else text
                if not text:
                    continue
                item, after_space = doc.Text(text), text[-1].isspace()
            case doc.LineBreak():
                kept, after_space = list(_trimmed(kept)), True
                if not kept:
                    continue
            case doc.CodeSpan() | doc.Formula() | doc.NoteMark() | doc.Excerpt():  # white space is kept
                after_space = False
            case doc.Styled() | doc.Link() | doc.Jump():
                children, after_space = _collapsed(item.children, after_space)
                if not children:
                    continue
                item = replace(item, children=tuple(children))
        kept.append(item)
    return kept, after_space


def _trimmed(items: Sequence[Inline]) -> tuple[Inline, ...]:
    """`items` without white space and line breaks at the end."""
    kept = list(items)
    while kept:
        match last := kept.pop():
            case doc.Text():
                if text := last.text.rstrip():
                    return (*kept, doc.Text(text))
            case doc.Styled() | doc.Link() | doc.Jump():
                if children := _trimmed(last.children):
                    return (*kept, replace(last, children=children))
            case doc.LineBreak():
                continue
            case _:
                return (*kept, last)
    return ()
