"""A document as one string with marked spans, for platforms that take text and entities."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from content.characters import harmless
from content.document import (
    Block,
    CodeBlock,
    CodeSpan,
    Contents,
    Details,
    Divider,
    Document,
    Emphasis,
    Entry,
    Excerpt,
    Formula,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    Jump,
    LineBreak,
    Link,
    ListBlock,
    Marked,
    Media,
    Note,
    NoteMark,
    Paragraph,
    Quote,
    Spoiler,
    Strike,
    Strong,
    Styled,
    Sub,
    Sup,
    Table,
    Text,
    Underline,
    emphasised,
    in_line,
    in_lines,
    inline_text,
)
from content.labels import other_host
from content.text import excerpt
from content.urls import is_web_url

_LABEL_LENGTH = 200  # most code points of a picture's description
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # blank letters and symbols


class SpanKind(StrEnum):
    STRONG = "strong"
    EMPHASIS = "emphasis"
    STRIKE = "strike"
    CODE = "code"
    PRE = "pre"
    LINK = "link"
    QUOTE = "quote"
    FOLDED = "folded"  # a quote that the reader can open
    UNDERLINE = "underline"
    SPOILER = "spoiler"


QUOTES = (SpanKind.QUOTE, SpanKind.FOLDED)


@dataclass(frozen=True, slots=True)
class Span:
    """Code points `start` to `end` (exclusive) of a text. A LINK has a `url`, a PRE may have a `language`."""

    start: int
    end: int
    kind: SpanKind
    url: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Flat:
    """A stripped text and its spans, which are properly nested and sorted with outer spans first."""

    text: str
    spans: tuple[Span, ...] = ()


def is_visible(text: str) -> bool:
    """Whether a text has a visible character; platforms refuse messages without one."""
    return any(unicodedata.category(ch)[0] in "LNPS" and ch not in _INVISIBLE for ch in text)


def clean(content: str) -> str:
    """Outside text with `\\n` line ends, without characters that move a cursor, reorder or hide text."""
    # Nearly all texts are printable, and these end no line.
    return harmless(content if content.isprintable() else _LINE_ENDS.sub("\n", content))


def clean_line(content: str) -> str:
    """Outside text cleaned as by `clean`, on one line."""
    return clean(content).replace("\n", " ").replace("\t", " ")


def is_tight(block: Block) -> bool:
    """Whether a block starts on the next line, without an empty line before it."""
    return isinstance(block, Entry) or (isinstance(block, Paragraph) and block.tight)


def flatten(document: Document) -> Flat:
    """The document as text and spans.

    An empty line separates blocks; tight paragraphs, and blocks in a list or quote, start on the next line.
    Spans of one kind do not nest. A link that is not http(s) becomes plain text. If a link's text names
    another host than its URL, the text is not linked: the real host follows in brackets and is the link.
    """
    writer = _Writer()
    for block in document.blocks:
        writer.next_block("\n" if is_tight(block) else "\n\n")
        writer.block(block)
    return _honest(_tidy(Flat("".join(writer.parts), tuple(writer.spans))))


def shift(flat: Flat, places: Iterable[int], inserted: str) -> Flat:
    """`flat` with `inserted` put before each of the code points `places`, which are in ascending order."""
    pieces, last, moved = [], 0, list(flat.spans)
    for number, place in enumerate(places):
        pieces += [flat.text[last:place], inserted]
        at, last = place + number * len(inserted), place
        moved = [_moved(span, at, len(inserted)) for span in moved]
    return Flat("".join(pieces) + flat.text[last:], tuple(moved))


def trim(text: str, span: Span) -> Span | None:
    """The span without the white space at its ends; None if nothing is left."""
    inner = text[span.start : span.end]
    start = span.start + len(inner) - len(inner.lstrip())
    end = span.start + len(inner.rstrip())
    if start >= end:
        return None
    return span if (start, end) == (span.start, span.end) else replace(span, start=start, end=end)


def _moved(span: Span, at: int, by: int) -> Span:
    return replace(span, start=span.start + by * (span.start >= at), end=span.end + by * (span.end > at))


def _tidy(flat: Flat) -> Flat:
    offset = len(flat.text) - len(flat.text.lstrip())
    trimmed = (trim(flat.text, span) for span in flat.spans)
    spans = [span for span in trimmed if span]
    if offset:
        spans = [replace(s, start=s.start - offset, end=s.end - offset) for s in spans]
    return Flat(flat.text.strip(), tuple(sorted(spans, key=lambda span: (span.start, -span.end))))


def _honest(flat: Flat) -> Flat:
    """Unlink texts that name another host than their URL, and link the real host after them instead."""
    links = [span for span in flat.spans if span.kind is SpanKind.LINK]
    hosts = [(span, other_host(flat.text, span.start, span.end, span.url)) for span in links]
    lying = [(span, host) for span, host in hosts if host]
    if not lying:
        return flat
    # moved[n]: how many code points text moves that has n inserted hosts before it.
    ends = sorted(span.end for span, _ in lying)
    pieces, spans, last, moved = [], [], 0, [0]
    for span, host in sorted(lying, key=lambda pair: pair[0].end):
        shown = f" ({host})"
        pieces += [flat.text[last : span.end], shown]
        at, last = span.end + moved[-1] + len(" ("), span.end
        spans.append(Span(at, at + len(host), SpanKind.LINK, span.url))
        moved.append(moved[-1] + len(shown))
    false = {span for span, _ in lying}
    for span in flat.spans:
        if span not in false:
            is_quote = span.kind in QUOTES  # a quote covers whole lines, so it includes the host
            before_end = (bisect_right if is_quote else bisect_left)(ends, span.end)
            start, end = span.start + moved[bisect_right(ends, span.start)], span.end + moved[before_end]
            spans.append(replace(span, start=start, end=end))
    text = "".join(pieces) + flat.text[last:]
    return Flat(text, tuple(sorted(spans, key=lambda span: (span.start, -span.end))))


class _Writer:
    """Collects the text and spans of a document, block by block."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.spans: list[Span] = []
        self._length = 0
        self._pending = ""  # separator before the next text; written only between texts
        self._indent = ""
        self._open: list[SpanKind] = []
        self._begun: list[int] = []  # starts of the open spans that have text, outermost first

    def next_block(self, separator: str, bullet: str = "") -> None:
        self._pending = separator + self._indent + bullet

    def block(self, block: Block) -> None:
        match block:
            case Heading():
                with self._marked(SpanKind.STRONG):
                    self._inlines(block.children)
            case Paragraph():
                self._inlines(block.children)
            case CodeBlock() | FormulaBlock():
                language = clean_line(block.language) if isinstance(block, CodeBlock) else ""
                with self._marked(SpanKind.PRE, language=language):
                    self._write(clean(block.text).replace("\t", "    ").strip("\n"))
            case Quote():
                with self._marked(SpanKind.QUOTE):
                    self._stack(block.blocks)
            case Details():
                self._details(block)
            case Note():
                self._write(f"[{block.number}] ")
                self._stack(block.blocks)
            case ListBlock():
                self._list(block)
            case Image():
                self._medium("🖼", block.url, block.alt, block.caption)
            case Media():
                self._medium("▶", block.url, block.title, block.caption)
            case Table():
                self._inlines(in_lines(block).children)
            case Entry():
                self._inlines(in_line(block).children)
            case Divider() | Contents():
                return

    def _stack(self, blocks: Iterable[Block]) -> None:
        """Write blocks on lines of their own; the first one continues the current line."""
        for number, block in enumerate(blocks):
            if number or isinstance(block, ListBlock):
                self.next_block("\n")
            self.block(block)

    def _list(self, block: ListBlock) -> None:
        outer, separator = self._indent, self._pending.rstrip(" ")
        for number, item in enumerate(block.items):
            bullet = "• " if block.start is None else f"{block.start + number}. "
            self.next_block("\n" if number else separator, bullet)
            self._indent = outer + "  "
            self._stack(item)
            self._indent = outer

    def _details(self, block: Details) -> None:
        if block.summary:
            with self._marked(SpanKind.STRONG):
                self._inlines(block.summary)
            self.next_block("\n")
        with self._marked(SpanKind.FOLDED):
            self._stack(block.blocks)

    def _medium(self, sign: str, url: str, name: str, caption: tuple[Inline, ...]) -> None:
        label = clean_line(excerpt(name, _LABEL_LENGTH))
        if is_web_url(url):
            with self._marked(SpanKind.LINK, url=url):
                self._write(f"{sign} {label or urlsplit(url).hostname}")
        elif label:
            self._write(f"{sign} {label}")
        if caption:
            self.next_block("\n")
            with self._marked(SpanKind.EMPHASIS):
                self._inlines(caption)

    def _inlines(self, nodes: Iterable[Inline]) -> None:
        for node in nodes:
            self._inline(node)

    def _inline(self, node: Inline) -> None:
        match node:
            case Text():
                self._write(clean_line(node.text))
            case Excerpt():
                self._inlines(emphasised(node, excerpt(node.text, node.limit)))
            case LineBreak():
                self._write("\n" + self._indent)
            case CodeSpan() | Formula():
                with self._marked(SpanKind.CODE):
                    self._write(clean_line(node.text))
            case NoteMark():
                self._write(f"[{node.number}]")
            case Link():
                with self._marked(SpanKind.LINK, url=node.url):
                    self._inlines(node.children)
            case Jump():
                self._inlines(node.children)
            case Sub() | Sup():
                self._raised(node)
            case Styled():
                with self._marked(_KINDS[type(node)]):
                    self._inlines(node.children)

    def _raised(self, node: Sub | Sup) -> None:
        """Small digits if there are some for all of the text, else the text after `_` or `^`."""
        digits, mark = (_SUB, "_") if isinstance(node, Sub) else (_SUP, "^")
        content = inline_text(node.children)
        if content and all(ch in digits for ch in content):
            self._write("".join(map(digits.__getitem__, content)))
            return
        self._write(mark)
        self._inlines(node.children)

    def _write(self, content: str) -> None:
        if not content:
            return
        self._begun += [self._length + len(self._pending)] * (len(self._open) - len(self._begun))
        if self._pending:
            content, self._pending = self._pending + content, ""
        self.parts.append(content)
        self._length += len(content)

    @contextmanager
    def _marked(self, kind: SpanKind, *, url: str = "", language: str = "") -> Iterator[None]:
        wanted = not self._is_open(kind) and (kind is not SpanKind.LINK or is_web_url(url))
        if not wanted:
            yield
            return
        self._open.append(kind)
        yield
        self._open.pop()
        if len(self._begun) > len(self._open):
            self.spans.append(Span(self._begun.pop(), self._length, kind, url, language))

    def _is_open(self, kind: SpanKind) -> bool:
        """Whether a span of that kind is open. No platform nests quotes, so both kinds count as one."""
        return any(other in self._open for other in (QUOTES if kind in QUOTES else (kind,)))


_KINDS: dict[type[Styled], SpanKind] = {
    Strong: SpanKind.STRONG,
    Emphasis: SpanKind.EMPHASIS,
    Strike: SpanKind.STRIKE,
    Underline: SpanKind.UNDERLINE,
    Marked: SpanKind.STRONG,
    Spoiler: SpanKind.SPOILER,
}
_SUB = dict(zip("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True))
_SUP = dict(zip("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾", strict=True))
