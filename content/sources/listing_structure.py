"""Find the list of posts on a web page by its repeated structure. Pure functions.

Elements that have the same path of tags and classes are a candidate for the posts. Of each candidate, the
parts are those paths within it that most of its elements have: the link whose address differs each time, a
date, an excerpt. The candidate counts most that has many posts with long titles, dates and excerpts. The
selectors of the winner are as short as possible, and are tried on the page before they are returned.
"""

import math
import re
from collections.abc import Iterator
from datetime import datetime

from selectolax.lexbor import LexborNode

from content.sources.listing_candidates import FEWEST, LONG, SAMPLE, SHORT_LINE, Candidate, groups, surveyed
from content.sources.listing_items import ITSELF, MAX_ITEMS, Selectors, read_items
from content.sources.listing_outline import HEADINGS, Outline, outline
from content.sources.listing_parts import MOST, Parts, parts_of
from content.sources.listing_selectors import item_selector, part_selector

_PLAIN_TITLE = 14  # bytes of the titles of a list that has nothing but titles
_ASIDE = re.compile(
    r"popular|most (?:read|viewed|shared)|related|recommended|you may|trending|\btags?\b|categories|topics|"
    r"\blinks\b|friends|comments|热门|最热|排行|相关|推荐|友情链接|友链|标签|分类|猜你|评论",
    re.IGNORECASE,
)


def find_selectors(page: LexborNode, url: str, now: datetime, item: str = "") -> Selectors | None:
    """The selectors of the posts on a page at `url`; None if it has no list of posts.

    With `item`, the selector of a post, only the parts of these posts are looked for.
    """
    found = outline(page, url)
    if item:
        return _of_items(page, found, item, now)
    rated: list[tuple[float, Candidate, Parts]] = []
    for items in groups(found):
        candidate = surveyed(found, items, now)
        parts = parts_of(candidate)
        if parts is not None and (rating := _rating(candidate, parts)):
            rated.append((rating, candidate, parts))
    for _, candidate, parts in sorted(rated, key=lambda one: one[0], reverse=True)[:5]:
        selectors = _selectors(page, candidate, parts)
        count = min(len(candidate.everything), MAX_ITEMS)
        if selectors and len(read_items(page, selectors, url, now).posts) >= MOST * count:
            return selectors
    return None


def _of_items(page: LexborNode, found: Outline, item: str, now: datetime) -> Selectors | None:
    wanted = {node.mem_id for node in page.css(item)}
    items = [index for index, one in enumerate(found.elements) if one.node.mem_id in wanted and one.links]
    if not items:
        return None
    candidate = surveyed(found, items, now)
    parts = parts_of(candidate)
    return _selectors(page, candidate, parts, item) if parts else None


def _rating(candidate: Candidate, parts: Parts) -> float:
    """How much a candidate looks like a list of posts; 0 for one that is none."""
    size = min(candidate.size(parts.title), LONG)
    dated = candidate.dated(parts.date, parts.title) if parts.date else 0.0
    has_heading = candidate.has_heading(parts.link) or candidate.tag(parts.title) in HEADINGS
    is_plain = not (dated or parts.excerpt or has_heading)
    if len(candidate.everything) < FEWEST + (dated < 1) or size < (_PLAIN_TITLE if is_plain else 4):
        return 0
    targets = {candidate.page.elements[index].target for index in candidate.firsts[parts.link].values()}
    alone = len(candidate.firsts[parts.link]) / candidate.counts[parts.link]
    rating = math.log2(1 + min(len(candidate.everything), SAMPLE)) * (size / (size + 12)) ** 2
    rating *= len(targets) / len(candidate.items) * alone**2
    rating *= 1 + 1.2 * dated
    rating *= 1.8 if parts.excerpt else 1
    rating *= 1.4 if has_heading else 1
    rating *= 1.3 if candidate.tag(candidate.path) == "article" else 1
    return rating * (0.15 if _ASIDE.search(_heading_above(candidate)) else 1)


def _heading_above(candidate: Candidate) -> str:
    """The text of the nearest heading above the list; empty without one."""
    page, index = candidate.page, candidate.items[0]
    for _ in range(3):
        for before in _before(page, index):
            one = page.elements[before]
            is_heading = one.tag in HEADINGS or any("tit" in name or "head" in name for name in one.names)
            if is_heading and one.size <= SHORT_LINE and one.path != page.elements[index].path:
                return candidate.text(before)
        index = page.elements[index].parent
        if index <= 0:
            break
    return ""


def _before(page: Outline, index: int) -> Iterator[int]:
    """The three siblings before an element, nearest first."""
    parent, at = page.elements[index].parent, index
    for _ in range(3):
        at -= 1
        while at > parent and page.elements[at].parent != parent:
            at = page.elements[at].parent
        if at <= parent:
            return
        yield at


def _selectors(page: LexborNode, candidate: Candidate, parts: Parts, item: str = "") -> Selectors | None:
    item = item or item_selector(page, candidate.page, candidate.everything)
    if not item:
        return None
    ids = {node.mem_id for node in page.css(item)}

    def selector(path: int, *, everywhere: bool = False) -> str:
        if path == candidate.path:
            return ITSELF
        elements = candidate.firsts.get(path, {})
        if not elements:
            return ""
        return part_selector(candidate.page, candidate.items, elements, ids, everywhere=everywhere)

    return Selectors(
        item,
        title="" if parts.title == parts.link else selector(parts.title),
        link=selector(parts.link, everywhere=True),
        date=selector(parts.date),
        excerpt=selector(parts.excerpt),
    )
