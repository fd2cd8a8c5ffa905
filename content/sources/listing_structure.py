"""Find the list of posts on a web page by its repeated structure. Pure functions.

Elements that have the same path of tags and classes are a candidate for the posts. Of each candidate, the
parts are those paths within it that most of its elements have: the link whose address differs each time, a
date, an excerpt. The candidate counts most that has many posts with long titles, dates and excerpts. The
selectors of the winner are as short as possible, and are tried on the page before they are returned.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean

from selectolax.lexbor import LexborNode

from content.sources.listing_items import (
    FOLLOWING,
    ITSELF,
    MAX_ITEMS,
    Selectors,
    date_of,
    read_items,
    text_of,
)
from content.sources.listing_outline import HEADINGS, Outline, by_path, outline
from content.sources.listing_selectors import item_selector, part_selector

FEWEST = 2  # posts of a list
CANDIDATES = 40  # candidates that are looked at closely
SAMPLE = 30  # posts of a candidate that are looked at
REPEATED = 5  # elements of one path in one post that are looked at
LOOKED = 300  # elements of one post that are looked at
MOST = 0.6  # share of the posts that must have a link, and have it alone
SOME = 0.4  # share of the posts that must have a date or an excerpt
_LONG = 120  # bytes of a title; a longer one counts no more
_SHORT_LINE = 80  # bytes of an element that shows a date
_MEAN_EXCERPT, _BARE_EXCERPT = 30, 60  # bytes of an excerpt, of one without an element of its own
_PLAIN_TITLE = 14  # bytes of the titles of a list that has nothing but titles
_DIGITS = re.compile(r"\d+")
_ASIDE = re.compile(
    r"popular|most (?:read|viewed|shared)|related|recommended|you may|trending|\btags?\b|categories|topics|"
    r"\blinks\b|friends|comments|热门|最热|排行|相关|推荐|友情链接|友链|标签|分类|猜你|评论",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Candidate:
    """Elements that may be posts, by index: `items` are the first of them, `everything` is all.

    `firsts[path]` is the first element of that path in each item, by the item's place in `items`;
    `counts[path]` is the number of all.
    """

    page: Outline
    now: datetime
    items: Sequence[int]
    everything: Sequence[int]
    firsts: dict[int, dict[int, int]] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def path(self) -> int:
        return self.page.elements[self.items[0]].path

    def share(self, path: int) -> float:
        """The share of the items that have an element of `path`."""
        return len(self.firsts[path]) / len(self.items)

    def text(self, index: int, without: int = -1) -> str:
        """The text of an element, without that of another one."""
        if (index, without) not in self.texts:
            left_out = () if without < 0 else (self.page.elements[without].node.mem_id,)
            self.texts[index, without] = text_of(self.page.elements[index].node, left_out, 4 * _LONG)
        return self.texts[index, without]

    def size(self, path: int, without: int = 0) -> float:
        """The mean size of the texts of `path` in bytes, without the texts of another path."""
        others = self.firsts.get(without, {})
        return fmean(
            min(len(self.text(index, others.get(place, -1)).encode()), 4 * _LONG)
            for place, index in self.firsts[path].items()
        )

    def distinct(self, path: int) -> float:
        """The share of texts of `path` that differ in more than numbers."""
        texts = [_DIGITS.sub("", self.text(index)) for index in self.firsts[path].values()]
        return len(set(texts)) / len(texts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The paths of the parts of a candidate's posts; 0 for a part that they lack."""

    link: int
    title: int
    date: int = 0
    excerpt: int = 0


def find_selectors(page: LexborNode, url: str, now: datetime, item: str = "") -> Selectors | None:
    """The selectors of the posts on a page at `url`; None if it has no list of posts.

    With `item`, the selector of a post, only the parts of these posts are looked for.
    """
    found = outline(page, url)
    if item:
        return _of_items(page, found, item, now)
    rated: list[tuple[float, _Candidate, _Parts]] = []
    for items in _groups(found):
        candidate = _surveyed(found, items, now)
        parts = _parts(candidate)
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
    candidate = _surveyed(found, items, now)
    parts = _parts(candidate)
    return _selectors(page, candidate, parts, item) if parts else None


def _groups(found: Outline) -> Iterator[Sequence[int]]:
    """The groups of elements that may be posts, most promising first: all of one path, and of one parent."""

    def promise(group: Sequence[int]) -> float:
        mean = fmean(found.elements[index].size for index in group)
        return min(len(group), SAMPLE) * min(mean, 4 * _LONG)

    groups = list(by_path(found).values())
    for group in list(groups):
        parents = Counter(found.elements[index].parent for index in group)
        if 1 < len(parents) < len(group):
            largest = [parent for parent, count in parents.most_common(4) if count >= FEWEST]
            groups += [[i for i in group if found.elements[i].parent == parent] for parent in largest]
    yield from sorted((one for one in groups if len(one) >= FEWEST), key=promise, reverse=True)[:CANDIDATES]


