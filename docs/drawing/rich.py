"""Draws the blocks of a rich Telegram message (core.telegram.org/bots/api#inputrichmessage)."""

from collections.abc import Mapping, Sequence
from typing import Any

from drawing.column import SIZE, Column
from drawing.text import Styled, plain

CLASSES = {
    "bold": "bold",
    "italic": "italic",
    "underline": "link",
    "strikethrough": "strike",
    "spoiler": "spoiler",
    "code": "code",
    "marked": "marker",
    "url": "text_link",
    "anchor_link": "text_link",
    "reference_link": "text_link",
    "mathematical_expression": "math",
}
SIZES = {1: 20, 2: 18, 3: 16.5}
RAISED = {
    "superscript": str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "subscript": str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"),
}
SIGNS = {"photo": "🖼", "video": "▶", "audio": "♪", "animation": "▶"}

Block = Mapping[str, Any]


def inline(text: Any, *classes: str) -> list[Styled]:
    """The styled characters of a RichText: a string, a list of them, or an object with a type."""
    if isinstance(text, str):
        return plain(text, *classes)
    if isinstance(text, list):
        return [one for part in text for one in inline(part, *classes)]
    kind = text["type"]
    content = text.get("text", text.get("expression", ""))
    if kind in RAISED and isinstance(content, str):
        return plain(content.translate(RAISED[kind]), *classes)
    return inline(content, *classes, *((CLASSES[kind],) if kind in CLASSES else ()))


def blocks(column: Column, drawn: Sequence[Block]) -> None:
    for block in drawn:
        _block(column, block)


def _block(column: Column, block: Block) -> None:
    match block["type"]:
        case "heading":
            column.text(inline(block["text"], "bold"), size=SIZES.get(block["size"], SIZE))
        case "paragraph" | "footer":
            column.text(inline(block["text"]))
        case "pre":
            column.code(_text(block["text"]), block.get("language", ""))
        case "divider":
            column.line()
        case "list":
            _list(column, block["items"])
        case "blockquote":
            inner = column.inner(14)
            blocks(inner, block["blocks"])
            column.quoted(inner)
        case "expandable_blockquote" | "pullquote":
            inner = column.inner(14)
            inner.text(inline(block["text"]))
            column.quoted(inner)
        case "details":
            column.text([*plain("▸ "), *inline(block["summary"], "bold")])
            if block.get("is_open"):
                inner = column.inner(18)
                blocks(inner, block["blocks"])
                column.close(inner)
        case "table":
            _table(column, block)
        case "mathematical_expression":
            column.text(inline(block["expression"], "math"))
        case "collage" | "slideshow":
            column.pictures([_name(one) for one in block["blocks"]][:4])
            _caption(column, block)
        case "photo" | "video" | "animation":
            column.pictures([_name(block)], sign=SIGNS[block["type"]])
            _caption(column, block)
        case "audio":
            column.player(_name(block), SIGNS["audio"])
            _caption(column, block)
        case _:  # anchors are not seen
            return


def _list(column: Column, items: Sequence[Block]) -> None:
    for item in items:
        lead = f"{item['value']}." if "value" in item else "•"
        first, *others = item["blocks"] or [{"type": "paragraph", "text": ""}]
        inner = column.inner()
        if first["type"] == "paragraph":
            inner.text(inline(first["text"]), gap=2, lead=lead)
        else:
            blocks(inner, [first])
        blocks(inner, others)
        column.close(inner)
    column.y += 4


def _table(column: Column, block: Block) -> None:
    rows = [[_cell(cell) for cell in row] for row in block["cells"]]
    if block.get("caption"):
        column.text(inline(block["caption"], "italic"), gap=0)
    column.table(rows)


def _cell(cell: Block) -> tuple[Sequence[Styled], int]:
    classes = ("bold",) if cell.get("is_header") else ()
    return inline(cell.get("text", ""), *classes), cell.get("colspan", 1)


def _caption(column: Column, block: Block) -> None:
    if caption := block.get("caption"):
        column.text(inline(caption["text"], "italic"))


def _name(block: Block) -> str:
    """What a medium shows: its title, or the end of its URL."""
    medium = block[block["type"]]
    return str(medium.get("title") or str(medium["media"]).rpartition("/")[2])


def _text(text: Any) -> str:
    return "".join(one.character for one in inline(text))
