"""Documents as Discord messages: embeds with Markdown, in which outside text is escaped.

Limits: github.com/discord/discord-api-docs (message and embed object). The API counts code points (issue
#1315), clients count UTF-16 units. We measure UTF-16 units, because there are never fewer of them.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from bot.platforms.discord.markup import fence, marked, plain
from bot.platforms.flat import clean, clean_line, flatten, is_tight, is_visible
from bot.platforms.messages import NOTHING, messages, title_of, units
from content.document import (
    Block,
    CodeBlock,
    Contents,
    Details,
    Divider,
    Document,
    Entry,
    FormulaBlock,
    Heading,
    Image,
    ListBlock,
    Media,
    Note,
    Paragraph,
    Quote,
    Strong,
    Table,
    block_text,
    is_web_url,
)
from scheduler.types import Form, Message, Payload

# All lengths are in UTF-16 units.
CONTENT_LENGTH = 2000
DESCRIPTION_LENGTH = 4096  # our only embed text, so the limit of 6000 for all of them is kept as well
TITLE_LENGTH = 100  # of a forum thread's name
IMAGE_URL_LENGTH = 2048

_HEADINGS = 3  # heading levels in Discord's Markdown


def render(document: Document, form: Form) -> tuple[Message, ...]:
    """The messages for a document, each within Discord's limits.

    A payload has `content`, `embeds` (at most one, as JSON of the API) and `title`, a plain text that names
    a forum post. In the plain form, `content` holds everything.
    """
    title = title_of(document, TITLE_LENGTH)
    return messages(document, partial(_fits, form=form), partial(_payload, form=form, title=title))


def _fits(document: Document, form: Form) -> bool:
    limit = CONTENT_LENGTH if form is Form.PLAIN else DESCRIPTION_LENGTH
    return units(_text(document, form)[0]) <= limit


def _payload(document: Document, form: Form, title: str) -> Payload:
    shown, picture = _text(document, form)
    if form is Form.PLAIN:
        return {"content": shown, "embeds": [], "title": title}
    embed: dict[str, Any] = {"description": shown}
    if picture:
        embed["image"] = {"url": picture}
    return {"content": "", "embeds": [embed], "title": title}


def _has_text(blocks: Iterable[Block]) -> bool:
    return any(is_visible(clean(block_text(block))) for block in blocks)


def _text(document: Document, form: Form) -> tuple[str, str]:
    """The text of a message, never empty, and the URL of the picture below it, or "" for none."""
    if not _has_text(document.blocks):
        return NOTHING, ""
    if form is Form.PLAIN:
        return plain(flatten(document)) or NOTHING, ""
    picture = next((b for b in document.blocks if isinstance(b, Image) and _can_show(b)), None)
    if form is not Form.FULL or picture is None:
        return _description(document.blocks) or NOTHING, ""
    others = tuple(block for block in document.blocks if block is not picture)
    return _description(others if _has_text(others) else document.blocks) or NOTHING, picture.url


def _can_show(image: Image) -> bool:
    return is_web_url(image.url) and units(image.url) <= IMAGE_URL_LENGTH


def _description(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown, separated by empty lines.

    A tight paragraph, and a block after a heading, starts on the next line.
    """
    parts: list[str] = []
    before: Block | None = None
    for block in blocks:
        if lines := _lines(block):
            tight = isinstance(before, Heading) or is_tight(block)
            if before:  # without an empty line it would continue the list's last item
                parts.append("\n" if tight and not isinstance(before, ListBlock) else "\n\n")
            parts.append("\n".join(lines))
            before = block
    return "".join(parts)


def _lines(block: Block, *, quoted: bool = False) -> list[str]:
    """A block as lines of Markdown; no lines if it has no text. Discord's quotes do not nest."""
    match block:
        case Heading():
            content = " ".join(_lines(Paragraph(block.children)))
            return [f"{'#' * min(max(block.level, 1), _HEADINGS)} {content}"] if content else []
        case Paragraph() | Image() | Media() | Table() | Entry():
            content = marked(flatten(Document((block,))))
            return content.split("\n") if content else []
        case CodeBlock() | FormulaBlock():
            language = clean_line(block.language) if isinstance(block, CodeBlock) else "tex"
            code = clean(block.text).replace("\t", "    ").strip("\n")
            return fence(code, language) if code.strip() else []
        case Quote():
            return _quote(block, quoted=quoted)
        case Details():
            summary = _lines(Paragraph((Strong(block.summary),)), quoted=quoted)
            return [*summary, *_quote(Quote(block.blocks), quoted=quoted)]
        case Note():
            first, *others = _stack(block.blocks, quoted=quoted) or [""]
            return [rf"\[{block.number}\] {first}", *others]
        case Divider() | Contents():
            return []
        case ListBlock():
            return _list(block, quoted=quoted)


def _quote(block: Quote, *, quoted: bool) -> list[str]:
    inner = _stack(block.blocks, quoted=True)
    return inner if quoted else [f"> {line}" for line in inner]


def _stack(blocks: Iterable[Block], *, quoted: bool) -> list[str]:
    return [line for block in blocks for line in _lines(block, quoted=quoted)]


def _list(block: ListBlock, *, quoted: bool) -> list[str]:
    lines: list[str] = []
    for number, item in enumerate(block.items):
        bullet = "- " if block.start is None else f"{block.start + number}. "
        indent = " " * len(bullet)
        for at, line in enumerate(_stack(item, quoted=quoted)):
            lines.append((indent if at else bullet) + line)
    return lines
