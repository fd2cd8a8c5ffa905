"""Documents as components V2: a container with texts, galleries of pictures and separators.

Limits: github.com/discord/discord-api-docs (components reference). Two limits are documented nowhere: the
number of pictures of a message (#7528), and the bytes of its texts, above which Discord answers 500 (#8554).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import Any

from bot.platforms.discord.markdown import has_text, to_markdown
from bot.platforms.flat import clean_line, is_visible
from bot.platforms.messages import NOTHING, units
from content.document import Block, Byline, Divider, Document, Emphasis, Heading, Image, Paragraph
from content.text import excerpt
from content.urls import is_web_url

Json = dict[str, Any]

SECTION, TEXT, THUMBNAIL, GALLERY, SEPARATOR, CONTAINER = 9, 10, 11, 12, 14, 17  # types of components
COMPONENTS = 40  # with those inside others
TEXT_LENGTH = 4000  # of all texts together, in UTF-16 units
BYTES = 10_000  # of all texts and pictures; 10,170 for texts alone were measured
PER_TEXT, PER_PICTURE = 12, 64  # bytes that each one costs besides its content
GALLERY_ITEMS, PICTURES = 10, 40
DESCRIPTION_LENGTH = 1000  # code points of a picture's description; 1024 with the mark of a cut
IMAGE_URL_LENGTH = 2048


def can_show(block: Block) -> bool:
    """Whether a block is a picture whose URL Discord accepts."""
    return isinstance(block, Image) and is_web_url(block.url) and units(block.url) <= IMAGE_URL_LENGTH


def shows_more(document: Document) -> bool:
    """Whether components show more of a document than an embed: pictures in place, captions, dividers.

    An embed has one picture, below its text. So one without a caption, above the text, loses nothing there.
    """
    if any(isinstance(block, Divider) for block in document.blocks):
        return True
    images = [block for block in document.blocks if isinstance(block, Image) and can_show(block)]
    above = document.blocks[: len(_head(document.blocks)) + 1]
    return bool(images) and not (len(images) == 1 and images[0] in above and _is_bare(images[0]))


def components(document: Document, *, pictures: bool, colour: int | None) -> list[Json]:
    """The components of one message. Without `pictures`, they are links."""
    inner = _children(document.blocks, pictures) or [_text(NOTHING)]
    accent = {} if colour is None else {"accent_color": colour}
    return [{"type": CONTAINER, "components": inner} | accent]


def fits(made: Sequence[Json]) -> bool:
    """Whether Discord takes these components as one message."""
    every, texts, shown = list(_walk(made)), texts_in(made), pictures_in(made)
    if len(every) > COMPONENTS or len(shown) > PICTURES or sum(map(units, texts)) > TEXT_LENGTH:
        return False
    words = [one["media"]["url"] + one.get("description", "") for one in shown]
    size = sum(len(text.encode()) for text in (*texts, *words))
    return size + PER_TEXT * len(texts) + PER_PICTURE * len(shown) <= BYTES


def texts_in(made: Sequence[Json]) -> list[str]:
    """The texts of components, in reading order."""
    return [item["content"] for item in _walk(made) if item["type"] == TEXT]


def pictures_in(made: Sequence[Json]) -> list[Json]:
    """The thumbnails and the items of galleries, each with `media` and perhaps `description`."""
    return [one for item in _walk(made) for one in item.get("items", [item] if "media" in item else ())]


def _walk(made: Iterable[Json]) -> Iterable[Json]:
    for item in made:
        yield item
        yield from _walk(item.get("components", ()))
        yield from _walk([item["accessory"]] if "accessory" in item else ())


def _children(blocks: Sequence[Block], pictures: bool) -> list[Json]:
    made: list[Json] = []
    if pictures and (lead := _lead(blocks)):
        beside = {"type": THUMBNAIL} | _item(lead)
        at = blocks.index(lead)
        made.append({"type": SECTION, "components": [_text(to_markdown(blocks[:at]))], "accessory": beside})
        blocks = blocks[at + 1 :]
    for kind, run in groupby(blocks, key=lambda block: _kind(block, pictures)):
        if kind == GALLERY:
            made += _galleries(block for block in run if isinstance(block, Image))
        elif kind == TEXT and is_visible(content := to_markdown(run)):
            made.append(_text(content))
        elif kind == SEPARATOR and made and made[-1]["type"] != SEPARATOR:
            made.append({"type": SEPARATOR})
    return made[:-1] if made and made[-1]["type"] == SEPARATOR else made


def _kind(block: Block, pictures: bool) -> int:
    if isinstance(block, Divider):
        return SEPARATOR
    return GALLERY if pictures and can_show(block) else TEXT


def _lead(blocks: Sequence[Block]) -> Image | None:
    """The picture that stands alone between title and text.

    It becomes a small one beside the title, so that the text begins in sight.
    """
    head = _head(blocks)
    at, below = len(head), blocks[len(head) + 1 :]
    if not (has_text(head) and below and _kind(below[0], True) == TEXT):
        return None
    block = blocks[at]
    return block if isinstance(block, Image) and can_show(block) and _is_bare(block) else None


def _head(blocks: Sequence[Block]) -> Sequence[Block]:
    """The title and the byline at the top."""
    return list(takewhile(lambda block: isinstance(block, Heading | Byline), blocks))


def _is_bare(image: Image) -> bool:
    return not has_text((Paragraph(image.caption),))


def _galleries(images: Iterable[Image]) -> Iterator[Json]:
    """Pictures in galleries. One with a caption has its own, and the caption below."""
    for bare, run in groupby(images, key=_is_bare):
        group = list(run)
        size = GALLERY_ITEMS if bare else 1
        for at in range(0, len(group), size):
            yield {"type": GALLERY, "items": [_item(image) for image in group[at : at + size]]}
            if not bare:
                yield _text(to_markdown((Paragraph((Emphasis(group[at].caption),)),)))


def _item(image: Image) -> Json:
    """A picture, with its description for those who cannot see it."""
    description = clean_line(excerpt(image.alt, DESCRIPTION_LENGTH))
    return {"media": {"url": image.url}} | ({"description": description} if is_visible(description) else {})


def _text(content: str) -> Json:
    return {"type": TEXT, "content": content}
