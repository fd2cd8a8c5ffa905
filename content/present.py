"""Presenters: pages, search results, posts, editions and notices as documents. Pure functions."""

import mimetypes
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from html import escape
from itertools import accumulate
from urllib.parse import unquote, urlsplit

import regex

from content.blocks import to_blocks
from content.document import (
    Block,
    Byline,
    CodeBlock,
    CodeSpan,
    Contents,
    Document,
    Emphasis,
    Entry,
    Excerpt,
    Heading,
    Image,
    Inline,
    Jump,
    LineBreak,
    ListBlock,
    Paragraph,
    Strike,
    Strong,
    Text,
    block_text,
    in_line,
    link,
    text,
    without_images,
)
from content.formats import DEFAULT, Detail, Format
from content.i18n import Msgid, Translator
from content.secrets import home, is_public
from content.text import excerpt, plain_text
from content.types import (
    Match,
    Media,
    Page,
    ParsedPost,
    Post,
    Rung,
    SearchResults,
    Source,
    SourceState,
    Visibility,
)
from content.urls import is_web_url

TITLE_LENGTH = 120  # code points of a title in a line: eleven of them leave room for excerpts in 4096
LEAD_LENGTH = 24  # code points at the start of a post without title that become its link
FOUND_LENGTH = 100  # code points of the excerpt of a post that a page was found to have
QUERY_LENGTH = 60  # code points of a query that are repeated in its results
BODY_LENGTH = 1500  # code points of an excerpt of a post that is sent alone
BODY_HTML = 32 * 1024  # characters of HTML that are parsed for an excerpt
FULL_LENGTH = 64 * 1024  # code points of a full post: sixteen messages of Telegram
FULL_HTML = 512 * 1024  # characters of HTML that are parsed for a full post
COUNTED = 1000  # where the index stops to count hits
ATTACHMENTS = 3  # links to attachments below a post
HASHTAGS = 10  # most hashtags below a post
HASHTAG_LENGTH = 40  # code points; a longer tag is left out
SHORT_EDITION = 11  # posts that fit on one page
NUMBERS = 9  # entries in a line of page numbers
SOURCES = 40  # sources in a list, so that it is one message

# In the tag of a post: what becomes an underscore, and what a hashtag cannot contain.
_BETWEEN_WORDS, _NO_WORD = regex.compile(r"[\s/.&\p{Pd}]+"), regex.compile(r"\W+")

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
    format: Format = DEFAULT


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
    if results.match.rung is Rung.SIMILAR:
        found = tr.t("Posts similar to “{query}”", query=query)
        lines = _hit_lines(results, look) or [_line(tr.t("There are no similar posts."))]
        return _single(*top, _line(found), *lines, _numbers(page_number, pages))
    if not results.hits:
        hint = tr.t("Nothing found for “{query}”. Try fewer or shorter words.", query=query)
        return _single(*top, _line(hint))
    total = f"{COUNTED}+" if results.total > COUNTED else str(results.total)
    found = tr.n(
        "{total} post for “{query}”", "{total} posts for “{query}”", results.total, total=total, query=query
    )
    how = [_line(line)] if (line := how_found(results.match, tr)) else []
    return _single(*top, _line(found), *how, *_hit_lines(results, look), _numbers(page_number, pages))


def _hit_lines(results: SearchResults, look: Look) -> list[Paragraph]:
    return [_post_line(hit.post, hit.snippet or hit.post.text, look, hit.spans) for hit in results.hits]


def how_found(match: Match, tr: Translator) -> str:
    """How the hits match the query, if not all of them match all of it as it was typed."""
    corrected = [
        tr.t("Shown for {meant} instead of {typed}.", meant=word.meant, typed=word.typed)
        for word in match.corrections
    ]
    if match.rung is Rung.ALL:
        return tr.sentences(*corrected)
    if match.exact:
        loose = tr.n(
            "Only the first {count} post has all words.",
            "Only the first {count} posts have all words.",
            match.exact,
        )
    elif match.rung is Rung.PARTS:
        loose = tr.t("Nothing has these characters in a row; these posts have them apart.")
    elif match.rung is Rung.MOST:
        loose = tr.t("Nothing has all words; these posts have all but one.")
    else:
        loose = tr.t("Nothing has all words; these posts have some of them.")
    return tr.sentences(*corrected, loose)


def post(post: Post, look: Look) -> Document:
    """One post as messages of its own, as the format of `look` says; a full one may become several."""
    blocks: list[Block] = []
    if title := excerpt(post.title, 2 * TITLE_LENGTH):
        blocks.append(Heading(link(post.url, Text(title)), level=2))
    blocks.append(_origin(post, look))
    if post.withdrawn_at:
        return _withdrawn(post, blocks, look)
    if look.format.detail is not Detail.TITLE:
        blocks += _content(post, look)
    elif not title and post.text.strip():
        blocks.append(Paragraph((Excerpt(post.text, TITLE_LENGTH),)))
    if look.format.hashtags and (tags := hashtags(post.tags)):
        blocks.append(_line(" ".join(tags)))
    single = look.format.detail is not Detail.FULL
    return Document(tuple(blocks), single=single, carried=((post.id,),) * len(blocks))


