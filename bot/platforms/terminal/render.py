"""Documents as terminal messages: a text with spans, which `styled` turns into colours and links."""

from dataclasses import replace

from rich.style import Style
from rich.text import Text as RichText

from bot.platforms.flat import SpanKind, flatten
from bot.platforms.messages import posts_of
from bot.visible import visible
from content.document import (
    Block,
    Document,
    Emphasis,
    Image,
    LineBreak,
    Link,
    Media,
    Paragraph,
    Text,
)
from content.urls import is_web_url
from scheduler.types import Form, Message, Payload

_STYLES = {
    SpanKind.STRONG: "bold",
    SpanKind.EMPHASIS: "italic",
    SpanKind.STRIKE: "strike",
    SpanKind.CODE: "cyan",
    SpanKind.PRE: "cyan",
    SpanKind.QUOTE: "dim",
    SpanKind.FOLDED: "dim",
    SpanKind.UNDERLINE: "underline",
    SpanKind.SPOILER: "reverse",
}


def render(document: Document, form: Form) -> tuple[Message, ...]:
    """One message of any length. A payload has `text` and `spans`; a span is `[start, end, kind, url]`."""
    flat = flatten(replace(document, blocks=tuple(map(_with_address, document.blocks))))
    spans = [] if form is Form.PLAIN else [[s.start, s.end, str(s.kind), s.url] for s in flat.spans]
    return (Message({"text": flat.text, "spans": spans}, posts_of(document)),)


def _with_address(block: Block) -> Block:
    """Replace a picture, sound or film by a link to it, because a terminal shows none of them."""
    if not isinstance(block, Image | Media) or not is_web_url(block.url):
        return block
    sign, name = ("🖼", block.alt) if isinstance(block, Image) else ("▶", block.title)
    label = f"{name.strip()}: " if name.strip() else ""
    caption = (LineBreak(), Emphasis(block.caption)) if block.caption else ()
    return Paragraph((Text(f"{sign} {label}"), Link(block.url, (Text(block.url),)), *caption))


def plain(payload: Payload) -> str:
    """The text for a pipe. Control characters are replaced one by one, so the spans' offsets stay valid."""
    return visible(str(payload["text"]))


def styled(payload: Payload) -> RichText:
    """The text for a person at a terminal, with styles and clickable links (OSC 8)."""
    text = RichText(plain(payload))
    for start, end, kind, url in payload["spans"]:
        style = Style(link=url) if kind == SpanKind.LINK else Style.parse(_STYLES[SpanKind(kind)])
        text.stylize(style, start, end)
    return text
