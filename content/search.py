"""The query language of searches, and the port of the index.

`"…"` is an exact phrase. A trailing `*` makes a prefix, and so does a single CJK character. `-word` excludes
posts. `source:`, `tag:`, `lang:`, `before:` and `after:` are filters. All other words must occur, except
those that only ask a question. Any text is a valid query.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from content.filters import Problem, day, language_named, nearest
from content.questions import without_question
from content.tokens import IndexedText, Run, fold, joined, runs, stem
from content.types import PostQuery, Ranking
from content.typos import Near

MAX_QUERY = 256  # characters
MAX_UNITS = 32
MAX_PREFIXES = 4  # in a query: the database expands each prefix to all words that begin with it

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"') | {"−": "-", "–": "-"})


def items_named(*names: str) -> re.Pattern[str]:
    """What finds the items of a query: words, phrases, and filters of these names."""
    return re.compile(
        rf"""(?P<minus>-)?
        (?:(?P<name>{"|".join(names)}):(?=\S))?
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))
        (?P<star>\*)?""",
        re.VERBOSE | re.IGNORECASE,
    )


_ITEM = items_named("source", "tag", "lang", "before", "after")


@dataclass(frozen=True, slots=True)
class Unindexed:
    """What a search finds of a post that waits to be indexed."""

    id: int
    title: str
    text: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Consecutive tokens of title or body. `prefix`: the last one is only the beginning of a token."""

    tokens: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the variants of a post: a stem, a joined compound, or the letters of a name with a number."""

    token: str


Term = Phrase | Variant


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A unit of a query. It occurs in a post if one of its terms does. `quoted` ones are never loosened."""

    terms: tuple[Term, ...]
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Most:
    """A unit that occurs in a post if all but `missing` of its units do."""

    units: tuple["Unit", ...]
    missing: int


Unit = AnyOf | Most


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: all `units` and none of `excluded` must occur in a post.

    The post must be from one of `sources`, have all `tags`, both as typed, and be in one of `languages`. It
    must be published on the day `after` or later, and before the day `before`. `problems` are filters that
    are not valid. `question`: words that only ask were left out, so the others were not chosen with care.
    """

    units: tuple[Unit, ...] = ()
    excluded: tuple[AnyOf, ...] = ()
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    before: date | None = None
    after: date | None = None
    problems: tuple[Problem, ...] = ()
    question: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is no word to search for. Filters and exclusions alone find nothing."""
        return not self.units


class SearchIndex(Protocol):
    """The port of the full-text index, which storage implements."""

    def limited(self) -> AbstractAsyncContextManager[None]:
        """Everything that is asked of the index in the block has the time of a single search.

        Raises SearchTooLong, as the methods below do.
        """
        ...

    async def search(self, query: Query, scope: PostQuery) -> Ranking:
        """The posts of `scope` that match `query`, best first. An empty query matches none."""
        ...

    async def count(self, query: Query, scope: PostQuery, most: int) -> int:
        """How many posts `search` would find, counted up to `most`. It is faster."""
        ...

    async def has(self, words: Collection[str]) -> Collection[str]:
        """Those of the words that are in any post, whoever may see it."""
        ...

    async def waiting(self, limit: int, after: int) -> Sequence[Unindexed]:
        """Some of the posts with higher ids than `after` that wait to be indexed, the first ones first."""
        ...

    async def count_waiting(self) -> int:
        """How many posts wait to be indexed."""
        ...

    async def add_waiting(self, posts: Sequence[tuple[int, IndexedText]]) -> None:
        """Index those of the posts, each with its tokens, that still wait."""
        ...

    async def near(self, near: Near) -> Sequence[tuple[str, int]]:
        """Words of the index that a misspelt word may stand for, each with its number of posts."""
        ...


def leaves(unit: Unit) -> Iterator[AnyOf]:
    """The units inside a unit that are no combinations."""
    if isinstance(unit, AnyOf):
        yield unit
    else:
        for inner in unit.units:
            yield from leaves(inner)


def parse(query: str) -> Query:
    """Parse what a person typed. It never raises."""
    items = list(_ITEM.finditer(paired(typed(query, MAX_QUERY))))
    plain = [item for item in items if _is_plain(item)]
    said, asked = without_question([item["bare"] for item in plain])
    if asked:
        reading = _read(items, dict(zip(plain, said, strict=True)))
        if reading.units:
            return reading.query(question=True)
    return _read(items, {}).query(question=False)


def _is_plain(item: re.Match[str]) -> bool:
    return not (item["minus"] or item["name"] or item["star"] or item["bare"] is None)


def typed(text: str, most: int) -> str:
    """A text with plain quotes, dashes and letters in the place of their typographic forms, cut to `most`."""
    # NFKC makes such quotes and dashes of a few other signs, and may make the text longer.
    return unicodedata.normalize("NFKC", text[:most]).translate(_QUOTES)[:most]


