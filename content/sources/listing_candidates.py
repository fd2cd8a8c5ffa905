"""Groups of elements that may be the posts of a page, and what the elements of a group have in common."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean

from content.sources.listing_items import FOLLOWING, date_of, text_of
from content.sources.listing_outline import HEADINGS, Outline, by_path

FEWEST = 2  # posts of a list
CANDIDATES = 40  # candidates that are looked at closely
SAMPLE = 30  # posts of a candidate that are looked at
REPEATED = 5  # elements of one path in one post that are looked at
LOOKED = 300  # elements of one post that are looked at
LONG = 120  # bytes of a title; a longer one counts no more
SHORT_LINE = 80  # bytes of an element that shows a date
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Candidate:
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
            self.texts[index, without] = text_of(self.page.elements[index].node, left_out, 4 * LONG)
        return self.texts[index, without]

    def size(self, path: int, without: int = 0) -> float:
        """The mean size of the texts of `path` in bytes, without the texts of another path."""
        others = self.firsts.get(without, {})
        return fmean(
            min(len(self.text(index, others.get(place, -1)).encode()), 4 * LONG)
            for place, index in self.firsts[path].items()
        )

    def distinct(self, path: int) -> float:
        """The share of texts of `path` that differ in more than numbers."""
        texts = [_DIGITS.sub("", self.text(index)) for index in self.firsts[path].values()]
        return len(set(texts)) / len(texts)

    def tag(self, path: int) -> str:
        return self.page.elements[next(iter(self.firsts[path].values()))].tag

    def dated(self, path: int, without: int = 0) -> float:
        """The share of the items that have a date in a short element of `path`, without another path."""
        others, count = self.firsts.get(without, {}), 0
        for place, index in self.firsts[path].items():
            other = others.get(place, -1)
            if len(self.text(index, other).encode()) > SHORT_LINE:
                continue
            left_out = () if other < 0 else (self.page.elements[other].node.mem_id,)
            count += date_of(self.page.elements[index].node, self.now, left_out) is not None
        return count / len(self.items)

    def has_heading(self, path: int) -> bool:
        """Whether the elements of `path` are in a heading, or hold one."""
        page = self.page
        chain = page.chain(next(iter(self.firsts[path].values())))
        around = [page.elements[at] for at in chain if page.is_within(page.elements[at].path, self.path)]
        inner = (other for other in self.firsts if page.is_within(other, path))
        return any(one.tag in HEADINGS for one in around) or any(self.tag(one) in HEADINGS for one in inner)


def groups(found: Outline) -> Iterator[Sequence[int]]:
    """The groups of elements that may be posts, most promising first: all of one path, and of one parent."""

    def promise(group: Sequence[int]) -> float:
        mean = fmean(found.elements[index].size for index in group)
        return min(len(group), SAMPLE) * min(mean, 4 * LONG)

    groups = list(by_path(found).values())
    for group in list(groups):
        parents = Counter(found.elements[index].parent for index in group)
        if 1 < len(parents) < len(group):
            largest = [parent for parent, count in parents.most_common(4) if count >= FEWEST]
            groups += [[i for i in group if found.elements[i].parent == parent] for parent in largest]
    yield from sorted((one for one in groups if len(one) >= FEWEST), key=promise, reverse=True)[:CANDIDATES]


def surveyed(found: Outline, items: Sequence[int], now: datetime) -> Candidate:
    """A candidate with the paths in some of its items, and in the elements that follow each."""
    surveyed = Candidate(found, now, items[:SAMPLE], items)
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


def _add_columns(surveyed: Candidate, again: Mapping[tuple[int, int], Sequence[int]]) -> None:
    """Give the second and later elements of one path paths of their own: they may be columns of a table."""
    columns: dict[tuple[int, int], int] = {}
    for (path, place), indices in again.items():
        for number, index in enumerate(indices[1:]):
            if (path, number) not in columns:
                columns[path, number] = surveyed.page.new_path(surveyed.page.above[path])
            column = columns[path, number]
            surveyed.firsts.setdefault(column, {})[place] = index
            surveyed.counts[column] = surveyed.counts[path]  # one of a row is never alone


def _around(found: Outline, item: int) -> Iterator[int]:
    """The indices of an item, of what is in it, and of what follows it up to the next item."""
    one = found.elements[item]
    yield from range(item, min(one.end, item + LOOKED))
    end = found.elements[one.parent].end if one.parent >= 0 else one.end
    after, count = one.end, 0
    while after < end and count < FOLLOWING and found.elements[after].path != one.path:
        yield from range(after, min(found.elements[after].end, after + LOOKED))
        after, count = found.elements[after].end, count + 1