def _surveyed(found: Outline, items: Sequence[int], now: datetime) -> _Candidate:
    """A candidate with the paths in some of its items, and in the elements that follow each."""
    surveyed = _Candidate(found, now, items[:SAMPLE], items)
    again: dict[tuple[int, int], list[int]] = {}
    for place, item in enumerate(surveyed.items):
        for index in _around(found, item):
            path = found.elements[index].path
            surveyed.counts[path] += 1
            surveyed.firsts.setdefault(path, {}).setdefault(place, index)
            if len(again.setdefault((path, place), [])) < REPEATED:
                again[path, place].append(index)
    _add_columns(surveyed, again)
    return surveyed


def _add_columns(surveyed: _Candidate, again: Mapping[tuple[int, int], Sequence[int]]) -> None:
    """Give the second and later elements of one path paths of their own: they may be columns of a table."""
    columns: dict[tuple[int, int], int] = {}
    for (path, place), indices in again.items():
        for number, index in enumerate(indices[1:]):
            if (path, number) not in columns:
                columns[path, number] = surveyed.page.new_path(surveyed.page.above[path])
            column = columns[path, number]
            surveyed.firsts.setdefault(column, {})[place] = index
            surveyed.counts[column] += 1


def _around(found: Outline, item: int) -> Iterator[int]:
    """The indices of an item, of what is in it, and of what follows it up to the next item."""
    one = found.elements[item]
    yield from range(item, min(one.end, item + LOOKED))
    end = found.elements[one.parent].end if one.parent >= 0 else one.end
    after, count = one.end, 0
    while after < end and count < FOLLOWING and found.elements[after].path != one.path:
        yield from range(after, min(found.elements[after].end, after + LOOKED))
        after, count = found.elements[after].end, count + 1


# ---------------------------------------------------------------- the parts


def _parts(candidate: _Candidate) -> _Parts | None:
    link = _best_link(candidate)
    if not link:
        return None
    title = _title(candidate, link)
    if not title:
        return None
    date = _date(candidate, link, title)
    return _Parts(link, title, date, _excerpt(candidate, link, title, date))


def _best_link(candidate: _Candidate) -> int:
    """The path of the links to the posts: most items have one, and each leads elsewhere."""
    rated = {path: _link_rating(candidate, path) for path in candidate.firsts}
    best = max(rated, key=lambda path: rated[path])
    return best if rated[best] > 0 else 0


def _link_rating(candidate: _Candidate, path: int) -> float:
    elements = [candidate.page.elements[index] for index in candidate.firsts[path].values()]
    if elements[0].tag != "a" or candidate.share(path) < MOST:
        return 0
    targets = [one.target for one in elements if one.links]
    distinct = len(set(targets)) / len(elements)
    if distinct < MOST:
        return 0
    size = min(candidate.size(path), _LONG) * candidate.distinct(path)
    alone = len(elements) / candidate.counts[path]
    heading = 2 if _has_heading(candidate, path) else 1
    return candidate.share(path) * distinct * alone * heading * math.log2(4 + size)


def _has_heading(candidate: _Candidate, path: int) -> bool:
    """Whether the links of `path` are in a heading, or hold one."""
    chain = candidate.page.chain(next(iter(candidate.firsts[path].values())))
    elements = candidate.page.elements
    around = [
        elements[index] for index in chain if candidate.page.is_within(elements[index].path, candidate.path)
    ]
    inner = (other for other in candidate.firsts if candidate.page.is_within(other, path))
    return any(one.tag in HEADINGS for one in around) or any(
        _tag(candidate, other) in HEADINGS for other in inner
    )


def _tag(candidate: _Candidate, path: int) -> str:
    return candidate.page.elements[next(iter(candidate.firsts[path].values()))].tag


def _title(candidate: _Candidate, link: int) -> int:
    """The path of the titles: the link, a heading, or another text that differs each time."""
    page, is_telling = candidate.page, candidate.size(link) >= 4 and candidate.distinct(link) >= MOST
    inside = [path for path in candidate.firsts if path != link and page.is_within(path, link)]
    texts = [path for path in candidate.firsts if _may_be_title(candidate, path)]
    headings = [path for path in texts if _tag(candidate, path) in HEADINGS]
    within = [path for path in headings if path in inside]
    if within:
        return within[0]
    if is_telling:
        parts = [path for path in inside if path in texts and _is_block(candidate, path)]
        return parts[0] if parts else link
    inner = [
        path for path in texts if not any(page.is_within(other, path) for other in texts if other != path)
    ]
    return (headings or inner or [0])[0]


