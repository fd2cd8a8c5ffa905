"""Parse RSS 0.9x to 2.0, RDF and Atom with feedparser."""

import marshal
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from html import escape, unescape
from io import BytesIO
from itertools import islice
from typing import cast

from selectolax.lexbor import LexborHTMLParser

from content.bounds import MAX_POSTS, bounded, newest, shortened
from content.changes import stored_guid, with_derived
from content.embedded import picture_of
from content.errors import ParseError
from content.secrets import printable
from content.sources import fastfeed
from content.sources.dates import to_utc
from content.sources.entities import FORBIDDEN, well_formed
from content.sources.hints import hints
from content.sources.kinds import NO_HASHES, Hashes
from content.text import absolute, plain_text, sanitise, storable
from content.types import Failure, Hints, Media, ParsedPost, ParsedSource
from content.urls import is_web_url

_XML_DECLARATION = re.compile(r"<\?xml[^<>]{0,1000}\?>")
# Against these two, feedparser's own patterns take quadratic time.
_MANY_SIGNS_TEXT = "&" * 64
_MANY_SIGNS = re.compile(rf"{_MANY_SIGNS_TEXT}&*")
_LONG = 500  # characters
_LONG_TEXT = re.compile(rf"<[^<]{{{_LONG}}}")
_LONG_AUTHOR = re.compile(
    r"(<(?:[\w-]+:)?(?:author|managingEditor|webMaster|creator|name|email|contributor|publisher|owner)"
    rf"(?=[\s>])[^<>]*>\s*+(?:<!\[CDATA\[)?[^<\]]{{{_LONG}}})[^<\]]+"
)
SEARCHED = 10  # times as many posts as are kept are parsed, to find the newest among them
_POST_START = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)[\s>]", re.IGNORECASE)
_POST_END = re.compile(r"</(?:[A-Za-z_][\w.-]*:)?(?:item|entry)\s*>", re.IGNORECASE)
# With xml:base, feedparser resolves a guid as if it were a URL. This prefix is a scheme, so it leaves it
# alone.
_GUID = "skywave-guid:"
_GUID_START = re.compile(
    r"(<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|(<(?:[A-Za-z_][\w.-]*:)?(?:guid|id)(?:\s[^<>]*)?(?<!/)>\s*+(?:<!\[CDATA\[)?)",
    re.DOTALL | re.IGNORECASE,
)
# The guid of a post that the publisher has deleted (RFC 6721).
_DELETED = re.compile(
    r"<(?:[A-Za-z_][\w.-]*:)?deleted-entry\s[^<>]{0,2000}?\bref\s*=\s*([\"'])([^<>\"']{1,1000})\1"
)
_IMAGE = re.compile(r"""<img((?: [a-z-]+="[^"<>]*")*)>""")
_ATTRIBUTE = re.compile(r""" ([a-z-]+)="([^"]*)\"""")
PICTURE = "image/*"  # the type of a picture for which the source names none

Entry = Mapping[str, object]
ReadFast = Callable[[str], fastfeed.Feed | None]


def parse_xml(
    text: str,
    root: str,
    declared: Mapping[str, str],
    url: str,
    max_posts: int,
    hashes: Hashes = NO_HASHES,
    read_fast: ReadFast = fastfeed.read,
) -> ParsedSource:
    """Parse the feed in `text`, whose root element is `root` (rss, feed, RDF).

    `declared` are the entities of its DOCTYPE, which was split off. A post whose raw hash is in `hashes`
    under its guid is unchanged. feedparser reads what `read_fast` does not. Raises ParseError.
    """
    text = _XML_DECLARATION.sub("", text[text.find("<") :], count=1)
    most = SEARCHED * max_posts
    if _is_plain(text, most) and (fast := read_fast(text)):
        return _source(fast, text, url, max_posts, hashes)
    text = _prepared(text, declared)
    ends = [match.end() for match in _POST_END.finditer(text)]
    # Of a feed with very many posts only the first are parsed: the newest are nearly always among them.
    is_long = len(ends) > most
    completed = _completed(text[: ends[most - 1]] if is_long else text, root)
    if completed is None and (fast := read_fast(text)):
        return _source(fast, text, url, max_posts, hashes)
    found = _parsed(text if completed is None else completed, url)
    entries = cast(list[Entry], found["entries"])
    if found["bozo"] and not entries and completed is None and _POST_START.search(text):
        raise ParseError(
            "{url} is a broken feed ({reason}): tell its publisher", url=printable(url), reason=_reason(found)
        )
    parsed = _source(fastfeed.Feed(cast(Entry, found["feed"]), entries), text, url, max_posts, hashes)
    if is_long:
        return replace(parsed, total=len(ends))
    if completed is None:
        return parsed
    cut_short = Failure(
        printable(url), "the feed is cut short: what comes after its last complete post is lost"
    )
    return replace(parsed, failures=(cut_short,))


