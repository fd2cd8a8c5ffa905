"""Parse a listing page: find its posts when it is added, read them later, and notice when it has changed."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from statistics import fmean
from urllib.parse import parse_qs, urlsplit

from selectolax.lexbor import LexborNode

from content.bounds import bounded
from content.clean import parse
from content.errors import ParseError
from content.secrets import printable
from content.sources.charset import decode
from content.sources.kinds import LISTING, Values
from content.sources.listing_items import PARTS, Items, Selectors, invalid_part, read_items
from content.sources.listing_structure import find_selectors
from content.text import absolute
from content.types import ParsedPost, ParsedSource

MAX_CHARACTERS = 4 * 1024**2
MAX_TAGS = 20_000  # start and end tags; `content.clean` parses twice as many
# A page is no longer what it was if it has a fourth of its posts, titles of a fourth or five times their
# length, or hardly any address of a form that it had.
FEWER = 4
SHORTER, LONGER = 4, 5
ALIKE = 0.3
OPTION = f"--{LISTING}"
USUAL = "usual"  # the option that tells what posts were like when the page was added
SHAPES = 5  # forms of addresses that are remembered, if they are those of most posts
_MOST = 0.8
_FEED = re.compile(r"<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_UNREAD = re.compile(r"<(/?)(script|style|template|noscript|svg)\b[^<>]*>|<!--|-->", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListingPage:
    """What a page holds, and the options to read it again. `invalid`: the option that is no CSS selector."""

    parsed: ParsedSource = field(default_factory=ParsedSource)
    values: Values = field(default_factory=dict)
    invalid: str = ""


def parse_listing(
    body: bytes, content_type: str, url: str, values: Values, max_posts: int, now: datetime
) -> ListingPage:
    """The posts of the page in `body`, which was fetched from `url`.

    `values` are the options of a source that was added, or those that a person has chosen for a new one.
    Raises ParseError, also if a page that was added has changed so much that other things would be read.
    """
    text = decode(body, content_type)
    if _FEED.search(text[:1000]) and "<html" not in text[:1000].lower():
        raise ParseError("{url} is a feed: add it without {option}", url=printable(url), option=OPTION)
    page = parse(_bounded(_without_scripts(text[:MAX_CHARACTERS])))
    if page is None:
        raise _nothing_found(url)
    base = page.parser.css_first("base[href]")
    address = absolute(url, (base.attributes.get("href") or "") if base else "") or url
    given = {name: str(values[name]) for name in PARTS if name in values}
    if invalid := invalid_part(Selectors(**{"item": "", **given})):
        return ListingPage(invalid=invalid)
    selectors = _selectors(page, address, given, now)
    if selectors is None:
        raise _nothing_found(url)
    items = read_items(page, selectors, address, now)
    if before := _usual(values, selectors):
        _compare(items, before, url)
    elif not items.posts:
        raise _nothing_selected(items, selectors, url)
    posts = items.posts[:max_posts]
    parsed = ParsedSource(title=_title(page), url=url, posts=posts)
    found = {**values, **asdict(selectors), USUAL: _profile(selectors, items)}
    return ListingPage(bounded(parsed, len(items.posts)), found)


def _without_scripts(text: str) -> str:
    """`text` without what no reader sees, because tags in scripts would count as tags of the page."""
    pieces, kept_from, ends_with = [], 0, ""
    for found in _UNREAD.finditer(text):
        word = found[0].lower() if found[2] is None else found[2].lower()
        if not ends_with and word != "-->" and not found[1]:
            pieces.append(text[kept_from : found.start()])
            ends_with = "-->" if word == "<!--" else word
        elif ends_with == word and (found[1] or word == "-->"):
            kept_from, ends_with = found.end(), ""
    return "".join(pieces) + ("" if ends_with else text[kept_from:])


def _bounded(text: str) -> str:
    """The first `MAX_TAGS` tags of `text`: the newest posts of a long page are nearly always at its top."""
    start = next(islice(re.finditer("<", text), MAX_TAGS, None), None)
    return text[: start.start()] if start else text


def _selectors(page: LexborNode, url: str, given: Mapping[str, str], now: datetime) -> Selectors | None:
    """The selectors that are given, and those that are found for the others; None if no posts are found."""
    if len(given) == len(PARTS):
        return Selectors(**given)
    item = given.get("item", "")
    found = find_selectors(page, url, now, item) or (Selectors(item, date="time") if item else None)
    if found is None:
        return None
    return Selectors(**{**asdict(found), **given})


def _title(page: LexborNode) -> str:
    title = page.parser.css_first("title")
    return " ".join(title.text().split()) if title else ""


def _nothing_found(url: str) -> ParseError:
    return ParseError(
        "no list of posts was found on {url}: say which element is a post, for example with {example}",
        url=printable(url),
        example="item=article",
    )


def _nothing_selected(items: Items, selectors: Selectors, url: str) -> ParseError:
    if not items.count:
        return ParseError(
            "“{selector}” selects nothing on {url}: check the option {item}",
            selector=selectors.item[:80],
            url=printable(url),
            item="item",
        )
    return ParseError(
        "“{selector}” selects elements on {url}, but none links to a post: "
        "check the options {item} and {link}",
        selector=selectors.item[:80],
        url=printable(url),
        item="item",
        link="link",
    )


# ---------------------------------------------------------------- has the page changed?


def _profile(selectors: Selectors, items: Items) -> Values:
    """What posts are like that were found by these selectors."""
    return {
        "item": selectors.item,
        "link": selectors.link,
        "posts": len(items.posts),
        "title_bytes": round(_title_bytes(items.posts)),
        "addresses": _usual_shapes(items.posts),
    }


def _usual(values: Values, selectors: Selectors) -> Values:
    """The profile of the posts when the page was added; empty if other selectors were set since then."""
    before = values.get(USUAL)
    if not isinstance(before, dict):
        return {}
    is_same = (before.get("item"), before.get("link")) == (selectors.item, selectors.link)
    return before if is_same else {}


def _compare(items: Items, before: Values, url: str) -> None:
    """Raise ParseError if what was read is not like the posts that the page had before."""
    usual = _number(before, "posts")
    if not items.posts:
        raise ParseError(
            "no post is found on {url} any more, so its design may have changed: add it again with {option}",
            url=printable(url),
            option=OPTION,
        )
    if FEWER * len(items.posts) < usual:
        raise ParseError(
            "only {count} of about {usual} posts are found on {url}, so its design may have changed: "
            "add it again with {option}",
            count=len(items.posts),
            usual=usual,
            url=printable(url),
            option=OPTION,
        )
    if not _alike(items.posts, before):
        raise ParseError(
            "what is found on {url} no longer looks like its posts, so its design may have changed: "
            "add it again with {option}",
            url=printable(url),
            option=OPTION,
        )


def _alike(posts: Sequence[ParsedPost], before: Values) -> bool:
    """Whether titles and addresses are like those that the page had before."""
    usual, now = _number(before, "title_bytes"), _title_bytes(posts)
    if len(posts) > 2 and not usual / SHORTER <= now <= max(usual, 8) * LONGER:
        return False
    if len(posts) > 2 and len({post.title for post in posts}) == 1:
        return False
    shapes = before.get("addresses")
    if not isinstance(shapes, list) or not shapes:
        return True
    return sum(_shape(post.url) in shapes for post in posts) >= ALIKE * len(posts)


def _number(values: Values, name: str) -> int:
    number = values.get(name)
    return number if isinstance(number, int) else 0


def _title_bytes(posts: Sequence[ParsedPost]) -> float:
    """The mean length of the titles in bytes; a Chinese character has three."""
    return fmean(min(len(post.title.encode("utf-8", "ignore")), 500) for post in posts) if posts else 0.0


def _usual_shapes(posts: Sequence[ParsedPost]) -> Sequence[str]:
    """The forms of the posts' addresses; empty if the posts are at many different places."""
    shapes = Counter(_shape(post.url) for post in posts).most_common(SHAPES)
    usual = {shape: count for shape, count in shapes if count > 1}
    return list(usual) if sum(usual.values()) >= _MOST * len(posts) else []


def _shape(url: str) -> str:
    """The form of an address: its host, its first folder, how many it has, and the names in its query."""
    parts = urlsplit(url)
    folders = parts.path.strip("/").split("/")
    first = folders[0] if len(folders) > 1 and not folders[0].isdecimal() else ""
    names = ",".join(sorted(parse_qs(parts.query, keep_blank_values=True)))
    return f"{(parts.hostname or '').removeprefix('www.')}/{first[:60]}/{len(folders)}?{names[:60]}"
