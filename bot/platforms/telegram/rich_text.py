"""The text inside the blocks of a rich message: strings, formatted parts, links and references to notes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from bot.platforms.flat import clean_line, is_visible
from content.document import (
    CodeSpan,
    Emphasis,
    Excerpt,
    Formula,
    Inline,
    Jump,
    LineBreak,
    Link,
    Marked,
    NoteMark,
    Spoiler,
    Strike,
    Strong,
    Styled,
    Sub,
    Sup,
    Text,
    Underline,
    inline_text,
)
from content.labels import other_host
from content.text import excerpt
from content.urls import is_web_url

DEPTH = 16  # levels of blocks and formatting, one in the other

Json = dict[str, Any]
RichText = str | Json | list[str | Json]

_STYLES: dict[type[Styled], str] = {
    Strong: "bold",
    Emphasis: "italic",
    Underline: "underline",
    Strike: "strikethrough",
    Spoiler: "spoiler",
    Marked: "marked",
    Sub: "subscript",
    Sup: "superscript",
}
_BARE_URL = re.compile(r"https?://[^\s<>\"]+")
_AFTER_URL = ".,;:!?'\")]}。，；：！？）」』》"


class TextWriter:
    """Writes rich text, and counts its characters.

    `anchors` are the anchors of the message by the names of its headings, `notes` are the numbers of its
    footnotes: links lead only to these. `written` are the names that are in the message already.
    """

    def __init__(self, anchors: Mapping[str, str], notes: Set[int]) -> None:
        self.characters = 0
        self.anchors, self.notes, self.written = anchors, notes, set[str]()

    def counted(self, text: str) -> str:
        self.characters += len(text)
        return text

    def text(self, nodes: Iterable[Inline], level: int) -> RichText | None:
        """Inlines as rich text in a block of that level; None if nothing of it is visible."""
        safe = _honest(_cleaned(tuple(nodes)))
        return self._rich(safe, level, frozenset()) if is_visible(inline_text(safe)) else None

    def _rich(self, nodes: Iterable[Inline], level: int, within: frozenset[str]) -> RichText:
        joined: list[str | Json] = []
        for part in (part for node in nodes for part in self._inline(node, level, within)):
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += part
            elif part:
                joined.append(part)
        return joined[0] if len(joined) == 1 else joined or ""

    def _inline(self, node: Inline, level: int, within: frozenset[str]) -> list[str | Json]:
        match node:
            case Text() | Excerpt():
                return [self.counted(node.text)]
            case LineBreak():
                return [self.counted("\n")]
            case CodeSpan():
                return self._formatted("code", (Text(node.text),), level, within)
            case Formula():
                return self._expression(node, level)
            case NoteMark():
                return self._mark(node, level, within)
            case Link():
                return self._formatted("url", node.children, level, within, url=node.url)
            case Jump():
                if anchor := self.anchors.get(node.name):
                    return self._formatted("anchor_link", node.children, level, within, anchor_name=anchor)
                return parts(self._rich(node.children, level, within))
            case Styled():
                return self._formatted(_STYLES[type(node)], node.children, level, within)

    def _formatted(
        self, kind: str, nodes: Sequence[Inline], level: int, within: frozenset[str], **fields: str
    ) -> list[str | Json]:
        """Text with a format, which is left out where it is open already or too deep."""
        group = "link" if fields else kind
        if group in within or level >= DEPTH:
            return parts(self._rich(nodes, level, within))
        text = self._rich(nodes, level + 1, within | {group})
        return [{"type": kind, "text": text, **fields}] if text else []

    def _expression(self, node: Formula, level: int) -> list[str | Json]:
        expression = self.counted(node.text.strip())
        if level >= DEPTH or not is_visible(expression):
            return [expression]
        return [{"type": "mathematical_expression", "expression": expression}]

    def _mark(self, node: NoteMark, level: int, within: frozenset[str]) -> list[str | Json]:
        """A reference to a footnote, after an anchor that the note leads back to."""
        label = self.counted(f"[{node.number}]")
        if node.number not in self.notes or "link" in within or level + 2 > DEPTH:
            return [label]
        link: Json = {"type": "reference_link", "reference_name": f"note-{node.number}", "text": label}
        name, mark = f"mark-{node.number}", {"type": "superscript", "text": link}
        if name in self.written:
            return [mark]
        self.written.add(name)
        return [{"type": "anchor", "name": name}, mark]


def parts(text: RichText) -> list[str | Json]:
    """Rich text as the list of its parts."""
    return text if isinstance(text, list) else [text]


def is_linkable(url: str) -> bool:
    """Whether Telegram accepts the URL: its host needs a dot, or is an IPv6 address."""
    return is_web_url(url) and any(mark in (urlsplit(url).hostname or "") for mark in ".:")


def _cleaned(nodes: Iterable[Inline], *, in_link: bool = False) -> tuple[Inline, ...]:
    """Inlines without unsafe characters, links that Telegram refuses, and links in links.

    URLs that are written out become links, because Telegram is asked not to look for any.
    """
    return tuple(cleaned for node in nodes for cleaned in _cleaned_node(node, in_link))


def _cleaned_node(node: Inline, in_link: bool) -> Iterator[Inline]:
    match node:
        case Text():
            yield from _with_links(clean_line(node.text), in_link)
        case Excerpt():
            yield from _with_links(clean_line(excerpt(node.text, node.limit)), in_link)
        case CodeSpan() | Formula():
            yield replace(node, text=clean_line(node.text))
        case Link() if in_link or not is_linkable(node.url):
            yield from _cleaned(node.children, in_link=in_link)
        case Link() | Jump():
            yield replace(node, children=_cleaned(node.children, in_link=True))
        case Styled():
            yield replace(node, children=_cleaned(node.children, in_link=in_link))
        case LineBreak() | NoteMark():
            yield node


def _with_links(text: str, in_link: bool) -> Iterator[Inline]:
    last = 0
    for found in () if in_link else _BARE_URL.finditer(text):
        url = found.group().rstrip(_AFTER_URL)
        if is_linkable(url):
            yield Text(text[last : found.start()])
            yield Link(url, (Text(url),))
            last = found.start() + len(url)
    yield Text(text[last:])


def _honest(nodes: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """Cleaned inlines. If a link's text names another host than its URL, the real host is the link."""
    whole = inline_text(nodes)

    def honest(nodes: Iterable[Inline], start: int) -> Iterator[Inline]:
        for node in nodes:
            end = start + len(inline_text((node,)))
            if isinstance(node, Link) and (host := other_host(whole, start, end, node.url)):
                yield from node.children
                yield from (Text(" ("), Link(node.url, (Text(host),)), Text(")"))
            elif isinstance(node, Styled | Jump):
                yield replace(node, children=tuple(honest(node.children, start)))
            else:
                yield node
            start = end

    return tuple(honest(nodes, 0))
