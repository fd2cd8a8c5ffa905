"""Presenters: pages, search results, posts, editions and notices as documents. Pure functions."""

import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from html import escape
from urllib.parse import unquote, urlsplit

from content.blocks import to_blocks
from content.document import (
    Block,
    Byline,
    CodeBlock,
    Document,
    Emphasis,
    Excerpt,
    Heading,
    Image,
    Inline,
    LineBreak,
    ListBlock,
    Paragraph,
    Strong,
    Text,
    block_text,
    is_web_url,
    link,
    text,
)
from content.i18n import Msgid, Translator
from content.secrets import home, is_public
from content.text import excerpt
from content.types import Media, Page, Post, SearchResults, Source, SourceState, Visibility

TITLE_LENGTH = 120  # code points of a title in a line: eleven of them leave room for excerpts in 4096
LEAD_LENGTH = 24  # code points at the start of a post without title that become its link
QUERY_LENGTH = 60  # code points of a query that are repeated in its results
BODY_LENGTH = 1500  # code points of a post that is sent alone
BODY_HTML = 32 * 1024  # characters of HTML that are parsed for a body
COUNTED = 1000  # where the index stops to count hits
ATTACHMENTS = 3  # links to attachments below a post
SHORT_EDITION = 11  # posts that fit on one page
NUMBERS = 9  # entries in a line of page numbers
SOURCES = 40  # sources in a list, so that it is one message

# Headings and names of sources that Skywave itself gives; people read them in their language.
BANNER, HEADING = Msgid("INCOMING TRANSMISSION"), Msgid("LATEST UPDATES")
OWN_SOURCES = (Msgid("updates"), Msgid("examples"))


@dataclass(frozen=True, slots=True)
class Look:
    """How a deployment and a chat want things shown. `excerpt_length` is in code points."""

    banner: str = BANNER
    heading: str = HEADING
    excerpt_length: int = 350
    translator: Translator = field(default_factory=Translator)
    timezone: tzinfo = UTC


def page_numbers(current: int, pages: int) -> list[int | None]:
    """The page numbers to show: the first, those around `current`, and the last, with None for a gap.

    There are at most nine entries. A `current` outside 1 to `pages` counts as the nearest page.
    """
    pages = max(pages, 1)
    current = min(max(current, 1), pages)
    if pages <= NUMBERS:
        return list(range(1, pages + 1))
    # Five pages around the current one, and at each end the first or last page with a gap or a page beside
    # it.
    first = min(max(current - 2, 3), pages - 6)
    around = range(first, first + 5)
    second = 2 if first == 3 else None
    last_but_one = pages - 1 if around[-1] == pages - 2 else None
    return [1, second, *around, last_but_one, pages]


def page(page: Page, look: Look) -> Document:
    """One page of posts, a line for each: the answer to `/latest` and `/page`."""
    if not page.posts:
        return _single(*_top(look, look.heading), _line(_empty_store(look)))
    lines = [_post_line(post, post.text, look) for post in page.posts]
    return _single(*_top(look, look.heading), *lines, _numbers(page.number, page.pages))


def results(query_text: str, results: SearchResults, page_number: int, pages: int, look: Look) -> Document:
    """One page of the search results for `query_text`, best first."""
    tr = look.translator
    query = excerpt(query_text, QUERY_LENGTH)
    top = _top(look, tr.t("SEARCH RESULTS"))
    if not results.hits:
        hint = tr.t("Nothing found for “{query}”. Try fewer or shorter words.", query=query)
        return _single(*top, _line(hint))
    total = f"{COUNTED}+" if results.total > COUNTED else str(results.total)
    found = tr.n(
        "{total} post for “{query}”", "{total} posts for “{query}”", results.total, total=total, query=query
    )
    lines = [_post_line(hit.post, hit.snippet or hit.post.text, look) for hit in results.hits]
    return _single(*top, _line(found), *lines, _numbers(page_number, pages))


def post(post: Post, look: Look) -> Document:
    """One post as a message of its own: title, source and date, picture, the beginning of its text."""
    body, cut = _body(post)
    blocks: list[Block] = []
    if title := excerpt(post.title, 2 * TITLE_LENGTH):
        blocks.append(Heading(link(post.url, Text(title)), level=2))
    blocks.append(_origin(post, look))
    if picture := _picture(post, body):
        blocks.append(picture)
    blocks += [block for block in body if not isinstance(block, Image)]
    blocks += _attached(post)
    if cut and is_web_url(post.url):
        blocks.append(Paragraph(link(post.url, Text(look.translator.t("Read more")))))
    return Document(tuple(blocks), single=True, carried=((post.id,),) * len(blocks))


