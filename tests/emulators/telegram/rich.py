"""Rich messages: checks an InputRichMessage as strictly as anybody has seen, and writes it as plain text.

The fields are those of the Bot API reference (InputRichBlock…, RichText…). The refusals are those that people
have seen of the live service; where none is known, the emulator refuses what the reference does not allow.
Of the three ways to write a rich message it takes blocks only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.emulators.telegram.types import ApiError, Json

CHARACTERS = 32_768
BLOCKS = 500
DEPTH = 16
MEDIA = 50
FETCHED = 20
"""Media by URL that arrive; the rest is lost silently."""
COLUMNS = 20

_TEXTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("bold", "italic", "underline", "strikethrough", "spoiler", "subscript", "superscript", "marked"),
        frozenset({"text"}),
    ),
    "code": frozenset({"text"}),
    "url": frozenset({"text", "url"}),
    "anchor": frozenset({"name"}),
    "anchor_link": frozenset({"text", "anchor_name"}),
    "reference": frozenset({"text", "name"}),
    "reference_link": frozenset({"text", "reference_name"}),
    "mathematical_expression": frozenset({"expression"}),
}
"""Kinds of formatted text, and their fields."""

_MEDIA = frozenset(("photo", "video", "animation", "audio"))
_BLOCKS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "paragraph": (frozenset({"text"}), frozenset()),
    "heading": (frozenset({"text", "size"}), frozenset()),
    "pre": (frozenset({"text"}), frozenset({"language"})),
    "footer": (frozenset({"text"}), frozenset()),
    "divider": (frozenset(), frozenset()),
    "mathematical_expression": (frozenset({"expression"}), frozenset()),
    "anchor": (frozenset({"name"}), frozenset()),
    "list": (frozenset({"items"}), frozenset()),
    "blockquote": (frozenset({"blocks"}), frozenset({"credit"})),
    "collage": (frozenset({"blocks"}), frozenset({"caption"})),
    "slideshow": (frozenset({"blocks"}), frozenset({"caption"})),
    "table": (frozenset({"cells"}), frozenset({"caption", "is_bordered", "is_striped", "is_compact"})),
    "details": (frozenset({"summary", "blocks"}), frozenset({"is_open"})),
    **{kind: (frozenset({kind}), frozenset({"caption"})) for kind in _MEDIA},
}
"""Kinds of blocks, with the fields that they must have and those that they may have."""

_CELL = frozenset(("text", "is_header", "colspan", "rowspan", "align", "valign"))
_ITEM = frozenset(("blocks", "has_checkbox", "is_checked", "value", "type"))
_MESSAGE = frozenset(("blocks", "is_rtl", "skip_entity_detection"))


@dataclass(slots=True)
class Checked:
    """What a rich message contains: its text as people read it, and the URLs of its media."""

    lines: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    characters: int = 0
    blocks: int = 0

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def lost(self) -> tuple[str, ...]:
        """Media that Telegram would lose without a word."""
        return tuple(self.media[FETCHED:])


def check(message: object, dead: Iterable[str] = ()) -> Checked:
    """Check a rich message. Raises ApiError 400. `dead` are URLs of media that nobody can fetch."""
    if not isinstance(message, dict):
        raise _unparsed("InputRichMessage", "expected an Object")
    if unknown := message.keys() - _MESSAGE:
        raise _unparsed("InputRichMessage", f"the emulator takes no {', '.join(sorted(unknown))}")
    blocks = message.get("blocks")
    if not isinstance(blocks, list) or not blocks:
        raise ApiError(400, "Bad Request: rich message must be non-empty")
    checker = _Checker(set(dead))
    checker.blocks(blocks, 1)
    return checker.finished()


class _Checker:
    def __init__(self, dead: set[str]) -> None:
        self.seen = Checked()
        self._dead = dead
        self._names: set[str] = set()
        self._wanted: set[str] = set()

    def finished(self) -> Checked:
        seen = self.seen
        if seen.characters > CHARACTERS:
            raise _code("TEXT_TOO_LONG")
        if seen.blocks > BLOCKS:
            raise _code("BLOCKS_TOO_MANY")
        if len(seen.media) > MEDIA:
            raise _code("MEDIA_TOO_MANY")
        if missing := self._wanted - self._names:
            raise _unparsed("RichText", f"nothing is called {', '.join(sorted(missing))}")
        return seen

    def blocks(self, blocks: object, level: int, indent: str = "") -> None:
        for block in _list(blocks, "blocks"):
            self.block(block, level, indent)

    def block(self, block: object, level: int, indent: str) -> None:
        self.seen.blocks += 1
        _check_depth(level)
        kind, found = _typed(block, "InputRichBlock")
        if kind not in _BLOCKS:
            raise _unparsed("InputRichBlock", f"unknown type {kind}")
        required, optional = _BLOCKS[kind]
        _check_fields(found, required, optional, f"InputRichBlock {kind}")
        write: Mapping[str, Callable[[Json, int, str], None]] = {
            "heading": self._heading,
            "list": self._list,
            "table": self._table,
            "details": self._details,
            "blockquote": self._quote,
            "collage": self._gallery,
            "slideshow": self._gallery,
            "divider": lambda block, level, indent: self._line(indent, "———"),
            "anchor": lambda block, level, indent: self._name(block["name"]),
            "mathematical_expression": self._formula,
        }
        if kind in _MEDIA:
            self._medium(found, level, indent)
        else:
            write.get(kind, self._paragraph)(found, level, indent)

    def _line(self, indent: str, text: str) -> None:
        self.seen.lines += [f"{indent}{line}" for line in text.split("\n")]

    def _paragraph(self, block: Json, level: int, indent: str) -> None:
        if "language" in block and (not isinstance(block["language"], str) or not block["language"]):
            raise _unparsed("InputRichBlock pre", "language must be a text")
        self._line(indent, self._shown(block["text"], level))

    def _heading(self, block: Json, level: int, indent: str) -> None:
        if block["size"] not in range(1, 7):
            raise _unparsed("InputRichBlock heading", "size must be 1 to 6")
        self._line(indent, self._shown(block["text"], level))

    def _formula(self, block: Json, level: int, indent: str) -> None:
        self._line(indent, self._expression(block))

    def _quote(self, block: Json, level: int, indent: str) -> None:
        self._filled(block["blocks"])
        self.blocks(block["blocks"], level + 1, indent + "> ")

    def _details(self, block: Json, level: int, indent: str) -> None:
        self._line(indent, "▸ " + self._shown(block["summary"], level))
        self._filled(block["blocks"])
        self.blocks(block["blocks"], level + 1, indent + "  ")

    def _list(self, block: Json, level: int, indent: str) -> None:
        self._filled(block["items"])
        for item in _list(block["items"], "items"):
            self.seen.blocks += 1
            if not isinstance(item, dict) or "blocks" not in item or item.keys() - _ITEM:
                raise _unparsed("InputRichBlockListItem", "unknown or missing field")
            value = item.get("value")
            if value is not None and not isinstance(value, int):
                raise _unparsed("InputRichBlockListItem", "value must be a Number")
            self._filled(item["blocks"])
            start = len(self.seen.lines)
            self.blocks(item["blocks"], level + 2, indent + "  ")
            bullet = "•" if value is None else f"{value}."
            if len(self.seen.lines) > start:
                self.seen.lines[start] = f"{indent}{bullet} {self.seen.lines[start][len(indent) + 2 :]}"

    def _table(self, block: Json, level: int, indent: str) -> None:
        if "caption" in block:
            self._line(indent, self._shown(block["caption"], level))
        self._filled(block["cells"])
        covered: list[tuple[int, int]] = []
        for row in _list(block["cells"], "cells"):
            self.seen.blocks += 1
            cells = _list(row, "row")
            self._filled(cells)
            spans = [self._spans(cell) for cell in cells]
            if sum(columns for columns, _ in spans) + sum(columns for _, columns in covered) > COLUMNS:
                raise _code("TABLE_COLS_TOO_MANY")
            covered = [(left - 1, columns) for left, columns in covered if left > 1]
            covered += [(rows - 1, columns) for columns, rows in spans if rows > 1]
            texts = [self.text(cell.get("text", ""), level + 1) for cell in cells if isinstance(cell, dict)]
            self._line(indent, " | ".join(texts))

    def _spans(self, cell: object) -> tuple[int, int]:
        if not isinstance(cell, dict) or cell.keys() - _CELL:
            raise _unparsed("RichBlockTableCell", "unknown field")
        if cell.get("align") not in ("left", "center", "right"):
            raise _unparsed("RichBlockTableCell", "align must be left, center or right")
        if cell.get("valign") not in ("top", "middle", "bottom"):
            raise _unparsed("RichBlockTableCell", "valign must be top, middle or bottom")
        spans = cell.get("colspan", 1), cell.get("rowspan", 1)
        if not all(isinstance(span, int) and span >= 1 for span in spans):
            raise _unparsed("RichBlockTableCell", "colspan and rowspan must be positive")
        return spans

    def _gallery(self, block: Json, level: int, indent: str) -> None:
        self._filled(block["blocks"])
        for inner in _list(block["blocks"], "blocks"):
            if not isinstance(inner, dict) or inner.get("type") not in _MEDIA:
                raise _unparsed("InputRichBlock", "a collage or slideshow holds media only")
        self.blocks(block["blocks"], level + 1, indent)
        self._caption(block, level, indent)

    def _medium(self, block: Json, level: int, indent: str) -> None:
        kind = str(block["type"])
        medium = block[kind]
        if not isinstance(medium, dict) or medium.get("type") != kind or medium.keys() - {"type", "media"}:
            raise _unparsed("InputMedia", f"expected an InputMedia of type {kind}")
        url = medium.get("media")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")) or not _has_host(url):
            raise _code(f"{kind.upper()}_URL_INVALID")
        if url in self._dead:
            raise _code(f"{kind.upper()}_NO_MEDIA_FOUND")
        self.seen.media.append(url)
        self._line(indent, f"<{kind}>")
        self._caption(block, level, indent)

    def _caption(self, block: Json, level: int, indent: str) -> None:
        caption = block.get("caption")
        if caption is None:
            return
        if not isinstance(caption, dict) or "text" not in caption or caption.keys() - {"text", "credit"}:
            raise _unparsed("RichBlockCaption", "unknown or missing field")
        self._line(indent, self._shown(caption["text"], level))
        if "credit" in caption:
            self._line(indent, self._shown(caption["credit"], level))

    # Text

    def _shown(self, text: object, level: int) -> str:
        """A text that must not be empty."""
        if not (shown := self.text(text, level)).strip():
            raise _code("CONTENT_REQUIRED")
        return shown

    def text(self, text: object, level: int) -> str:
        _check_depth(level)
        if isinstance(text, str):
            self._count(text)
            return text
        if isinstance(text, list):
            return "".join(self.text(part, level) for part in text)
        kind, found = _typed(text, "RichText")
        if kind not in _TEXTS:
            raise _unparsed("RichText", f"unknown type {kind}")
        _check_fields(found, _TEXTS[kind], frozenset(), f"RichText {kind}")
        if kind == "url" and not _has_host(str(found["url"])):
            raise _code("URL_INVALID")
        if kind in ("anchor", "reference"):
            self._name(found["name"])
        for field_name in ("anchor_name", "reference_name"):
            if field_name in found:
                self._wanted.add(str(found[field_name]))
        if kind == "mathematical_expression":
            return self._expression(found)
        return self._shown_part(found["text"], level + 1) if "text" in found else ""

    def _shown_part(self, text: object, level: int) -> str:
        if not text:
            raise _code("CONTENT_REQUIRED")
        return self.text(text, level)

    def _expression(self, found: Json) -> str:
        expression = found["expression"]
        if not isinstance(expression, str) or not expression.strip():
            raise _code("CONTENT_REQUIRED")
        self._count(expression)
        return expression

    def _count(self, text: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise ApiError(400, "Bad Request: strings must be encoded in UTF-8") from exc
        self.seen.characters += len(text)

    def _name(self, name: object) -> None:
        if not isinstance(name, str) or not name or name in self._names:
            raise _unparsed("RichText", f"anchor {name!r} is empty or there already")
        self._names.add(name)

    def _filled(self, items: object) -> None:
        if not items:
            raise _code("CONTENT_REQUIRED")


def _typed(value: object, what: str) -> tuple[str, Json]:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _unparsed(what, "expected an Object with a type")
    return value["type"], value


def _list(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise _unparsed("InputRichBlock", f"field {name} must be of type Array")
    return value


def _check_fields(found: Json, required: frozenset[str], optional: frozenset[str], what: str) -> None:
    names = found.keys() - {"type"}
    if missing := required - names:
        raise _unparsed(what, f"missing {', '.join(sorted(missing))}")
    if unknown := names - required - optional:
        raise _unparsed(what, f"unknown {', '.join(sorted(unknown))}")


def _check_depth(level: int) -> None:
    if level > DEPTH:
        raise _code("DEPTH_INVALID")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "tg", "mailto", "tel") and ("." in host or ":" in host)


def _code(name: str) -> ApiError:
    return ApiError(400, f"Bad Request: RICH_MESSAGE_{name}")


def _unparsed(what: str, reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: can't parse {what}: {reason}")
