"""Blocks as Discord's Markdown, in which outside text is escaped."""

from collections.abc import Iterable

from bot.platforms.discord.markup import fence, marked
from bot.platforms.discord.tables import as_code
from bot.platforms.flat import clean, clean_line, flatten, is_tight, is_visible
from content.document import (
    Block,
    Byline,
    CodeBlock,
    Contents,
    Details,
    Divider,
    Document,
    Emphasis,
    Entry,
    FormulaBlock,
    Heading,
    Image,
    Inline,
    Link,
    ListBlock,
    Media,
    Note,
    Paragraph,
    Quote,
    Strong,
    Styled,
    Table,
    Text,
    block_text,
    link,
)
from content.text import excerpt

NAME_LENGTH = 128  # code points of a source or author: they leave room in an embed's total of 6000
_HEADINGS = 3  # heading levels in Discord's Markdown
_SMALL = "-# "  # small, grey print


def has_text(blocks: Iterable[Block]) -> bool:
    return any(is_visible(clean(block_text(block))) for block in blocks)


def to_markdown(blocks: Iterable[Block]) -> str:
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


def name_of(content: str) -> str:
    """The name of a source or author, shortened; "" if nothing of it is visible."""
    name = clean_line(excerpt(content, NAME_LENGTH)).strip()
    return name if is_visible(name) else ""


def link_of(byline: Byline) -> str:
    """The URL that a byline links to, or "" for none."""
    nodes: list[Inline] = list(byline.children)
    while nodes:
        match nodes.pop(0):
            case Link(url=url):
                return url
            case Styled(children=inner):
                nodes += inner
    return ""


def _lines(block: Block, *, quoted: bool = False) -> list[str]:
    """A block as lines of Markdown; no lines if it has no text. Discord's quotes do not nest."""
    match block:
        case Heading():
            content = " ".join(_lines(Paragraph(block.children)))
            return [f"{'#' * min(max(block.level, 1), _HEADINGS)} {content}"] if content else []
        case Byline():
            return _byline(block)
        case Table():
            return _table(block)
        case Paragraph() | Image() | Media() | Entry():
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
            return _note(block, quoted=quoted)
        case Divider() | Contents():
            return []
        case ListBlock():
            return _list(block, quoted=quoted)


def _byline(block: Byline) -> list[str]:
    """Source, author and time in small print. Discord shows the time in the reader's own time zone."""
    if block.at is None:
        return _lines(Paragraph(block.children))
    url = link_of(block)
    names = list(dict.fromkeys(filter(None, map(name_of, (block.source, block.author)))))
    shown: tuple[Inline, ...] = (Text(" · ".join(names)),) if names else ()
    first = _lines(Paragraph(link(url, *shown)))
    return [_SMALL + " · ".join((*first, f"<t:{int(block.at.timestamp())}:f>"))]


def _table(block: Table) -> list[str]:
    """A narrow table as aligned code; a wider one, or one with links, as a line for each row."""
    code = as_code(block)
    if code is None:
        content = marked(flatten(Document((block,))))
        return content.split("\n") if content else []
    caption = _lines(Paragraph((Emphasis(block.caption),)))
    return [*caption, *fence(code, "")]


def _note(block: Note, *, quoted: bool) -> list[str]:
    """A footnote in small print, unless it holds more than paragraphs."""
    first, *others = _stack(block.blocks, quoted=quoted) or [""]
    lines = [rf"\[{block.number}\] {first}", *others]
    is_text = all(isinstance(inner, Paragraph) for inner in block.blocks)
    return [_SMALL + line for line in lines] if is_text else lines


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