def edition(posts: Sequence[Post], look: Look, *, title: str = "", more: int = 0) -> Document:
    """Many posts at once, a line for each, grouped by source. `more` posts were left out.

    A short edition is one message, a longer one as many as it needs.
    """
    tr = look.translator
    head: list[Block] = [*_top(look, title or look.heading)]
    if not posts:
        return _single(*head, _line(tr.t("Nothing new this time.")))
    blocks: list[Block] = head
    carried: list[tuple[int, ...]] = [()] * len(head)
    grouped = {post.source_id: [p for p in posts if p.source_id == post.source_id] for post in posts}
    for group in grouped.values():
        if name := excerpt(source_name(group[0].source_title, tr), TITLE_LENGTH):
            blocks.append(Paragraph((Strong(text(name)),)))
            carried.append(())
        blocks += [_post_line(post, post.text, look) for post in group]
        carried += [(post.id,) for post in group]
    if more:
        blocks.append(_line(tr.n("and {count} more post", "and {count} more posts", more)))
        carried.append(())
    return Document(tuple(blocks), single=len(posts) <= SHORT_EDITION, carried=tuple(carried))


def schedule(summary: str, runs: Sequence[datetime], look: Look) -> Document:
    """A schedule and its next runs, in the time zone of `look`."""
    tr = look.translator
    lines = [_line(f"• {tr.long_date(run, look.timezone)}") for run in runs]
    return Document((Paragraph(text(summary)), _line(tr.t("The next runs:")), *lines))


def notice(content: str) -> Document:
    """A text of Skywave or of an admin. Empty lines separate paragraphs; line feeds are kept."""
    parts = content.strip().split("\n\n")
    return Document(tuple(Paragraph(_lines(part.strip("\n"))) for part in parts if part.strip()))


def error(message: str) -> Document:
    """An error message."""
    return Document((Paragraph(text(f"⚠ {message}")),))


def help(commands: Iterable[tuple[str, str]], look: Look) -> Document:
    """The commands, given as (usage, summary), a line for each."""
    t = look.translator.t
    rows = [
        Paragraph((Strong(text(usage)), Text(t(": {summary}", summary=summary))), tight=True)
        for usage, summary in commands
    ]
    return Document((Heading(text(t("Commands")), level=2), *rows))


def sources(rows: Sequence[tuple[Source, bool]], look: Look) -> Document:
    """The sources that a chat may see, each with whether the chat follows it; those that it follows first."""
    tr = look.translator
    if not rows:
        return notice(
            tr.t("There are no sources yet. An operator of this bot can add one: skywave sources add URL")
        )
    first = sorted(rows, key=lambda row: not row[1])[:SOURCES]
    lines = [Paragraph(_source_line(source, followed, tr), tight=True) for source, followed in first]
    if left := len(rows) - len(first):
        lines.append(_line(tr.n("and {count} more source", "and {count} more sources", left)))
    return Document((Heading(text(tr.t("Sources")), level=2), *lines))


def source_name(name: str, tr: Translator) -> str:
    """The name of a source as people see and type it."""
    return tr.t(name) if name in OWN_SOURCES else name


def lines(title: str, items: Iterable[str]) -> Document:
    """A heading, and a line for each item."""
    return Document((Heading(text(title), level=2), *map(_line, items)))


def _single(*blocks: Block) -> Document:
    return Document(blocks, single=True)


def _top(look: Look, heading: str) -> tuple[Block, Block]:
    tr = look.translator
    banner = tr.t(BANNER) if look.banner == BANNER else look.banner
    shown = tr.t(HEADING) if heading == HEADING else heading
    return Heading(text(banner)), Heading(text(shown), level=2)


def _line(content: str) -> Paragraph:
    return Paragraph(text(content), tight=True)


def _lines(content: str) -> tuple[Inline, ...]:
    first, *others = content.split("\n")
    return (Text(first), *(node for line in others for node in (LineBreak(), Text(line))))


def _empty_store(look: Look) -> str:
    return look.translator.t(
        "No posts yet. Follow a source with /subscribe URL, "
        "or ask an operator to add one: skywave sources add URL"
    )


def _numbers(current: int, pages: int) -> Paragraph:
    nodes: list[Inline] = []
    for number in page_numbers(current, pages):
        shown = Text("…" if number is None else str(number))
        nodes += [Text(" "), Strong((shown,)) if number == current else shown]
    return Paragraph(tuple(nodes[1:]), tight=True)


def _post_line(post: Post, content: str, look: Look) -> Paragraph:
    """`title: excerpt`. Without a title, the first words of the excerpt are the link."""
    content = _collapse(content, look.excerpt_length)
    title = excerpt(post.title, TITLE_LENGTH)
    if not title and content:
        return Paragraph(_linked_lead(post.url, content, look.excerpt_length), tight=True)
    named = link(post.url, Strong(text(title or look.translator.t("Untitled post"))))
    rest = (Text(": "), Excerpt(content, look.excerpt_length)) if content else ()
    return Paragraph((*named, *rest), tight=True)


def _collapse(content: str, limit: int) -> str:
    """`content` on one line, cut a little after `limit`, so that `excerpt` sees the whole last word."""
    return " ".join(content[: 2 * (limit + 64)].split())[: limit + 64]