def _withdrawn(post: Post, head: Sequence[Block], look: Look) -> Document:
    """A post that its source has deleted: struck through, with a line that says so."""
    blocks: list[Block] = [
        replace(block, children=(Strike(block.children),)) if isinstance(block, Heading) else block
        for block in head
    ]
    blocks.append(_line(look.translator.t("The source has withdrawn this post.")))
    if post.text.strip() and look.format.detail is not Detail.TITLE:
        blocks.append(Paragraph((Strike((Excerpt(post.text, BODY_LENGTH),)),)))
    return Document(tuple(blocks), single=True, carried=((post.id,),) * len(blocks))


def hashtags(tags: Iterable[str]) -> Sequence[str]:
    """The tags of a post as hashtags, each once: letters, digits and underscores, and not digits alone."""
    found: dict[str, str] = {}
    for tag in tags:
        name = _NO_WORD.sub("", _BETWEEN_WORDS.sub("_", tag.strip())).strip("_")
        if name.strip("0123456789_") and len(name) <= HASHTAG_LENGTH:
            found.setdefault(name.casefold(), f"#{name}")
    return list(found.values())[:HASHTAGS]


def edition(posts: Sequence[Post], look: Look, *, title: str = "", more: int = 0) -> Document:
    """Many posts at once, a line for each, grouped by source. `more` posts were left out.

    A short edition is one message, a longer one as many as it needs. Of the format, it follows the choices
    of titles alone and of source names.
    """
    tr = look.translator
    head: list[Block] = [*_top(look, title or look.heading)]
    if not posts:
        return _single(*head, _line(tr.t("Nothing new this time.")))
    grouped = {post.source_id: [p for p in posts if p.source_id == post.source_id] for post in posts}
    titles = {
        key: excerpt(source_name(group[0].source_title, tr), TITLE_LENGTH) if look.format.source else ""
        for key, group in grouped.items()
    }
    jumps = tuple(Jump(f"source-{key}", text(title)) for key, title in titles.items() if title)
    blocks: list[Block] = [*head, *([Contents(tr.t("Contents"), jumps)] if len(jumps) > 1 else [])]
    carried: list[tuple[int, ...]] = [()] * len(blocks)
    for key, group in grouped.items():
        if title := titles[key]:
            blocks.append(Paragraph((Strong(text(title)),), name=f"source-{key}"))
            carried.append(())
        blocks += [_edition_entry(post, look) for post in group]
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


def found(title: str, posts: Iterable[ParsedPost], options: str, ask: str, look: Look) -> Document:
    """Posts that were found on a page, a line for each; below them the options for that, and a question."""
    shown = [_found_line(post, look) for post in posts]
    return _single(
        Heading(text(title), level=2), *shown, Paragraph((CodeSpan(options),)), Paragraph(text(ask))
    )


def _found_line(post: ParsedPost, look: Look) -> Paragraph:
    date = look.translator.date(post.published_at, look.timezone) if post.published_at else ""
    summary = excerpt(plain_text(post.html), FOUND_LENGTH)
    named = link(post.url, Strong(text(excerpt(post.title, TITLE_LENGTH))))
    told = " · ".join(filter(None, (date, summary)))
    return in_line(Entry(named, (Excerpt(told, look.excerpt_length),) if told else ()))


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


def _post_line(post: Post, content: str, look: Look, strong: Sequence[tuple[int, int]] = ()) -> Paragraph:
    """`title: excerpt`. Without a title, the first words of the excerpt are the link.

    `strong` are the parts of `content` to emphasise, which is on one line then.
    """
    return in_line(_entry(post, content, look, strong))


def _entry(post: Post, content: str, look: Look, strong: Sequence[tuple[int, int]] = ()) -> Entry:
    """A post in a list. One that its source has withdrawn is struck through."""
    if post.withdrawn_at:
        entry = _entry(replace(post, withdrawn_at=None), content, look, strong)
        return Entry((Strike(entry.head),), (Strike(entry.body),) if entry.body else ())
    content = _collapse(content, look.excerpt_length)
    title = excerpt(post.title, TITLE_LENGTH)
    if not title and content:
        return Entry(_linked_lead(post.url, content, look.excerpt_length, strong))
    named = link(post.url, Strong(text(title or look.translator.t("Untitled post"))))
    return Entry(named, (Excerpt(content, look.excerpt_length, tuple(strong)),) if content else ())


