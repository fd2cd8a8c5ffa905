"""Which documents gain by a rich message: those of which a plain message would lose something."""

from collections.abc import Iterable, Iterator

from bot.platforms.telegram.render import TEXT_LENGTH
from bot.platforms.telegram.rich import walk
from content.document import (
    Block,
    Details,
    Document,
    Entry,
    Formula,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    Jump,
    Link,
    ListBlock,
    Media,
    Note,
    NoteMark,
    Paragraph,
    Styled,
    Table,
    block_text,
    map_excerpts,
)

LONG = 1000  # code points of a text in which headings and lists help


def gains(document: Document) -> bool:
    """Whether a rich message shows more of the document than a plain one.

    Excerpts do not count to its length, because they are cut to fit into any message.
    """
    blocks = tuple(walk(document.blocks))
    if any(isinstance(block, Table | Details | Note | FormulaBlock | Media | Entry) for block in blocks):
        return True
    if any(isinstance(node, Formula | NoteMark) for node in _inlines(blocks)):
        return True
    if sum(isinstance(block, Image) for block in blocks) > 1:
        return True
    fixed = map_excerpts(document, lambda excerpt: "")
    length = sum(len(block_text(block)) + 2 for block in fixed.blocks)
    return length > TEXT_LENGTH or (length > LONG and _has_structure(document.blocks))


def _has_structure(blocks: Iterable[Block]) -> bool:
    """Whether there is a list, or a heading below some text: those at the top only name the document."""
    below = False
    for block in blocks:
        if isinstance(block, ListBlock) or (below and isinstance(block, Heading)):
            return True
        below = below or not isinstance(block, Heading)
    return False


def _inlines(blocks: Iterable[Block]) -> Iterator[Inline]:
    for block in blocks:
        if isinstance(block, Heading | Paragraph):
            yield from _deep(block.children)


def _deep(nodes: Iterable[Inline]) -> Iterator[Inline]:
    for node in nodes:
        yield node
        if isinstance(node, Styled | Link | Jump):
            yield from _deep(node.children)