def _may_be_title(candidate: _Candidate, path: int) -> bool:
    if candidate.share(path) < MOST or candidate.counts[path] > len(candidate.items) / MOST:
        return False
    size = candidate.size(path)
    is_line = 4 <= size <= 2 * _LONG and candidate.distinct(path) >= MOST
    return is_line and not _dated(candidate, path, 0) and path != candidate.path


def _is_block(candidate: _Candidate, path: int) -> bool:
    """Whether an element within a link is one of several: a title above an excerpt, for instance."""
    page = candidate.page
    return any(
        page.above[other] == page.above[path] and other != path and candidate.share(other) >= SOME
        for other in candidate.firsts
    )


def _dated(candidate: _Candidate, path: int, without: int) -> float:
    """The share of the items that have a date in a short element of `path`."""
    others, count = candidate.firsts.get(without, {}), 0
    for place, index in candidate.firsts[path].items():
        one, other = candidate.page.elements[index], others.get(place, -1)
        if len(candidate.text(index, other).encode()) > _SHORT_LINE:
            continue
        left_out = () if other < 0 else (candidate.page.elements[other].node.mem_id,)
        count += date_of(one.node, candidate.now, left_out) is not None
    return count / len(candidate.items)


def _date(candidate: _Candidate, link: int, title: int) -> int:
    """The path of the dates: of those that most items have, the shortest texts."""
    shares = {
        path: _dated(candidate, path, title)
        for path in candidate.firsts
        if path not in (link, title)
        and candidate.share(path) >= SOME
        and not candidate.page.is_within(path, title)
    }
    shares |= {path: _dated(candidate, path, title) for path in _inside(candidate, title)}
    dated = [path for path, share in shares.items() if share >= SOME]
    return max(
        dated,
        key=lambda path: (
            round(shares[path], 1),
            _tag(candidate, path) == "time",
            -candidate.size(path, title),
            path,
        ),
        default=0,
    )


def _inside(candidate: _Candidate, title: int) -> Sequence[int]:
    """The paths of elements within the titles."""
    return [path for path in candidate.firsts if path != title and candidate.page.is_within(path, title)]


def _excerpt(candidate: _Candidate, link: int, title: int, date: int) -> int:
    """The path of the excerpts: the longest text that holds no title, else what is around the title."""
    page = candidate.page
    others = [
        path for path in candidate.firsts if candidate.share(path) >= SOME and path not in (link, title, date)
    ]
    apart = [
        path
        for path in others
        if not page.is_within(title, path)
        and not page.is_within(path, title)
        and not (date and page.is_within(path, date))
        and not _is_linked(candidate, path)
        and candidate.distinct(path) >= MOST
    ]
    sizes = {path: candidate.size(path, date) * candidate.share(path) for path in apart}
    best = max(apart, key=lambda path: (sizes[path], -path), default=0)
    if best and sizes[best] >= _MEAN_EXCERPT:
        return best
    around = [path for path in others if page.is_within(title, path) and not page.is_within(path, link)]
    bare = {path: _bare_size(candidate, path, title) for path in around}
    best = max(around, key=lambda path: (bare[path], path), default=0)
    return best if best and bare[best] >= _BARE_EXCERPT else 0


def _is_linked(candidate: _Candidate, path: int) -> bool:
    """Whether most of a text is links: the tags of a post, for instance."""
    elements = candidate.page.elements
    first = next(iter(candidate.firsts[path].values()))
    one = elements[first]
    linked = sum(e.size for e in elements[first + 1 : min(one.end, first + LOOKED)] if e.tag == "a")
    return one.tag == "a" or linked > MOST * one.size


def _bare_size(candidate: _Candidate, path: int, title: int) -> float:
    """The mean size of what an element says besides its title and in no element with links."""
    return candidate.size(path, title) if candidate.counts[path] <= len(candidate.items) else 0


# ---------------------------------------------------------------- the choice


def _rating(candidate: _Candidate, parts: _Parts) -> float:
    """How much a candidate looks like a list of posts; 0 for one that is none."""
    size = min(candidate.size(parts.title), _LONG)
    dated = _dated(candidate, parts.date, parts.title) if parts.date else 0.0
    has_heading = _has_heading(candidate, parts.link) or _tag(candidate, parts.title) in HEADINGS
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
    rating *= 1.3 if _tag(candidate, candidate.path) == "article" else 1
    return rating * (0.15 if _ASIDE.search(_heading_above(candidate)) else 1)


def _heading_above(candidate: _Candidate) -> str:
    """The text of the nearest heading above the list; empty without one."""
    page, index = candidate.page, candidate.items[0]
    for _ in range(3):
        for before in _before(page, index):
            one = page.elements[before]
            is_heading = one.tag in HEADINGS or any("tit" in name or "head" in name for name in one.names)
            if is_heading and one.size <= _SHORT_LINE and one.path != page.elements[index].path:
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


def _selectors(page: LexborNode, candidate: _Candidate, parts: _Parts, item: str = "") -> Selectors | None:
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