def _edition_entry(post: Post, look: Look) -> Entry:
    if look.format.detail is not Detail.TITLE:
        return _entry(post, post.text, look)
    short = replace(look, excerpt_length=min(look.excerpt_length, TITLE_LENGTH))
    return _entry(post, "" if post.title.strip() else post.text, short)


def _collapse(content: str, limit: int) -> str:
    """`content` on one line, cut a little after `limit`, so that `excerpt` sees the whole last word."""
    return " ".join(content[: 2 * (limit + 64)].split())[: limit + 64]


def _linked_lead(url: str, content: str, limit: int, strong: Sequence[tuple[int, int]]) -> tuple[Inline, ...]:
    lead = min(LEAD_LENGTH, limit)
    if len(content) <= lead:
        return link(url, Text(content))
    first = excerpt(content, lead).removesuffix("...").rstrip() or content[:lead].rstrip()
    rest = content[len(first) :]
    gap = rest[: len(rest) - len(rest.lstrip())]
    left = max(limit - len(first) - len(gap), 0)
    begin = len(first) + len(gap)
    inside = tuple((max(start, begin) - begin, end - begin) for start, end in strong if end > begin)
    return (*link(url, Text(first)), Text(gap), Excerpt(rest.lstrip(), left, inside))


def _origin(post: Post, look: Look) -> Byline:
    """The line with source, author and date. It is the link if the post has no title."""
    when = look.translator.date(post.published_at, look.timezone)
    source = excerpt(source_name(post.source_title, look.translator), TITLE_LENGTH)
    author = excerpt(post.author, TITLE_LENGTH)
    source = source if look.format.source else ""
    author = author if look.format.author and author != source else ""
    line = Text(" · ".join(filter(None, (source, author, when))))
    inner = (line,) if post.title.strip() else link(post.url, line)
    return Byline((Emphasis(inner),), tight=True, source=source, author=author, at=post.published_at)


def _content(post: Post, look: Look) -> list[Block]:
    """What comes below the title: picture, text, attachments, and a link to the rest.

    A full post has its pictures in place; an excerpt has the first one at the top, and no other.
    """
    full = look.format.detail is Detail.FULL
    body, cut = _body(post, *((FULL_HTML, FULL_LENGTH) if full else (BODY_HTML, BODY_LENGTH)))
    inside = [block for block in body if isinstance(block, Image) and is_web_url(block.url)]
    picture = next(iter(inside), None) or _attached_picture(post)
    if not look.format.pictures:
        body, picture = without_images(body), None
    if not full:
        body = [block for block in body if not isinstance(block, Image)]
    blocks: list[Block] = [picture] if picture and picture not in body else []
    blocks += body
    blocks += _attached(post)
    if cut and is_web_url(post.url):
        blocks.append(Paragraph(link(post.url, Text(look.translator.t("Read more")))))
    return blocks


def _body(post: Post, html_length: int, length: int) -> tuple[list[Block], bool]:
    """The blocks of the beginning of a post with at most `length` code points; whether any were left out."""
    html = _beginning(post.html, html_length)
    blocks = to_blocks(html, post.url) or ((Paragraph(text(post.text)),) if post.text.strip() else ())
    kept: list[Block] = []
    room = length
    for block in blocks:
        size = 0 if isinstance(block, Image) else len(block_text(block))
        if size > room:
            # A block is cut only if much of it fits; otherwise a few words would be left of it.
            if room > length // 2:
                kept.append(_shorten(block, room))
            return _without_last_headings(kept), True
        kept.append(block)
        room -= size
    return kept, len(html) < len(post.html)


def _beginning(html: str, length: int) -> str:
    """The first `length` characters of `html`, without a tag that is cut in two."""
    if len(html) <= length:
        return html
    head = html[:length]
    return head[: head.rfind("<")] if head.rfind("<") > head.rfind(">") else head


def _shorten(block: Block, room: int) -> Block:
    """The beginning of a block: whole lines of code, whole items of a list, else an excerpt."""
    if isinstance(block, CodeBlock) and "\n" in block.text[:room]:
        return CodeBlock(block.text[:room].rpartition("\n")[0], block.language)
    if isinstance(block, ListBlock):
        ends = list(accumulate(len(block_text(ListBlock((item,)))) + 1 for item in block.items))
        if count := bisect_right(ends, room + 1):
            return ListBlock(block.items[:count], block.start)
    return Paragraph((Excerpt(block_text(block), room),))


def _without_last_headings(blocks: list[Block]) -> list[Block]:
    """`blocks` without headings at the end, which have no text below them after a cut."""
    while blocks and isinstance(blocks[-1], Heading):
        blocks = blocks[:-1]
    return blocks


def _attached_picture(post: Post) -> Image | None:
    attached = (Image(medium.url, medium.alt) for medium in post.media if _type(medium).startswith("image/"))
    return next((image for image in attached if is_web_url(image.url)), None)


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
