"""Documents as Telegram messages: text and entities, so that Telegram never parses a post as markup.

Limits and rules: core.telegram.org/bots/api#messageentity and #sendmessage, and TDLib's MessageEntity.cpp.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import Any

from bot.platforms.flat import QUOTES, Flat, Span, SpanKind, flatten, is_visible, trim
from bot.platforms.messages import NOTHING, messages, with_urls, without_mentions
from bot.platforms.telegram.rich_text import is_linkable
from content.document import Document, Image
from scheduler.types import Form, Message, Payload

TEXT_LENGTH = 4096  # code points
ENTITIES = 100  # most entities of a message

_TYPES = {
    SpanKind.STRONG: "bold",
    SpanKind.EMPHASIS: "italic",
    SpanKind.STRIKE: "strikethrough",
    SpanKind.CODE: "code",
    SpanKind.PRE: "pre",
    SpanKind.LINK: "text_link",
    SpanKind.QUOTE: "blockquote",
    SpanKind.FOLDED: "expandable_blockquote",
    SpanKind.UNDERLINE: "underline",
    SpanKind.SPOILER: "spoiler",
}
# The kinds by importance: with more than ENTITIES spans, the last kinds are dropped first.
_WORTH = (
    SpanKind.LINK,
    SpanKind.SPOILER,
    SpanKind.PRE,
    *QUOTES,
    SpanKind.CODE,
    SpanKind.STRONG,
    SpanKind.EMPHASIS,
    SpanKind.STRIKE,
    SpanKind.UNDERLINE,
)
_CODE = (SpanKind.CODE, SpanKind.PRE)
_STYLES = (SpanKind.STRONG, SpanKind.EMPHASIS, SpanKind.STRIKE, SpanKind.UNDERLINE, SpanKind.SPOILER)


def render(document: Document, form: Form) -> tuple[Message, ...]:
    """The messages for a document, each within Telegram's limits.

    A payload has the fields `text`, `entities` (offsets in UTF-16 units) and `link_preview_options` of
    sendMessage.
    """
    return messages(document, partial(_fits, form=form), partial(_payload, form=form))


def _fits(document: Document, form: Form) -> bool:
    return len(_flat(document, form)[0].text) <= TEXT_LENGTH


def _payload(document: Document, form: Form) -> Payload:
    flat, picture = _flat(document, form)
    preview: dict[str, Any] = {"is_disabled": True}
    if picture:
        preview = {"url": picture, "prefer_large_media": True, "show_above_text": True}
    return {
        "text": with_urls(flat, room=TEXT_LENGTH - len(flat.text)) if form is Form.PLAIN else flat.text,
        "entities": [] if form is Form.PLAIN else _entities(flat),
        "link_preview_options": preview,
    }


def _flat(document: Document, form: Form) -> tuple[Flat, str]:
    """The text of a message, never empty, and the URL of the picture above it, or "" for none."""
    picture = next((b for b in document.blocks if isinstance(b, Image) and is_linkable(b.url)), None)
    if form is Form.FULL and picture:
        others = tuple(block for block in document.blocks if block is not picture)
        flat = flatten(Document(others))
        if is_visible(flat.text):
            return without_mentions(flat, code_is_safe=True), picture.url
    flat = flatten(document)
    safe = form is not Form.PLAIN
    return (without_mentions(flat, code_is_safe=safe) if is_visible(flat.text) else Flat(NOTHING)), ""


def _entities(flat: Flat) -> list[dict[str, Any]]:
    spans = sorted(_allowed(flat), key=lambda span: (_WORTH.index(span.kind), span.start))[:ENTITIES]
    # The offset of each code point in UTF-16 units, as the Bot API counts.
    offsets = [0, *accumulate(1 + (ord(ch) > 0xFFFF) for ch in flat.text)]
    in_order = sorted(spans, key=lambda span: (span.start, -span.end, span.kind not in QUOTES))
    return [_entity(span, offsets) for span in in_order]


def _entity(span: Span, offsets: list[int]) -> dict[str, Any]:
    start, end = offsets[span.start], offsets[span.end]
    entity: dict[str, Any] = {"type": _TYPES[span.kind], "offset": start, "length": end - start}
    if span.kind is SpanKind.LINK:
        entity["url"] = span.url
    if span.kind is SpanKind.PRE and span.language:
        entity["language"] = span.language
    return entity


def _allowed(flat: Flat) -> Iterator[Span]:
    """The spans in a combination that Telegram accepts: no style overlaps code, and no code is in a link."""
    # Telegram refuses a whole message for one link that it does not accept.
    links = [span for span in flat.spans if span.kind is SpanKind.LINK and is_linkable(span.url)]
    code = [
        span for span in flat.spans if span.kind in _CODE and not any(map(partial(_overlap, span), links))
    ]
    yield from links
    yield from code
    yield from (span for span in flat.spans if span.kind in QUOTES)
    for style in (span for span in flat.spans if span.kind in _STYLES):
        yield from _around(flat.text, style, code)


def _around(text: str, style: Span, code: Iterable[Span]) -> Iterator[Span]:
    """The parts of a style span that are outside the code spans in it."""
    start = style.start
    holes = [span for span in code if _overlap(span, style)]
    for hole in (*holes, Span(style.end, style.end, style.kind)):
        part = trim(text, replace(style, start=start, end=hole.start)) if start < hole.start else None
        if part:
            yield part
        start = max(start, hole.end)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
