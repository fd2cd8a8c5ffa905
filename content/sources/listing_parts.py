"""The parts of the posts of a candidate: which of the paths within them are link, title, date and excerpt."""

import math
from dataclasses import dataclass

from content.sources.listing_candidates import LONG, LOOKED, Candidate
from content.sources.listing_outline import HEADINGS

MOST = 0.6  # share of the posts that must have a link, and have it alone
SOME = 0.4  # share of the posts that must have a date or an excerpt
_MEAN_EXCERPT, _BARE_EXCERPT = 30, 60  # bytes of an excerpt, of one without an element of its own


@dataclass(frozen=True, slots=True)
class Parts:
    """The paths of the parts of a candidate's posts; 0 for a part that they lack."""

    link: int
    title: int
    date: int = 0
    excerpt: int = 0


def parts_of(candidate: Candidate) -> Parts | None:
    """The parts of a candidate's posts; None if they have no link or title, and so are no posts."""
    link = _best_link(candidate)
    if not link:
        return None
    title = _title(candidate, link)
    if not title:
        return None
    date = _date(candidate, link, title)
    return Parts(link, title, date, _excerpt(candidate, link, title, date))


def _best_link(candidate: Candidate) -> int:
    """The path of the links to the posts: most items have one, and each leads elsewhere."""
    rated = {path: _link_rating(candidate, path) for path in candidate.firsts}
    best = max(rated, key=lambda path: rated[path])
    return best if rated[best] > 0 else 0


def _link_rating(candidate: Candidate, path: int) -> float:
    elements = [candidate.page.elements[index] for index in candidate.firsts[path].values()]
    if elements[0].tag != "a" or candidate.share(path) < MOST:
        return 0
    targets = [one.target for one in elements if one.links]
    distinct = len(set(targets)) / len(elements)
    if distinct < MOST:
        return 0
    size = min(candidate.size(path), LONG) * candidate.distinct(path)
    alone = len(elements) / candidate.counts[path]
    heading = 2 if candidate.has_heading(path) else 1
    return candidate.share(path) * distinct * alone * heading * math.log2(4 + size)


def _title(candidate: Candidate, link: int) -> int:
    """The path of the titles: the link, a heading, or another text that differs each time."""
    page, is_telling = candidate.page, candidate.size(link) >= 4 and candidate.distinct(link) >= MOST
    inside = [path for path in candidate.firsts if path != link and page.is_within(path, link)]
    texts = [path for path in candidate.firsts if _may_be_title(candidate, path)]
    headings = [path for path in texts if candidate.tag(path) in HEADINGS]
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


def _may_be_title(candidate: Candidate, path: int) -> bool:
    if candidate.share(path) < MOST or candidate.counts[path] > len(candidate.items) / MOST:
        return False
    size = candidate.size(path)
    is_line = 4 <= size <= 2 * LONG and candidate.distinct(path) >= MOST
    return is_line and not candidate.dated(path, 0) and path != candidate.path


def _is_block(candidate: Candidate, path: int) -> bool:
    """Whether an element within a link is one of several: a title above an excerpt, for instance."""
    page = candidate.page
    return any(
        page.above[other] == page.above[path] and other != path and candidate.share(other) >= SOME
        for other in candidate.firsts
    )


def _date(candidate: Candidate, link: int, title: int) -> int:
    """The path of the dates: of those that most items have, the shortest texts."""
    shares = {
        path: candidate.dated(path, title)
        for path in candidate.firsts
        if path not in (link, title) and candidate.share(path) >= SOME
    }

    def rank(path: int) -> tuple[float, bool, float, int]:
        is_time = candidate.tag(path) == "time"
        return round(shares[path], 1), is_time, -candidate.size(path, title), path

    return max((path for path, share in shares.items() if share >= SOME), key=rank, default=0)


def _excerpt(candidate: Candidate, link: int, title: int, date: int) -> int:
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


def _is_linked(candidate: Candidate, path: int) -> bool:
    """Whether most of a text is links: the tags of a post, for instance."""
    elements = candidate.page.elements
    first = next(iter(candidate.firsts[path].values()))
    one = elements[first]
    linked = sum(e.size for e in elements[first + 1 : min(one.end, first + LOOKED)] if e.tag == "a")
    return one.tag == "a" or linked > MOST * one.size


def _bare_size(candidate: Candidate, path: int, title: int) -> float:
    """The mean size of what an element says besides its title; 0 for one of several in an item."""
    return candidate.size(path, title) if candidate.counts[path] <= len(candidate.items) else 0
