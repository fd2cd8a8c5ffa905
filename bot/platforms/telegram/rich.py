"""Documents as Telegram's rich messages: blocks instead of text and entities, since Bot API 10.1.

The server does not parse blocks as markup, so a post stays data. python-telegram-bot 22.8 does not know rich
messages, so this module and `rich_text` write their JSON: core.telegram.org/bots/api#inputrichmessage.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from bot.platforms.flat import clean, clean_line, flatten, is_visible
from bot.platforms.messages import NOTHING, messages
from bot.platforms.telegram.rich_text import Json, RichText, TextWriter, is_linkable, parts
from content.document import (
    Block,
    Cell,
    CodeBlock,
    Contents,
    Details,
    Divider,
    Document,
    Emphasis,
    Entry,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Media,
    MediaKind,
    Note,
    Paragraph,
    Quote,
    Table,
    Text,
    block_text,
    in_lines,
    inline_text,
)
from content.text import excerpt
from content.urls import is_web_url
from scheduler.types import Form, Message, Payload

CHARACTERS = 32_768  # code points
BLOCKS = 500  # with nested ones, items of lists and rows of tables
COLUMNS = 20
# Telegram takes 50 media, but it silently loses those after the 20th that it has to fetch by URL.
MEDIA = 20
COLLAGE = 4  # most pictures that are shown side by side; more are a slideshow

_DEEPEST = 8  # lists, quotes and tables below this level become text, which leaves levels for formatting
_LABEL_LENGTH = 200  # most code points of a picture's description
_NO_PHOTOS = (".svg", ".svgz")
_MEDIA_TYPES = {MediaKind.AUDIO: "audio", MediaKind.VIDEO: "video"}
_CONTAINERS = ListBlock | Quote | Details | Table | Entry | Contents


def render(document: Document, form: Form) -> tuple[Message, ...]:
    """The messages for a document in `Form.RICH` or `Form.RICH_TEXT`, each within Telegram's limits.

    A payload has the field `rich_message` of sendRichMessage.
    """
    return messages(document, partial(_fits, form=form), partial(_payload, form=form))


def _fits(document: Document, form: Form) -> bool:
    writer = _Writer(document, form)
    writer.stack(document.blocks, 1)
    return writer.characters <= CHARACTERS and writer.blocks <= BLOCKS


def _payload(document: Document, form: Form) -> Payload:
    blocks = _Writer(document, form).stack(document.blocks, 1)
    message: Json = {
        "blocks": blocks or [{"type": "paragraph", "text": NOTHING}],
        # Otherwise @names, /commands, #tags and addresses in a post would become links.
        "skip_entity_detection": True,
    }
    if _is_right_to_left(document):
        message["is_rtl"] = True
    return {"rich_message": message}


def _is_right_to_left(document: Document) -> bool:
    """Whether the first letter with a direction is one of a script that is written from right to left."""
    kinds = (unicodedata.bidirectional(ch) for block in document.blocks for ch in block_text(block))
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


class _Writer(TextWriter):
    """Writes the blocks of one message, and counts what Telegram limits. Blocks without text are left out."""

    def __init__(self, document: Document, form: Form) -> None:
        there = list(walk(document.blocks))
        named = [block for block in there if isinstance(block, Heading | Paragraph) and block.name]
        shown = dict.fromkeys(b.name for b in named if is_visible(clean(inline_text(b.children))))
        super().__init__(
            {name: f"part-{number}" for number, name in enumerate(shown, 1)},
            {block.number for block in there if isinstance(block, Note)},
        )
        self.blocks = self.media = 0
        self._has_media = form is Form.RICH

    def stack(self, blocks: Sequence[Block], level: int) -> list[Json]:
        """Blocks in order; adjacent pictures become one collage or slideshow."""
        written: list[Json] = []
        for is_picture, run in groupby(blocks, self._is_picture):
            group = tuple(run)
            room = MEDIA - self.media
            shown = [block for block in group[:room] if isinstance(block, Image)] if is_picture else []
            written += self._pictures(shown, level)
            for block in group[len(shown) :]:
                written += self._block(block, level)
        return written

    def _block(self, block: Block, level: int) -> list[Json]:
        if level > _DEEPEST and isinstance(block, _CONTAINERS):
            return self._paragraph(_flat(block), level)
        match block:
            case Heading():
                return self._heading(block, level, size=min(max(block.level, 1), 6))
            case Paragraph():
                if block.name:
                    return self._heading(block, level, size=3)
                return self._paragraph(block.children, level)
            case CodeBlock():
                return self._code(block)
            case FormulaBlock():
                return self._formula(block)
            case Quote():
                blocks = self.stack(block.blocks, level + 1)
                return [self._made("blockquote", blocks=blocks)] if blocks else []
            case ListBlock():
                return self._list(block, level)
            case Image() | Media():
                return self._medium(block, level)
            case Table():
                return self._table(block, level)
            case Details():
                return self._details(block.summary, block.blocks, level)
            case Entry():
                body = (Paragraph(block.body),) if block.body else ()
                return self._details(block.head, body, level)
            case Note():
                return self._note(block, level)
            case Contents():
                return self._contents(block, level)
            case Divider():
                return [self._made("divider")]

    def _made(self, kind: str, **fields: Any) -> Json:
        self.blocks += 1
        return {"type": kind, **fields}

    # Blocks of text

    def _paragraph(self, nodes: Sequence[Inline], level: int) -> list[Json]:
        text = self.text(nodes, level)
        return [self._made("paragraph", text=text)] if text else []

    def _heading(self, block: Heading | Paragraph, level: int, *, size: int) -> list[Json]:
        text = self.text(block.children, level)
        if not text:
            return []
        anchor, anchors = self.anchors.get(block.name), list[Json]()
        if anchor and anchor not in self.written:
            self.written.add(anchor)
            anchors.append(self._made("anchor", name=anchor))
        return [*anchors, self._made("heading", text=text, size=size)]

    def _code(self, block: CodeBlock) -> list[Json]:
        text, language = clean(block.text).strip("\n"), clean_line(block.language).strip()
        if not is_visible(text):
            return []
        return [self._made("pre", text=self.counted(text), **({"language": language} if language else {}))]

    def _formula(self, block: FormulaBlock) -> list[Json]:
        expression = clean(block.text).strip()
        if not is_visible(expression):
            return []
        return [self._made("mathematical_expression", expression=self.counted(expression))]

    # Blocks of blocks

    def _list(self, block: ListBlock, level: int) -> list[Json]:
        items: list[Json] = []
        for number, item in enumerate(block.items):
            if blocks := self.stack(item, level + 2):
                value = {} if block.start is None else {"value": block.start + number, "type": "1"}
                items.append({"blocks": blocks, **value})
        self.blocks += len(items)
        return [self._made("list", items=items)] if items else []

    def _details(self, summary: Sequence[Inline], blocks: Sequence[Block], level: int) -> list[Json]:
        """A folded part; without a body, its summary as a paragraph."""
        shown = self.text(summary, level)
        body = self.stack(blocks, level + 1)
        if not body:
            return [self._made("paragraph", text=shown)] if shown else []
        return [self._made("details", summary=shown or self.counted(NOTHING), blocks=body)]

    def _contents(self, block: Contents, level: int) -> list[Json]:
        """The parts as a folded list; nothing if none of them is in this message."""
        if not any(part.name in self.anchors for part in block.parts):
            return []
        lines = ListBlock(tuple((Paragraph((part,)),) for part in block.parts))
        return self._details((Text(block.title),), (lines,), level)

    def _note(self, block: Note, level: int) -> list[Json]:
        """A footnote. Its mark shows its first paragraph; its number leads back to the mark."""
        number, name, mark = f"[{block.number}]", f"note-{block.number}", f"mark-{block.number}"
        first, others = block.blocks[:1], block.blocks[1:]
        match first:
            case (Paragraph(children=nodes),):
                text = self.text(nodes, level + 1)
            case _:
                text, others = None, block.blocks
        label: RichText = self.counted(number)
        if name not in self.written:
            self.written.add(name)
            if not text:
                label = {"type": "reference", "name": name, "text": number}
            else:
                text = {"type": "reference", "name": name, "text": text}
                if mark in self.written:
                    label = {"type": "anchor_link", "anchor_name": mark, "text": number}
        shown = [*parts(label), self.counted(" "), *parts(text)] if text else label
        return [self._made("paragraph", text=shown), *self.stack(others, level)]

    # Tables

    def _table(self, block: Table, level: int) -> list[Json]:
        rows = [row for row in block.rows if row]
        if _columns(rows) > COLUMNS:
            return self._paragraph(in_lines(block).children, level)
        caption = self.text(block.caption, level)
        cells = [[self._cell(cell, len(rows) - n, level) for cell in row] for n, row in enumerate(rows)]
        if not any("text" in cell for row in cells for cell in row):
            return [self._made("paragraph", text=caption)] if caption else []
        self.blocks += len(rows)
        fields: Json = {"caption": caption} if caption else {}
        return [self._made("table", cells=cells, is_bordered=True, is_striped=True, **fields)]

    def _cell(self, cell: Cell, rows_left: int, level: int) -> Json:
        written: Json = {"align": "left", "valign": "top"}
        if text := self.text(cell.children, level + 1):
            written["text"] = text
        if cell.header:
            written["is_header"] = True
        if cell.colspan > 1:
            written["colspan"] = cell.colspan
        if (rowspan := min(cell.rowspan, rows_left)) > 1:
            written["rowspan"] = rowspan
        return written

    # Media

    def _is_picture(self, block: Block) -> bool:
        return isinstance(block, Image) and self._can_be_shown(block)

    def _can_be_shown(self, block: Image | Media) -> bool:
        if not self._has_media or not is_linkable(block.url):
            return False
        return isinstance(block, Media) or not urlsplit(block.url).path.lower().endswith(_NO_PHOTOS)

    def _pictures(self, images: Sequence[Image], level: int) -> list[Json]:
        if len(images) < 2:
            return [self._shown(image, image.caption, level) for image in images]
        blocks = [self._shown(image, (), level + 1) for image in images]
        captions: list[Inline] = []
        for image in images:
            if image.caption:
                captions += [*([LineBreak()] if captions else []), *image.caption]
        kind = "collage" if len(images) <= COLLAGE else "slideshow"
        return [self._made(kind, blocks=blocks, **self._caption(captions, level))]

    def _medium(self, block: Image | Media, level: int) -> list[Json]:
        """A sound or film, or a link to what cannot be shown."""
        if isinstance(block, Media) and self._can_be_shown(block) and self.media < MEDIA:
            return [self._shown(block, block.caption or (Text(excerpt(block.title, _LABEL_LENGTH)),), level)]
        sign, name = ("🖼", block.alt) if isinstance(block, Image) else ("▶", block.title)
        label = clean_line(excerpt(name, _LABEL_LENGTH)).strip()
        line: tuple[Inline, ...] = (Text(f"{sign} {label}"),) if label else ()
        if is_web_url(block.url):
            line = (Link(block.url, (Text(f"{sign} {label or urlsplit(block.url).hostname}"),)),)
        caption = self._paragraph((Emphasis(block.caption),), level) if block.caption else []
        return [*self._paragraph(line, level), *caption]

    def _shown(self, block: Image | Media, caption: Sequence[Inline], level: int) -> Json:
        self.media += 1
        kind = _kind_of(block)
        return self._made(kind, **{kind: {"type": kind, "media": block.url}}, **self._caption(caption, level))

    def _caption(self, nodes: Sequence[Inline], level: int) -> Json:
        text = self.text(nodes, level)
        return {"caption": {"text": text}} if text else {}


def _flat(block: Block) -> tuple[Inline, ...]:
    """A block as text alone, with line breaks."""
    first, *others = flatten(Document((block,))).text.split("\n")
    return (Text(first), *(node for line in others for node in (LineBreak(), Text(line))))


def _kind_of(block: Image | Media) -> str:
    if isinstance(block, Media):
        return _MEDIA_TYPES[block.kind]
    return "animation" if urlsplit(block.url).path.lower().endswith(".gif") else "photo"


def _columns(rows: Iterable[Sequence[Cell]]) -> int:
    """The columns of a table; those that a cell of an earlier row covers count as well."""
    most, covered = 0, list[tuple[int, int]]()  # rows that are still covered, and how many columns
    for row in rows:
        most = max(most, sum(cell.colspan for cell in row) + sum(columns for _, columns in covered))
        covered = [(left - 1, columns) for left, columns in covered if left > 1]
        covered += [(cell.rowspan - 1, cell.colspan) for cell in row if cell.rowspan > 1]
    return most


def walk(blocks: Iterable[Block], level: int = 1) -> Iterator[Block]:
    """All blocks, also those in others, except in those that are so deep that they become text."""
    for block in blocks:
        yield block
        match block:
            case Note():
                yield from walk(block.blocks, level)
            case Quote() | Details() if level <= _DEEPEST:
                yield from walk(block.blocks, level + 1)
            case ListBlock() if level <= _DEEPEST:
                for item in block.items:
                    yield from walk(item, level + 2)