def _is_plain(text: str, most: int) -> bool:
    """Whether a feed needs no preparation if it is well-formed, and has at most so many posts."""
    # The preparation changes these, which XML allows.
    if "&#0" in text or "&#x0" in text or _MANY_SIGNS_TEXT in text or _has_long_author(text):
        return False
    return text.count("</") <= most or len(_POST_END.findall(text)) <= most


def _has_long_author(text: str) -> bool:
    return _LONG_TEXT.search(text) is not None and _LONG_AUTHOR.search(text) is not None


def _source(found: fastfeed.Feed, text: str, url: str, max_posts: int, hashes: Hashes) -> ParsedSource:
    home = _url(found.feed, "link", url)
    kept = found.entries
    if len(kept) > max_posts:
        kept = newest(kept, [_published(entry) for entry in kept], max_posts)
    deleted = _DELETED.finditer(text) if "deleted-entry" in text else ()
    parsed = ParsedSource(
        title=_plain(found.feed, "title"),
        url=home,
        # One after the other: what was found out about the HTML of a post is remembered for a few posts.
        posts=tuple(with_derived(shortened(_post(entry, home, url, hashes))) for entry in kept),
        withdrawn=tuple(unescape(one[2]).strip() for one in islice(deleted, MAX_POSTS)),
        hints=_hints(found.feed, url),
    )
    return bounded(parsed, len(found.entries))


def _prepared(text: str, declared: Mapping[str, str]) -> str:
    """`text` without what is not valid XML or would slow feedparser down."""
    text = FORBIDDEN.sub("", text)
    text = _LONG_AUTHOR.sub(r"\1", text)
    text = _MANY_SIGNS.sub("&", text)
    text = well_formed(text, declared)
    if "xml:base" in text.lower():
        text = _GUID_START.sub(lambda match: match[1] or match[2] + _GUID, text)
    return text


