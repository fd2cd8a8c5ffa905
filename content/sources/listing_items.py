"""Read the posts of a web page by CSS selectors. Pure functions: the time of the read is an argument."""

import re
from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from html import escape
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from content.changes import canonical_url
from content.characters import harmless
from content.clean import UNREADABLE
from content.sources.dates import to_utc
from content.sources.dates_in_text import LONGEST, date_in
from content.text import BLOCKS, absolute
from content.types import ParsedPost

ITSELF = ":scope"  # the item itself, without its other parts
AFTER = "+"  # a selector that begins with this is looked for after the item, up to the next one
FOLLOWING = 4  # elements after an item that may belong to it
MAX_ITEMS = 1_000
MAX_TEXT = 5_000  # characters of an excerpt
_BETWEEN = " -–—·|:：,，"  # between a title and the text after it
_CUT = re.compile(r"\s*(?:…|\.{3})\s*$")


@dataclass(frozen=True, slots=True)
class Selectors:
    """How the posts of a page are found: the element of each, and its parts within that element.

    A part is a CSS selector, ITSELF, AFTER and a selector, or empty if the posts have no such part.
    """

    item: str
    title: str = ""
    link: str = "a[href]"
    date: str = ""
    excerpt: str = ""


PARTS = tuple(field.name for field in fields(Selectors))


@dataclass(frozen=True, slots=True)
class Items:
    """What selectors found on a page: the number of elements, and the posts among them in order."""

    count: int
    posts: tuple[ParsedPost, ...]


def invalid_part(selectors: Selectors) -> str:
    """The name of the first part that is no CSS selector; empty if all are valid."""
    probe = LexborHTMLParser("<p></p>")
    for name, selector in zip(PARTS, astuple(selectors), strict=True):
        try:
            if selector not in ("", ITSELF):
                probe.css(selector.removeprefix(AFTER))
        except SelectolaxError:
            return name
    return ""


def read_items(page: LexborNode, selectors: Selectors, url: str, now: datetime) -> Items:
    """The posts of `page`, which is at `url`; the first of those with the same address."""
    found = page.css(selectors.item)[:MAX_ITEMS]
    ids = {node.mem_id for node in found}
    posts: dict[str, ParsedPost] = {}
    for node in found:
        post = _post(node, selectors, url, ids, now)
        if post is not None:
            posts.setdefault(post.guid, post)
    return Items(len(found), tuple(posts.values()))


def part(item: LexborNode, selector: str, items: Collection[int]) -> LexborNode | None:
    """The part of an item that a selector finds. `items` are the `mem_id`s of all items."""
    if not selector:
        return None
    if selector == ITSELF:
        return item
    if not selector.startswith(AFTER):
        return next((node for node in item.css(selector) if node.mem_id != item.mem_id), None)
    wanted = selector.removeprefix(AFTER).strip()
    return next((node for after in following(item, items) for node in after.css(wanted)), None)


def following(item: LexborNode, items: Collection[int]) -> Iterator[LexborNode]:
    """The elements after an item, up to the next item."""
    node, count = item.next, 0
    while node is not None and node.mem_id not in items and count < FOLLOWING:
        if node.is_element_node:
            count += 1
            yield node
        node = node.next


def text_of(
    node: LexborNode, without: Collection[int] = (), limit: int = MAX_TEXT, *, spaced: bool = False
) -> str:
    """The visible text of an element on one line, about `limit` characters of it.

    `without` are the `mem_id`s of elements to leave out. `spaced`: with a space between any two elements.
    """
    left_out, pieces = set(without) - {node.mem_id}, list[str]()
    for inner in islice(node.traverse(include_text=True), limit):
        parent = inner.parent
        is_within = inner.mem_id != node.mem_id and parent is not None and parent.mem_id in left_out
        if is_within or inner.tag in UNREADABLE:
            left_out.add(inner.mem_id)
        if inner.mem_id in left_out:
            continue
        if inner.is_text_node:
            pieces.append((inner.text_content or "")[:limit])
            limit -= len(pieces[-1])
        elif spaced or inner.tag in BLOCKS or inner.tag == "br":
            pieces.append(" ")
        if limit <= 0:
            break
    return " ".join(harmless("".join(pieces)).split())


def address_of(link: LexborNode | None, url: str) -> str:
    """Where a link leads, resolved against `url`; empty if it is no link to a post."""
    href = (link.attributes.get("href") or "") if link is not None else ""
    target = absolute(url, href.strip()) if href else ""
    return target if target and canonical_url(target) not in ("", canonical_url(url)) else ""


def date_of(node: LexborNode, now: datetime, without: Collection[int] = ()) -> datetime | None:
    """The date that an element shows, or has in an attribute for programs."""
    times = [node, *node.css("time[datetime], relative-time[datetime]")]
    for one in times:
        if one.tag in ("time", "relative-time") and (date := to_utc(one.attributes.get("datetime"))):
            return date
    return date_in(text_of(node, without, LONGEST, spaced=True), now)


def _post(
    item: LexborNode, selectors: Selectors, url: str, items: Collection[int], now: datetime
) -> ParsedPost | None:
    link = part(item, selectors.link, items)
    target = address_of(link, url)
    if link is None or not target:
        return None
    titled = part(item, selectors.title, items) or link
    date, body = part(item, selectors.date, items), part(item, selectors.excerpt, items)
    title = _title(
        titled, link, {node.mem_id for node in (date, body) if node and node.mem_id != item.mem_id}
    )
    if not title:
        return None
    parts = {node.mem_id for node in (titled, link, date) if node and node.mem_id != item.mem_id}
    is_apart = body is not None and body.mem_id not in parts
    shown = _excerpt(body, parts, target, url) if body is not None and is_apart else ""
    return ParsedPost(
        guid=canonical_url(target),
        url=target,
        title=title,
        published_at=date_of(date, now, parts - {date.mem_id}) if date is not None else None,
        html=f"<p>{escape(shown, quote=False)}</p>" if shown else "",
    )


def _title(titled: LexborNode, link: LexborNode, others: Collection[int]) -> str:
    """The text of the title, or its attribute if the page shows only the beginning of it."""
    shown = text_of(titled, others)
    whole = " ".join((link.attributes.get("title") or "").split())
    begun = _CUT.sub("", shown)
    return whole if begun != shown and len(whole) > len(begun) and whole.startswith(begun) else shown


def _excerpt(body: LexborNode, parts: Collection[int], target: str, url: str) -> str:
    """The text of an excerpt without the other parts, and without a link that says to read on."""
    onward = {node.mem_id for node in body.css("a[href]") if address_of(node, url) == target}
    return text_of(body, {*parts, *onward} - {body.mem_id}).lstrip(_BETWEEN)
