"""Makes documents fit into messages: a page gets shorter excerpts, others are split into several messages."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import regex

from content.document import (
    Block,
    CodeBlock,
    CodeSpan,
    Contents,
    Details,
    Divider,
    Document,
    Emphasis,
    Entry,
    Excerpt,
    Formula,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    Jump,
    LineBreak,
    Link,
    ListBlock,
    Media,
    Note,
    NoteMark,
    Paragraph,
    Quote,
    Strong,
    Styled,
    Table,
    Text,
    block_text,
    in_line,
    in_lines,
    inline_text,
    map_excerpts,
)
from content.text import excerpt

Measure = Callable[[Document], bool]
Row = tuple[Block, tuple[int, ...]]  # a block and the posts that it carries

_MARK = "..."
_WORD = 64  # how many code points before the end of a piece a space is still a good place to cut


def fit(document: Document, measure: Measure) -> Document:
    """The document, shortened so that it fits into one message.

    All excerpts lose the same number of code points, the fewest that suffice. If that is not enough, all
    blocks are cut to the same length. The last resort is the first message of a split.
    """
    ways = ((_less_excerpt, _longest_excerpt(document)), (_less_block, _longest_block(document)))
    for shrink, steps in ways:
        if shrunk := _first_that_fits(partial(shrink, document), range(steps + 1), measure):
            return shrunk
    return replace(next(_messages(document, measure)), single=True)


def _first_that_fits(shrink: Callable[[int], Document], steps: range, measure: Measure) -> Document | None:
    whole = shrink(0)
    if measure(whole):  # most documents fit unchanged
        return whole
    less = bisect_left(steps, True, lo=1, key=lambda by: measure(shrink(by)))
    return shrink(less) if less < len(steps) else None


def split(document: Document, fits: Measure) -> list[Document]:
    """Split a document into documents that each fit, in order and without loss.

    Each block keeps its entry in `carried`. Messages end where blocks end; only a block that is too long for
    one message is cut: after a line, else after a word, else after a grapheme.
    """
    return list(_messages(document, fits))


def _messages(document: Document, fits: Measure) -> Iterator[Document]:
    whole = _less_excerpt(document, 0)
    carried = whole.carried or ((),) * len(whole.blocks)
    rows = zip(whole.blocks, carried, strict=True)
    waiting = _without_needless_dividers(row for row in rows if _is_shown(row[0]))
    if not any(map(_has_text, waiting)):
        yield Document(())
    while waiting:
        if isinstance(waiting[0][0], Divider):
            del waiting[0]
        count = _most(lambda count: fits(_document(waiting[:count])), len(waiting), guess=16)
        if not count:
            block, posts = waiting[0]
            head, tail = _largest_head(block, fits)
            waiting[:1] = [(head, posts), (tail, posts)] if tail else [(head, posts)]
            count = 1
        if any(map(_has_text, waiting[:count])):
            yield _document(waiting[:count])
        del waiting[:count]


def _has_text(row: Row) -> bool:
    return bool(block_text(row[0]).strip())


def _is_shown(block: Block) -> bool:
    """Whether some form shows the block: some show lines and tables of contents, which have no text."""
    return isinstance(block, Divider | Contents) or bool(block_text(block).strip())


def _without_needless_dividers(rows: Iterable[Row]) -> list[Row]:
    """The rows without dividers at their end, and without more than one between two others."""
    kept: list[Row] = []
    for row in rows:
        if not (isinstance(row[0], Divider) and kept and isinstance(kept[-1][0], Divider)):
            kept.append(row)
    return kept[:-1] if kept and isinstance(kept[-1][0], Divider) else kept


def _document(rows: Iterable[Row]) -> Document:
    blocks, carried = zip(*rows, strict=True)
    return Document(blocks, carried=carried)


def _most(fits: Callable[[int], bool], end: int, *, guess: int) -> int:
    """The largest number up to `end` that fits, 0 if none does.

    `guess` is doubled while it fits, then a binary search follows: each test renders the document.
    """
    low, high = 0, min(guess, end)
    while fits(high):
        if high == end:
            return end
        low, high = high, min(2 * high, end)
    between = range(low + 1, high)
    return low + bisect_left(between, True, key=lambda number: not fits(number))


def _less_excerpt(document: Document, by: int) -> Document:
    return map_excerpts(document, lambda node: excerpt(node.text, max(node.limit - by, 0)))


def _longest_excerpt(document: Document) -> int:
    limits = [0]

    def note(node: Excerpt) -> str:
        limits.append(node.limit)
        return ""

    map_excerpts(document, note)
    return max(limits)


def _less_block(document: Document, by: int) -> Document:
    limit = _longest_block(document) - by
    shortest = _less_excerpt(document, _longest_excerpt(document))
    return replace(shortest, blocks=tuple(_capped(block, limit) for block in shortest.blocks))


def _longest_block(document: Document) -> int:
    return max((len(block_text(block)) for block in document.blocks), default=0)


def _capped(block: Block, limit: int) -> Block:
    if len(block_text(block)) <= limit:
        return block
    head, _ = cut(block, max(limit, 1))
    if isinstance(head, Heading | Paragraph):
        return replace(head, children=(*head.children, Text(_MARK)))
    return head


def _largest_head(block: Block, fits: Measure) -> tuple[Block, Block | None]:
    """The block, cut at the last good place at which its head fits; the head has at least one code point."""
    content = block_text(block)
    most = _most(lambda at: fits(Document((cut(block, at)[0],))), len(content), guess=1024)
    return cut(block, border(content, max(most, 1)))


def border(content: str, at: int) -> int:
    """The last good place to cut `content` at or before `at` (> 0): after a line, a word or a grapheme."""
    if at >= len(content) or content[at].isspace():
        return at
    if line := content.rfind("\n", at // 2, at) + 1:
        return line
    if word := content.rfind(" ", max(at // 2, at - _WORD), at) + 1:
        return word
    start = max(0, at - _WORD)
    starts = (start + match.start() for match in regex.finditer(r"\X", content[start : at + _WORD]))
    return max((place for place in starts if start < place <= at), default=at)


def cut(block: Block, at: int) -> tuple[Block, Block | None]:
    """The block up to the code point `at` (> 0) of its `block_text`, and the rest if there is any.

    A picture, sound or film is only parted from its caption. The rest of a list item that is cut repeats the
    item's bullet or number. A table is cut between rows; a row that is too long becomes a line of text.
    """
    match block:
        case Image() | Media() if block.caption and at < len(block_text(block)):
            return replace(block, caption=()), Paragraph((Emphasis(block.caption),))
        case Image() | Media() | Divider() | Contents():
            return block, None
        case CodeBlock() | FormulaBlock():
            rest = block.text[at:]
            return replace(block, text=block.text[:at]), replace(block, text=rest) if rest else None
        case Heading() | Paragraph():
            head, tail = _cut_inlines(block.children, at)
            return replace(block, children=head), replace(block, children=tail) if tail else None
        case Entry():
            return cut(in_line(block), at)
        case Quote() | Note():
            first, others = _cut_blocks(block.blocks, at)
            return replace(block, blocks=first), replace(block, blocks=others) if others else None
        case ListBlock():
            return _cut_list(block, at)
        case Details():
            return _cut_details(block, at)
        case Table():
            return _cut_table(block, at)


def _cut_details(block: Details, at: int) -> tuple[Block, Block | None]:
    """The rest is a folded part as well, without the summary if that is in the head."""
    below = at - len(inline_text(block.summary)) - 1 if block.summary else at
    if below > 0:
        first, others = _cut_blocks(block.blocks, below)
        return replace(block, blocks=first), Details((), others) if others else None
    head, tail = _cut_inlines(block.summary, at)
    rest = replace(block, summary=tail) if tail or block.blocks else None
    return Paragraph((Strong(head),)), rest


def _cut_table(block: Table, at: int) -> tuple[Block, Block | None]:
    heads = (replace(block, rows=block.rows[:count]) for count in range(len(block.rows), 0, -1))
    head = next((head for head in heads if len(block_text(head)) <= at), None)
    if head is None:
        return cut(in_lines(block), at)
    rest = block.rows[len(head.rows) :]
    return head, Table(rest) if rest else None


def _cut_list(block: ListBlock, at: int) -> tuple[ListBlock, ListBlock | None]:
    first, others = _cut_blocks(tuple(map(Quote, block.items)), at)
    done = len(block.items) - len(others)
    start = None if block.start is None else block.start + done
    return replace(block, items=_items(first)), ListBlock(_items(others), start) if others else None


def _items(quotes: Iterable[Block]) -> tuple[tuple[Block, ...], ...]:
    return tuple(quote.blocks for quote in quotes if isinstance(quote, Quote))


def _cut_blocks(blocks: tuple[Block, ...], at: int) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    for number, block in enumerate(blocks):
        size = len(block_text(block))
        if at < size:
            head, tail = cut(block, at)
            return (*blocks[:number], head), (*((tail,) if tail else ()), *blocks[number + 1 :])
        at -= size + 1
        if at <= 0:
            return blocks[: number + 1], blocks[number + 1 :]
    return blocks, ()


def _cut_inlines(nodes: tuple[Inline, ...], at: int) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    for number, node in enumerate(nodes):
        size = len(inline_text((node,)))
        if at < size:
            head, tail = _cut_inline(node, at)
            return (*nodes[:number], *head), (*tail, *nodes[number + 1 :])
        at -= size
    return nodes, ()


def _cut_inline(node: Inline, at: int) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    match node:
        case _ if at == 0:
            return (), (node,)
        case Text() | CodeSpan() | Formula() | Excerpt():
            return (replace(node, text=node.text[:at]),), (replace(node, text=node.text[at:]),)
        case Styled() | Link() | Jump():
            head, tail = _cut_inlines(node.children, at)
            return (replace(node, children=head),), (replace(node, children=tail),)
        case NoteMark():
            return _cut_inline(Text(inline_text((node,))), at)
        case LineBreak():
            return (node,), ()
