"""The query language of searches, the port of the index, and snippets.

`"…"` is an exact phrase. A trailing `*` makes a prefix, and so does a single CJK character. `-word` excludes
posts. `source:`, `tag:`, `before:` and `after:` are filters. All other words must occur. Any text is a valid
query.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Protocol

from content.text import excerpt
from content.tokens import Run, fold, joined, runs, stem
from content.types import PostQuery, Ranking

MAX_QUERY = 256  # characters
MAX_UNITS = 32
MAX_PREFIXES = 4  # in a query: the database expands each prefix to all words that begin with it
_MAX_READ = 20_000  # characters of a post that are searched for a snippet, which takes tens of milliseconds
_MAX_SPANS = 200
_MAX_MARKS = 32  # characters that are folded as one piece, a letter with its combining marks

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"') | {"−": "-", "–": "-"})
_ITEM = re.compile(
    r"""(?P<minus>-)?
        (?:(?P<name>source|tag|before|after):(?=\S))?
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))
        (?P<star>\*)?""",
    re.VERBOSE | re.IGNORECASE,
)


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
    """A unit of a query. It occurs in a post if one of its terms does."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: all `units` and none of `excluded` must occur in a post.

    The post must be from one of `sources` and have all `tags`, both as typed. It must be published on the day
    `after` or later, and before the day `before`. `problems` are filters, as typed, that are not valid.
    """

    units: tuple[AnyOf, ...] = ()
    excluded: tuple[AnyOf, ...] = ()
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    before: date | None = None
    after: date | None = None
    problems: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no word to search for. Filters and exclusions alone find nothing."""
        return not self.units


class SearchIndex(Protocol):
    """The port of the full-text index, which storage implements."""

    async def search(self, query: Query, scope: PostQuery) -> Ranking:
        """The posts of `scope` that match `query`, best first. An empty query matches none."""
        ...


def parse(query: str) -> Query:
    """Parse what a person typed. It never raises."""
    reading = _Reading()
    for match in _ITEM.finditer(_prepared(query)):
        reading.add(match)
    units = _bounded(reading.units, MAX_UNITS, MAX_PREFIXES)
    prefixes = MAX_PREFIXES - sum(map(_is_prefix, units))
    return Query(
        units=units,
        excluded=_bounded(reading.excluded, MAX_UNITS - len(units), prefixes),
        sources=tuple(dict.fromkeys(reading.sources)),
        tags=tuple(dict.fromkeys(reading.tags)),
        before=reading.days.get("before"),
        after=reading.days.get("after"),
        problems=tuple(reading.problems),
    )


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


def _prepared(query: str) -> str:
    """The query with typographic quotes and dashes replaced, and without an unpaired quote."""
    # NFKC may make the query longer, so it is cut again.
    plain = unicodedata.normalize("NFKC", query[:MAX_QUERY].translate(_QUOTES))[:MAX_QUERY]
    if plain.count('"') % 2:
        head, _, tail = plain.rpartition('"')
        plain = f"{head} {tail}"
    return plain


@dataclass(slots=True)
class _Reading:
    """The parts of a query that have been parsed so far."""

    units: list[AnyOf] = field(default_factory=list)
    excluded: list[AnyOf] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    days: dict[str, date] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, item: re.Match[str]) -> None:
        value = item["quoted"] if item["bare"] is None else item["bare"]
        if item["name"]:
            self._filter(item["name"].lower(), value.strip(), item)
            return
        found = list(runs(fold(value)))
        prefix = bool(item["star"]) or value.endswith("*")
        # Quoted words, and compounds that are excluded, are matched as they stand, without variants.
        exact = item["bare"] is None
        if not found:
            return
        if exact or (item["minus"] and len(found) > 1):
            unit = [_exact(found, prefix)]
        else:
            unit = [_unit(run, prefix and run is found[-1]) for run in found]
        (self.excluded if item["minus"] else self.units).extend(unit)

    def _filter(self, name: str, value: str, item: re.Match[str]) -> None:
        if item["minus"] or not value:
            self.problems.append(item[0])
        elif name == "source":
            self.sources.append(value)
        elif name == "tag":
            self.tags.append(value)
        else:
            try:
                self.days[name] = date.fromisoformat(value)
            except ValueError:
                self.problems.append(item[0])