def _parsed(text: str, url: str) -> Entry:
    """What feedparser makes of `text`. It is loaded late, because most feeds do not need it."""
    import feedparser

    try:
        found: Entry = feedparser.parse(
            BytesIO(text.encode("utf-8", "ignore")),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except ValueError as exc:
        # expat fails on a name that contains a no-break space.
        raise ParseError("{url} is a broken feed: tell its publisher", url=printable(url)) from exc
    return found


def _completed(text: str, root: str) -> str | None:
    """For a feed that is cut short, its complete posts and the missing end tags; None for a whole feed."""
    opened = re.search(rf"<((?:[A-Za-z_][\w.-]*:)?{root})\b[^<>]*?(/?)>", text)
    ended = re.search(rf"</(?:[A-Za-z_][\w.-]*:)?{root}\s*>", text, re.IGNORECASE)
    if ended or (opened and opened[2]):
        return None
    if text.rfind("<") > text.rfind(">"):
        text = text[: text.rfind("<")]
    if text.rfind("<![CDATA[") > text.rfind("]]>"):  # tags inside CDATA are text
        text = text[: text.rfind("<![CDATA[")]
    end = f"</{opened[1] if opened else root}>"
    cut = max((match.end() for match in _POST_END.finditer(text)), default=None)
    if cut is None:
        begun = _POST_START.search(text)
        cut = begun.start() if begun else len(text)
    channel = {"rss": "</channel>", "RSS": "</CHANNEL>"}.get(root, "")
    return text[:cut] + channel + end


def _hints(feed: Entry, url: str) -> Hints:
    ttl, period, frequency = (
        _string(feed, name) for name in ("ttl", "sy_updateperiod", "sy_updatefrequency")
    )
    hub, topic = (
        next((_url(link, "href", url) for link in _list(feed, "links") if _string(link, "rel") == rel), "")
        for rel in ("hub", "self")
    )
    return hints(ttl, period, frequency, hub, topic)


def _reason(found: Mapping[str, object]) -> str:
    return " ".join(str(found.get("bozo_exception", "")).split())[:200]


# ---------------------------------------------------------------- one entry


def _post(entry: Entry, home: str, feed_url: str, hashes: Hashes) -> ParsedPost:
    guid, link = (_string(entry, name).removeprefix(_GUID).strip() for name in ("id", "link"))
    body = _body(entry)
    base = _string(body, "base") or _string(_detail(entry, "title"), "base")  # empty without xml:base
    is_made_of_guid = link == guid and not is_web_url(guid)  # feedparser uses the guid if there is no link
    url = absolute(base if is_made_of_guid else feed_url, link) if link else ""
    title = _plain(entry, "title")
    raw = raw_hash(entry, home, feed_url)
    if (guid or url) and hashes.get(stored_guid(guid or url)) == raw:
        return unchanged(guid or url, url, title, _published(entry), raw)
    html = _html(body, _url(body, "base", feed_url) or url or home or feed_url)
    return ParsedPost(
        guid=guid or url or blake2b(f"{title}\n{html}".encode(), digest_size=16).hexdigest(),
        url=url,
        title=title,
        author=_author(entry),
        published_at=_published(entry),
        updated_at=_time(entry, "updated") if _time(entry, "published") else None,
        html=html,
        summary=_plain(entry, "summary") if _detail(entry, "summary") else "",
        tags=_tags(entry),
        media=media_of(_attached(entry, feed_url), html),
        raw_hash=raw,
    )


def raw_hash(*parts: object) -> str:
    """A hash of an item as its source gives it, and of what else its post is made of; empty for odd items."""
    try:
        # In this version, the form depends on the values alone.
        raw = marshal.dumps(parts, 0)  # type: ignore[arg-type]
    except ValueError:  # feedparser's own classes, or nested too deeply
        try:
            raw = repr(parts).encode("utf-8", "replace")
        except RecursionError:
            return ""
    return blake2b(raw, digest_size=16).hexdigest()


def unchanged(guid: str, url: str, title: str, published_at: datetime | None, raw: str) -> ParsedPost:
    """A post that the store has as it is: what tells which one it is."""
    return ParsedPost(guid, url, title, published_at=published_at, raw_hash=raw, is_unchanged=True)


def _string(entry: Entry, name: str) -> str:
    value = entry.get(name)
    return storable(value).strip() if isinstance(value, str) else ""


def _url(entry: Entry, name: str, base: str) -> str:
    """The absolute http(s) URL in a field, or an empty text."""
    value = _string(entry, name)
    return absolute(base, value) if value else ""


def _list(entry: Entry, name: str) -> Sequence[Entry]:
    value = entry.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _detail(entry: Entry, name: str) -> Entry:
    value = entry.get(f"{name}_detail")
    return value if isinstance(value, dict) else {}


def _plain(entry: Entry, name: str) -> str:
    value = _string(entry, name)
    is_html = "html" in _string(_detail(entry, name), "type")
    return " ".join((plain_text(value) if is_html else value).split())


def _author(entry: Entry) -> str:
    return _string(_detail(entry, "author"), "name") or _string(entry, "author")


def _time(entry: Entry, name: str) -> datetime | None:
    """A date, parsed by `dates`, else by feedparser, which knows more formats but misreads 2026年7月14日."""
    assert isinstance(entry, dict)
    # feedparser's own look-up returns another date if one is missing.
    value = dict.get(entry, name)
    if isinstance(value, str) and (read := to_utc(value)):
        return read
    parts = dict.get(entry, f"{name}_parsed")
    try:
        return to_utc(datetime(*parts[:6])) if isinstance(parts, tuple) else None
    except ValueError:
        return None


def _published(entry: Entry) -> datetime | None:
    return _time(entry, "published") or _time(entry, "created") or _time(entry, "updated")


def _body(entry: Entry) -> Entry:
    """The longest content, HTML before plain text, or else the summary."""
    contents = [content for content in _list(entry, "content") if _string(content, "value")]
    if len(contents) < 2:
        return contents[0] if contents else _detail(entry, "summary")
    return max(contents, key=lambda one: ("html" in _string(one, "type"), len(_string(one, "value"))))


def _html(body: Entry, base_url: str) -> str:
    value = _string(body, "value")
    if _string(body, "type") == "text/plain":
        return plain_to_html(value)
    return sanitise(value, base_url)


def plain_to_html(text: str) -> str:
    """Plain text as HTML: empty lines separate paragraphs, and line breaks are kept."""
    paragraphs = (escape(part.strip(), quote=False) for part in re.split(r"\n\s*\n", text))
    return "".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in paragraphs if part)


def _tags(entry: Entry) -> tuple[str, ...]:
    names = (_string(tag, "label") or _string(tag, "term") for tag in _list(entry, "tags"))
    return tuple(dict.fromkeys(filter(None, names)))


def _attached(entry: Entry, base: str) -> Iterator[Media]:
    for enclosure in _list(entry, "enclosures"):
        yield Media(_url(enclosure, "href", base), _string(enclosure, "type"))
    for content in _list(entry, "media_content"):
        kind = PICTURE if _string(content, "medium") == "image" else ""
        yield Media(_url(content, "url", base), _string(content, "type") or kind)
    for thumbnail in _list(entry, "media_thumbnail"):
        yield Media(_url(thumbnail, "url", base), PICTURE)
    image = entry.get("image")
    if isinstance(image, Mapping):
        yield Media(_url(image, "href", base), PICTURE)


def media_of(attached: Iterable[Media], html: str) -> tuple[Media, ...]:
    """The attachments of a post and the pictures in its HTML, each URL once."""
    found = {media.url: media for media in attached if is_web_url(media.url)}
    for values in _images(html):
        if url := picture_of(values):
            found.setdefault(url, Media(url, PICTURE, values.get("alt") or ""))
    return tuple(found.values())


def _images(html: str) -> list[Mapping[str, str | None]]:
    """The attributes of the pictures in sanitised HTML."""
    tags = _IMAGE.findall(html)
    if len(tags) != html.count("<img"):
        return [image.attributes for image in LexborHTMLParser(html).css("img")]
    return [{name: unescape(value) for name, value in _ATTRIBUTE.findall(tag)} for tag in tags]
