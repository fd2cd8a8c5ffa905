"""What renderers share: splitting a document into messages, its title, links and mentions in plain text."""

import re
from collections.abc import Callable
from math import inf

from bot.platforms.fit import Measure, fit, split
from bot.platforms.flat import Flat, SpanKind, clean, is_visible, shift
from content.document import Document, Heading, block_text
from content.text import excerpt
from scheduler.types import Message, Payload

NOTHING = "…"  # sent in place of an empty message, which platforms refuse

# Telegram and others turn `@name` in any text into a mention, which notifies that person. A URL is matched
# first, because an `@` inside it is no mention and must stay unchanged.
_MENTION = re.compile(
    r"https?://(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/[\w.~:/?#@!$&*+,;=%-]*|(?<!\w)@(?=\w)",
    re.ASCII | re.IGNORECASE,
)
_WORD_JOINER = "\u2060"
_CODE = (SpanKind.CODE, SpanKind.PRE)


def messages(
    document: Document, fits: Measure, payload: Callable[[Document], Payload]
) -> tuple[Message, ...]:
    """The messages for a document: one for a page, which is shortened to fit; otherwise as many as needed."""
    pieces = [fit(document, fits)] if document.single else split(document, fits)
    if len(pieces) == 1:  # it carries all posts, even those without visible text
        return (Message(payload(pieces[0]), posts_of(document)),)
    return tuple(Message(payload(piece), posts_of(piece)) for piece in pieces)


def posts_of(document: Document) -> tuple[int, ...]:
    """The ids of the posts that a document carries, each once."""
    return tuple(dict.fromkeys(post for posts in document.carried for post in posts))


def title_of(document: Document, length: int) -> str:
    """The first heading, else the first line, cut to at most `length` UTF-16 units."""
    blocks = sorted(document.blocks, key=lambda block: not isinstance(block, Heading))
    lines = (line for block in blocks for line in clean(block_text(block)).split("\n"))
    line = next(filter(is_visible, lines), NOTHING)[: 2 * length]
    names = (excerpt(line, length - less) for less in range(length))
    return next((name for name in names if units(name) <= length and is_visible(name)), NOTHING)


def units(content: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(content.encode("utf-16-le")) // 2


def with_urls(flat: Flat, *, room: float = inf, longest: float = inf) -> str:
    """The text with the URL of each link written after it.

    `room`: code points available for URLs; a URL that no longer fits is left out. `longest`: a URL of more
    code points is left out.
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
    """The text with a word joiner after each `@` that would begin a mention.

    `code_is_safe`: the platform finds no mentions in code, so code stays unchanged.
    """
    code = [span for span in flat.spans if span.kind in _CODE] if code_is_safe else []
    places = (found.end() for found in _MENTION.finditer(flat.text) if found.group() == "@")
    outside = (at for at in places if not any(span.start < at <= span.end for span in code))
    return shift(flat, outside, _WORD_JOINER)