def paired(plain: str) -> str:
    """A text without its last quote if that has no partner."""
    if plain.count('"') % 2:
        head, _, tail = plain.rpartition('"')
        plain = f"{head} {tail}"
    return plain


def units_of(item: re.Match[str], value: str) -> list[AnyOf]:
    """The units of an item that is no filter: none if `value` has no word."""
    found = list(runs(fold(value)))
    prefix = bool(item["star"]) or value.endswith("*")
    if not found:
        return []
    # Quoted words, and compounds that are excluded, are matched as they stand, without variants.
    if item["bare"] is None or (item["minus"] and len(found) > 1):
        return [exactly(found, prefix, quoted=True)]
    return [_unit(run, prefix and run is found[-1]) for run in found]


@dataclass(slots=True)
class _Reading:
    """The parts of a query that have been parsed so far."""

    units: list[AnyOf] = field(default_factory=list)
    excluded: list[AnyOf] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    days: dict[str, date] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, item: re.Match[str], value: str) -> None:
        if item["name"]:
            self._filter(item["name"].lower(), value.strip(), item)
            return
        (self.excluded if item["minus"] else self.units).extend(units_of(item, value))

    def _filter(self, name: str, value: str, item: re.Match[str]) -> None:
        language, moment = language_named(value), day(value)
        if item["minus"] or not value:
            self.problems.append(Problem(item[0], nearest(name, value)))
        elif name == "source":
            self.sources.append(value)
        elif name == "tag":
            self.tags.append(value)
        elif name == "lang" and language:
            self.languages.append(language)
        elif name in ("before", "after") and moment:
            self.days[name] = moment
        else:
            self.problems.append(Problem(item[0], nearest(name, value)))

    def query(self, *, question: bool) -> Query:
        units = _bounded(self.units, MAX_UNITS, MAX_PREFIXES)
        prefixes = MAX_PREFIXES - sum(map(_is_prefix, units))
        return Query(
            units=units,
            excluded=_bounded(self.excluded, MAX_UNITS - len(units), prefixes),
            sources=tuple(dict.fromkeys(self.sources)),
            tags=tuple(dict.fromkeys(self.tags)),
            languages=tuple(dict.fromkeys(self.languages)),
            before=self.days.get("before"),
            after=self.days.get("after"),
            problems=tuple(self.problems),
            question=question,
        )


def _read(items: Sequence[re.Match[str]], said: dict[re.Match[str], str]) -> _Reading:
    """The parts of a query. `said` are the values of items that are read in another way."""
    reading = _Reading()
    for item in items:
        reading.add(item, said.get(item, item["quoted"] if item["bare"] is None else item["bare"]))
    return reading


def _bounded(units: Sequence[AnyOf], most: int, prefixes: int) -> tuple[AnyOf, ...]:
    """The first `most` units, at most `prefixes` of them prefixes. Without the others more posts match."""
    taken: list[AnyOf] = []
    for unit in dict.fromkeys(units):
        prefixes -= _is_prefix(unit)
        if not _is_prefix(unit) or prefixes >= 0:
            taken.append(unit)
    return tuple(taken[:most])


def _is_prefix(unit: AnyOf) -> bool:
    return any(isinstance(term, Phrase) and term.prefix for term in unit.terms)


def exactly(found: Sequence[Run], prefix: bool, *, quoted: bool = False) -> AnyOf:
    """The tokens as a phrase.

    The last character of a CJK run is dropped, because it is a token only at the end of a run of the text. A
    run of a single character becomes a prefix.
    """
    tokens = [token for run in found for token in run.tokens()]
    if found[-1].cjk:
        if len(found[-1].text) == 1:
            prefix = True
        else:
            tokens.pop()
    return AnyOf((Phrase(tuple(tokens), prefix),), quoted)


def _unit(run: Run, prefix: bool) -> AnyOf:
    if run.cjk:
        return exactly([run], prefix)
    parts = tuple(run.tokens())
    whole = joined(parts)
    # A prefix may end inside a compound: deepseek-v* is found as two parts and as one word.
    if prefix:
        return AnyOf((Phrase(parts, True), *([Phrase((whole,), True)] if whole else [])))
    if len(parts) == 1:
        return word_unit(parts[0])
    return AnyOf((Phrase(parts), *(word_unit(whole).terms if whole else ())))


def word_unit(word: str) -> AnyOf:
    """The unit that finds a word: the word itself, its stem, and any word with the same stem."""
    stemmed = stem(word)
    return AnyOf(tuple(dict.fromkeys((Phrase((word,)), Phrase((stemmed,)), Variant(stemmed)))))
