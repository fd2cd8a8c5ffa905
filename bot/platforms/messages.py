"""What renderers share: a document as messages, its title, and links and mentions in plain text."""

import re
from collections.abc import Callable
from math import inf

from bot.platforms.fit import Measure, fit, split
from bot.platforms.flat import Flat, SpanKind, clean, is_visible, shift
from content.document import Document, Heading, block_text
from content.text import excerpt
from scheduler.types import Message, Payload

NOTHING = "…"  # platforms refuse an empty message

# Telegram and others make `@name` in any text a mention, which notifies its owner; inside a URL it stays part
# of that.
_MENTION = re.compile(
    r"https?://(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/[\w.~:/?#@!$&*+,;=%-]*|(?<!\w)@(?=\w)",
    re.ASCII | re.IGNORECASE,
)
_WORD_JOINER = "\u2060"
_CODE = (SpanKind.CODE, SpanKind.PRE)


def messages(
    document: Document, fits: Measure, payload: Callable[[Document], Payload]
) -> tuple[Message, ...]:
    """The messages that a document becomes: one for a page, else as many as it takes."""
    pieces = [fit(document, fits)] if document.single else split(document, fits)
    if len(pieces) == 1:  # it carries even posts of which nothing is visible
        return (Message(payload(pieces[0]), posts_of(document)),)
    return tuple(Message(payload(piece), posts_of(piece)) for piece in pieces)


def posts_of(document: Document) -> tuple[int, ...]:
    """The posts that a document carries, each once."""
    return tuple(dict.fromkeys(post for posts in document.carried for post in posts))


def title_of(document: Document, length: int) -> str:
    """The first heading, else the first line, cut to so many UTF-16 units."""
    blocks = sorted(document.blocks, key=lambda block: not isinstance(block, Heading))
    lines = (line for block in blocks for line in clean(block_text(block)).split("\n"))
    line = next(filter(is_visible, lines), NOTHING)[: 2 * length]
    names = (excerpt(line, length - less) for less in range(length))
    return next((name for name in names if units(name) <= length and is_visible(name)), NOTHING)


def units(content: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(content.encode("utf-16-le")) // 2


def with_urls(flat: Flat, *, room: float = inf, longest: float = inf) -> str:
    """The text with each link's URL written behind it, the first ones as far as there is room.

    `longest`: a URL of more code points is left out.
    """
    pieces, last, seen = [], 0, set[str]()
    for span in flat.spans:
        url = f" ({span.url})"
        if span.kind is not SpanKind.LINK or span.url in seen or len(url) > min(room, longest):
            continue
        seen.add(span.url)
        if flat.text[span.start : span.end] != span.url:
            pieces += [flat.text[last : span.end], url]
            last, room = span.end, room - len(url)
    return "".join(pieces) + flat.text[last:]


def without_mentions(flat: Flat, *, code_is_safe: bool = False) -> Flat:
    """The text in which no name is a mention. `code_is_safe`: the platform looks for none in code."""
    code = [span for span in flat.spans if span.kind in _CODE] if code_is_safe else []
    places = (found.end() for found in _MENTION.finditer(flat.text) if found.group() == "@")
    outside = (at for at in places if not any(span.start < at <= span.end for span in code))
    return shift(flat, outside, _WORD_JOINER)