def _exact(found: Sequence[Run], prefix: bool) -> AnyOf:
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
    return AnyOf((Phrase(tuple(tokens), prefix),))


def _unit(run: Run, prefix: bool) -> AnyOf:
    if run.cjk:
        return _exact([run], prefix)
    parts = tuple(run.tokens())
    whole = joined(parts)
    # A prefix may end inside a compound: deepseek-v* is found as two parts and as one word.
    if prefix:
        return AnyOf((Phrase(parts, True), *([Phrase((whole,), True)] if whole else [])))
    if len(parts) == 1:
        return AnyOf(_word(parts[0]))
    return AnyOf((Phrase(parts), *(_word(whole) if whole else ())))


def _word(word: str) -> tuple[Term, ...]:
    """The terms that find a word: the word itself, its stem, and any word with the same stem."""
    stemmed = stem(word)
    return tuple(dict.fromkeys((Phrase((word,)), Phrase((stemmed,)), Variant(stemmed))))


def snippet(text: str, query: Query, limit: int = 350) -> str:
    """The part of `text` that matches most of `query`, on one line.

    It is at most `limit` code points long, with `...` where it was cut. If nothing matches, it is the
    beginning of the text.
    """
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    folded, origins = _folded(flat[:_MAX_READ])
    found = list(runs(folded))
    spans = sorted({(origins[a], origins[b], n) for a, b, n in _spans(found, query)})[:_MAX_SPANS]
    if not spans:
        return excerpt(flat, limit)
    first, last = _window(spans, limit)
    # A third of the room that the matches leave is for the text before them.
    lead = max(0, first - max(0, limit - (last - first)) // 3, min(first, last - limit))
    starts = [origins[start] for run in found for start, _ in run.spans()]
    begin = 0 if lead == 0 else starts[bisect_left(starts, lead)]
    return ("..." if begin else "") + excerpt(flat[begin:], limit)


def _window(spans: Sequence[tuple[int, int, int]], limit: int) -> tuple[int, int]:
    """Start and end of the part with most different units; of several, with most spans; then the first."""
    best, window = (0, 0), (spans[0][0], spans[0][1])
    for i, (first, _, _) in enumerate(spans):
        inside = [(end, n) for start, end, n in spans[i:] if end <= first + limit]
        score = (len({n for _, n in inside}), len(inside))
        if score > best:
            best, window = score, (first, max(end for end, _ in inside))
    return window


def _spans(found: Sequence[Run], query: Query) -> Iterator[tuple[int, int, int]]:
    """Every match in the folded text: its start, its end and the number of its unit."""
    stream = [(token, *span) for run in found for token, span in zip(run.tokens(), run.spans(), strict=True)]
    others = [(run, frozenset(run.variants())) for run in found if not run.cjk]
    for n, unit in enumerate(query.units):
        for term in unit.terms:
            if isinstance(term, Phrase):
                yield from ((start, end, n) for start, end in _matches(stream, term))
            else:
                runs_with = (run for run, variants in others if term.token in variants)
                yield from ((run.start, run.start + len(run.text), n) for run in runs_with)


def _matches(stream: Sequence[tuple[str, int, int]], phrase: Phrase) -> Iterator[tuple[int, int]]:
    *head, last = phrase.tokens
    for i in range(len(stream) - len(head)):
        token, _, end = stream[i + len(head)]
        fits = token.startswith(last) if phrase.prefix else token == last
        if fits and all(stream[i + k][0] == wanted for k, wanted in enumerate(head)):
            yield stream[i][1], end


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters, and its end, the index in `text`."""
    pieces, origins, start = [], [], 0
    for end in range(1, len(text) + 1):
        if end == len(text) or end - start == _MAX_MARKS or not _attached(text[end]):
            piece = _fold_piece(text[start:end])
            pieces.append(piece)
            origins += [start] * len(piece)
            start = end
    return "".join(pieces), [*origins, len(text)]


# Most pieces are single letters that come again and again.
_fold_piece = lru_cache(maxsize=8_192)(fold)


@lru_cache(maxsize=8_192)
def _attached(character: str) -> bool:
    """Whether NFKC joins a character to the one before: a combining mark, a vowel or final of Hangul."""
    base = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.combining(base) != 0 or "\u1161" <= base <= "\u11ff"
