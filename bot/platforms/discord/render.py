"""Documents as Discord messages: components V2, embeds or plain text, in which outside text is escaped.

Limits: github.com/discord/discord-api-docs (message and embed object). The API counts code points (issue
#1315), clients count UTF-16 units. We measure UTF-16 units, because there are never fewer of them.
"""

import colorsys
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from bot.platforms.discord.layout import Json, can_show, components, fits, shows_more
from bot.platforms.discord.markdown import has_text, link_of, name_of, to_markdown
from bot.platforms.discord.markup import plain
from bot.platforms.flat import flatten
from bot.platforms.messages import NOTHING, messages, title_of, units
from content.document import Block, Byline, Document, Emphasis, Image, Paragraph
from content.urls import is_web_url
from scheduler.types import Form, Message, Payload

# All lengths are in UTF-16 units.
CONTENT_LENGTH = 2000
DESCRIPTION_LENGTH = 4096
TITLE_LENGTH = 100  # of a forum thread's name
AUTHOR_URL_LENGTH = 2048
SATURATION, LIGHTNESS = 0.6, 0.55  # of colours that are seen on dark and light backgrounds


@dataclass(frozen=True, slots=True)
class _Shape:
    """How messages of one form are made of documents, and whether Discord takes them."""

    payload: Callable[[Document], Payload]
    fits: Callable[[Payload], bool]


def render(document: Document, form: Form) -> tuple[Message, ...]:
    """The messages for a document, each within Discord's limits.

    A payload has `content`, `embeds` (at most one) and `title`, a plain text that names a thread. In the
    plain form, `content` holds everything; in the rich forms, `components` do. Embeds and components are
    JSON of the API. `continued` is set in the first of several messages.
    """
    shape = _shape(document, form)
    title = title_of(document, TITLE_LENGTH)
    made = messages(document, lambda piece: shape.fits(shape.payload(piece)), shape.payload)
    named = [replace(message, payload=message.payload | {"title": title}) for message in made]
    if len(named) > 1:
        named[0] = replace(named[0], payload=named[0].payload | {"continued": True})
    return tuple(named)


def prefers_rich(document: Document) -> bool:
    """Whether components show more of a document than an embed does."""
    return shows_more(document)


def _shape(document: Document, form: Form) -> _Shape:
    colour = colour_of(document)
    match form:
        case Form.PLAIN:
            return _Shape(_plain, lambda made: units(made["content"]) <= CONTENT_LENGTH)
        case Form.RICH | Form.RICH_TEXT:
            rich = partial(_rich, pictures=form is Form.RICH, colour=colour)
            return _Shape(rich, lambda made: fits(made["components"]))
        case Form.FULL | Form.NO_MEDIA:
            embed = partial(_embed, picture=form is Form.FULL, colour=colour)
            return _Shape(embed, lambda made: units(made["embeds"][0]["description"]) <= DESCRIPTION_LENGTH)


def _plain(document: Document) -> Payload:
    shown = plain(flatten(document)) if has_text(document.blocks) else ""
    return {"content": shown or NOTHING, "embeds": []}


def _rich(document: Document, *, pictures: bool, colour: int | None) -> Payload:
    shown = components(document, pictures=pictures, colour=colour)
    return {"content": "", "embeds": [], "components": shown}


def _embed(document: Document, *, picture: bool, colour: int | None) -> Payload:
    """One embed. Its places for author, footer and time take the byline, its image the first picture.

    Several embeds with one URL would show up to four pictures, but only on some clients: where there are
    several pictures, the rich form shows all of them.
    """
    blocks, embed = list(document.blocks), dict[str, object]()
    if colour is not None:
        embed["color"] = colour
    if (byline := _byline_of(document)) and (places := _places(byline)):
        rest = [block for block in blocks if block is not byline]
        if has_text(rest):
            blocks, embed = rest, embed | places
    image = next((b for b in blocks if isinstance(b, Image) and can_show(b)), None) if picture else None
    if image is not None:
        embed["image"] = {"url": image.url}
        rest = [below for block in blocks for below in (_caption(image) if block is image else (block,))]
        blocks = rest if has_text(rest) else blocks
    shown = to_markdown(blocks) if has_text(blocks) else ""
    return {"content": "", "embeds": [embed | {"description": shown or NOTHING}]}


def _caption(image: Image) -> tuple[Block, ...]:
    return (Paragraph((Emphasis(image.caption),)),) if image.caption else ()


def _byline_of(document: Document) -> Byline | None:
    return next((block for block in document.blocks if isinstance(block, Byline)), None)


def _places(byline: Byline) -> Json:
    """What an embed says in its own places: the source above, the author and the time below."""
    if byline.at is None:
        return {}
    source, author = name_of(byline.source), name_of(byline.author)
    url = link_of(byline)
    places: Json = {"timestamp": byline.at.isoformat()}
    if source or author:
        where = {"url": url} if is_web_url(url) and units(url) <= AUTHOR_URL_LENGTH else {}
        places["author"] = {"name": source or author} | where
    if source and author and author != source:
        places["footer"] = {"text": author}
    return places


def colour_of(document: Document) -> int | None:
    """A colour that is always the same for a source, as 0xRRGGBB; None if no source is named."""
    byline = _byline_of(document)
    if byline is None or not name_of(byline.source):
        return None
    hue = hashlib.blake2b(byline.source.encode(errors="replace"), digest_size=2).digest()
    red, green, blue = colorsys.hls_to_rgb(int.from_bytes(hue) / 0x10000, LIGHTNESS, SATURATION)
    return round(red * 255) << 16 | round(green * 255) << 8 | round(blue * 255)