def _linked_lead(url: str, content: str, limit: int) -> tuple[Inline, ...]:
    lead = min(LEAD_LENGTH, limit)
    if len(content) <= lead:
        return link(url, Text(content))
    first = excerpt(content, lead).removesuffix("...").rstrip() or content[:lead].rstrip()
    rest = content[len(first) :]
    gap = rest[: len(rest) - len(rest.lstrip())]
    left = max(limit - len(first) - len(gap), 0)
    return (*link(url, Text(first)), Text(gap), Excerpt(rest.lstrip(), left))


def _origin(post: Post, look: Look) -> Byline:
    """The line with source and date. It is the link if the post has no title."""
    when = look.translator.date(post.published_at, look.timezone)
    source = excerpt(source_name(post.source_title, look.translator), TITLE_LENGTH)
    line = Text(" · ".join(filter(None, (source, when))))
    inner = (line,) if post.title.strip() else link(post.url, line)
    author = excerpt(post.author, TITLE_LENGTH)
    return Byline((Emphasis(inner),), tight=True, source=source, author=author, at=post.published_at)


def _body(post: Post) -> tuple[list[Block], bool]:
    """The blocks that fit into `BODY_LENGTH`, and whether any were left out."""
    html = _beginning(post.html)
    blocks = to_blocks(html) or ((Paragraph(text(post.text)),) if post.text.strip() else ())
    kept: list[Block] = []
    room = BODY_LENGTH
    for block in blocks:
        size = 0 if isinstance(block, Image) else len(block_text(block))
        if size > room:
            # A block is cut only if much of it fits; otherwise a few words would be left of it.
            if room > BODY_LENGTH // 2:
                kept.append(_shorten(block, room))
            return _without_last_headings(kept), True
        kept.append(block)
        room -= size
    return kept, len(html) < len(post.html)


def _beginning(html: str) -> str:
    """The first `BODY_HTML` characters of `html`, without a tag that is cut in two."""
    if len(html) <= BODY_HTML:
        return html
    head = html[:BODY_HTML]
    return head[: head.rfind("<")] if head.rfind("<") > head.rfind(">") else head


def _shorten(block: Block, room: int) -> Block:
    """The beginning of a block: whole lines of code, whole items of a list, else an excerpt."""
    if isinstance(block, CodeBlock) and "\n" in block.text[:room]:
        return CodeBlock(block.text[:room].rpartition("\n")[0], block.language)
    if isinstance(block, ListBlock):
        heads = (ListBlock(block.items[:count], block.start) for count in range(len(block.items), 0, -1))
        if head := next((head for head in heads if len(block_text(head)) <= room), None):
            return head
    return Paragraph((Excerpt(block_text(block), room),))


def _without_last_headings(blocks: list[Block]) -> list[Block]:
    """`blocks` without headings at the end, which have no text below them after a cut."""
    while blocks and isinstance(blocks[-1], Heading):
        blocks = blocks[:-1]
    return blocks


def _picture(post: Post, body: Iterable[Block]) -> Image | None:
    inside = (block for block in body if isinstance(block, Image))
    attached = (Image(medium.url, medium.alt) for medium in post.media if _type(medium).startswith("image/"))
    return next((image for image in (*inside, *attached) if is_web_url(image.url)), None)


def _attached(post: Post) -> list[Block]:
    """Links to the attachments of a post, except pictures and those that its text links to already."""
    others = [
        medium
        for medium in post.media
        if is_web_url(medium.url)
        and _type(medium)
        and not _type(medium).startswith("image/")
        and escape(medium.url) not in post.html  # where URLs are escaped
    ]
    return [Paragraph(link(medium.url, Text(_attachment_name(medium)))) for medium in others[:ATTACHMENTS]]


def _attachment_name(medium: Media) -> str:
    """The title or file name of an attachment, with ▶ if it can be played."""
    parts = urlsplit(medium.url)
    name = medium.alt.strip() or unquote(parts.path.rpartition("/")[2]) or parts.hostname or ""
    played = "▶ " if _type(medium).startswith(("audio/", "video/")) else ""
    return played + excerpt(name, TITLE_LENGTH)


def _type(medium: Media) -> str:
    return medium.type or mimetypes.guess_type(medium.url)[0] or ""


def _source_line(source: Source, followed: bool, tr: Translator) -> tuple[Inline, ...]:
    remarks = [
        tr.t("private") if source.visibility is Visibility.PRIVATE else "",
        tr.t("paused") if source.state is SourceState.PAUSED else "",
        tr.n("failed {count} time", "failed {count} times", source.failures) if source.failures else "",
    ]
    shown = tr.t(", ").join(filter(None, remarks))
    # A URL that may hold a key is not shown to everybody: the link leads to the home page of its site.
    url = source.url if is_public(source.url) else home(source.url)
    name = link(url, Text(excerpt(source_name(source.name, tr), TITLE_LENGTH)))
    return (
        Text("✓ " if followed else "· "),
        *name,
        *(text(tr.t(" ({remarks})", remarks=shown)) if shown else ()),
    )
