"""White space between inlines, and blocks where only inlines can be."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from content import document as doc
from content.document import Block, Inline

Item = Inline | Block
PICTURE, PLAYED = "🖼 ", "▶ "  # before the name of a picture, and of what can be played


def into_blocks(items: Iterable[Item]) -> tuple[Block, ...]:
    """Make paragraphs of each run of inlines; blocks stay as they are.

    Two line breaks end a paragraph. A picture that follows itself is left out: pages repeat pictures for
    browsers without scripts.
    """
    blocks: list[Block] = []
    for are_blocks, run in groupby(items, _is_block):
        if not are_blocks:
            inlines = [item for item in run if not isinstance(item, Block)]
            blocks += [doc.Paragraph(tidied) for part in _parts(inlines) if (tidied := tidy(part))]
            continue
        for item in run:
            is_repeated = isinstance(item, doc.Image) and blocks[-1:] == [item]
            blocks += [item] if isinstance(item, Block) and not is_repeated else []
    return tuple(blocks)


def _is_block(item: Item) -> bool:
    return isinstance(item, Block)


def _parts(run: Sequence[Inline]) -> Iterable[list[Inline]]:
    """The runs between two line breaks or more."""
    part: list[Inline] = []
    breaks = 0
    for item in run:
        if isinstance(item, doc.LineBreak):
            breaks += 1
        elif breaks and not (isinstance(item, doc.Text) and item.text.isspace()):
            if breaks > 1:
                yield part
                part = []
            breaks = 0
        part.append(item)
    yield part


def around(items: Iterable[Item], wrap: Callable[[tuple[Inline, ...]], tuple[Inline, ...]]) -> list[Item]:
    """Wrap each run of inlines. Blocks between them stay outside, because an inline cannot hold a block."""
    wrapped: list[Item] = []
    for are_blocks, run in groupby(items, _is_block):
        inner = tuple(run)
        inlines = tuple(item for item in inner if not isinstance(item, Block))
        wrapped += inner if are_blocks or not _has_text(inlines) else wrap(inlines)
    return wrapped


def in_inlines(blocks: Iterable[Block]) -> tuple[Inline, ...]:
    """Blocks as inlines, with line breaks between them: for captions and the cells of tables."""
    nodes: list[Inline] = []
    for block in blocks:
        if inner := _in_inlines(block):
            nodes += [doc.LineBreak(), *inner] if nodes else inner
    return tuple(nodes)


def _in_inlines(block: Block) -> Sequence[Inline]:
    match block:
        case doc.Heading() | doc.Paragraph():
            return block.children
        case doc.CodeBlock():
            return [doc.CodeSpan(block.text)]
        case doc.FormulaBlock():
            return [doc.Formula(block.text)]
        case doc.Quote() | doc.Note():
            return in_inlines(block.blocks)
        case doc.Details():
            return in_inlines((doc.Paragraph(block.summary), *block.blocks))
        case doc.ListBlock():
            items = [(doc.Text(bullet), *in_inlines(item)) for bullet, item in _bullets(block)]
            return in_inlines(map(doc.Paragraph, items))
        case doc.Image():
            return _medium(PICTURE, block.url, block.alt, block.caption)
        case doc.Media():
            return _medium(PLAYED, block.url, block.title, block.caption)
        case doc.Table():
            return doc.in_lines(block).children
        case doc.Entry():
            return doc.in_line(block).children
        case doc.Divider() | doc.Contents():
            return ()


def _bullets(block: doc.ListBlock) -> Iterable[tuple[str, tuple[Block, ...]]]:
    for number, item in enumerate(block.items, block.start or 0):
        yield "• " if block.start is None else f"{number}. ", item


def _medium(sign: str, url: str, name: str, caption: tuple[Inline, ...]) -> Sequence[Inline]:
    named = doc.link(url, doc.Text(f"{sign}{name.strip()}".strip()))
    return (*named, doc.Text(" "), *caption) if caption else named


# ---------------------------------------------------------------- white space


def _has_text(items: Iterable[Inline]) -> bool:
    return any(map(_is_seen, items))


def _is_seen(item: Inline) -> bool:
    match item:
        case doc.LineBreak() | doc.NoteMark():
            return True
        case doc.Text() | doc.CodeSpan() | doc.Formula() | doc.Excerpt():
            return bool(item.text.strip())
        case doc.Styled() | doc.Link() | doc.Jump():
            return _has_text(item.children)


def tidy(run: Sequence[Inline]) -> tuple[Inline, ...]:
    """Collapse white space, and remove it at the ends of lines, with inlines that become empty there."""
    collapsed, _ = _collapsed(run, True)
    _trim(collapsed)
    return tuple(collapsed)


def _collapsed(items: Iterable[Inline], after_space: bool) -> tuple[list[Inline], bool]:
    """`items` without white space after white space, and whether they end with white space."""
    kept: list[Inline] = []
    for item in items:
        match item:
            case doc.Text(text):
                text = text.lstrip() if after_space else text
                if not text:
                    continue
                item, after_space = doc.Text(text), text[-1].isspace()
            case doc.LineBreak():
                if kept and isinstance(kept[-1], doc.LineBreak):
                    continue
                _trim(kept)
                after_space = True
                if not kept:
                    continue
            case doc.CodeSpan() | doc.Formula() | doc.NoteMark() | doc.Excerpt():  # white space is kept
                after_space = False
            case doc.Styled() | doc.Link() | doc.Jump():
                children, after_space = _collapsed(item.children, after_space)
                if not children:
                    continue
                item = replace(item, children=tuple(children))
        kept.append(item)
    return _joined(kept), after_space


def _joined(items: Iterable[Inline]) -> list[Inline]:
    """`items` with neighbouring texts as one."""
    joined: list[Inline] = []
    for are_texts, group in groupby(items, lambda item: isinstance(item, doc.Text)):
        run = list(group)
        joined += [doc.Text(doc.inline_text(run))] if are_texts else run
    return joined


def _trim(kept: list[Inline]) -> None:
    """Remove white space and line breaks at the end, in place: a copy for each line would be quadratic."""
    while kept:
        match last := kept.pop():
            case doc.Text():
                if text := last.text.rstrip():
                    return kept.append(doc.Text(text))
            case doc.Styled() | doc.Link() | doc.Jump():
                children = list(last.children)
                _trim(children)
                if children:
                    return kept.append(replace(last, children=tuple(children)))
            case doc.LineBreak():
                continue
            case _:
                return kept.append(last)
