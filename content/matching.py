"""Filters of subscriptions, in the language of searches: which posts pass, and why the others do not.

Words, `"phrases"`, prefixes*, `tag:`, `lang:`, `source:`, `before:` and `after:` mean what they mean in a
search. Filters also have `author:` and `/regular expressions/`, and `-` excludes every one of these but days.
Words that ask a question are not left out, as they may be in a search. Any text can be read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from content import filters, regexes
from content.filters import Problem
from content.i18n import Msgid
from content.search import items_named, paired, typed, units_of
from content.subjects import (
    HasAuthor,
    HasTag,
    HasWords,
    InLanguage,
    Matches,
    OfSource,
    Published,
    Subject,
    Test,
    name_fits,
)
from content.text import storable
from content.types import Source

MAX_FILTER = 1_000  # characters
MAX_PATTERNS = 4  # of one filter, for they may take most of the time
MAX_BYTES = 2_400  # an index of PostgreSQL holds no longer text
# Of the reason why a post did not pass, in characters.
MAX_WHY = 200

# Of the conditions that begin with a name and a colon.
NAMES = ("source", "tag", "author", "lang", "before", "after")
_ITEM = items_named(*NAMES)
# A pattern stands alone between spaces; a slash in it is escaped. What is in quotes is no pattern.
_PATTERN = re.compile(r'"[^"]*"|(?<!\S)(?P<minus>-)?/(?P<pattern>(?:[^/\\\n]|\\[^\n])++)/(?!\S)')
# What other searches have between words. Here it would be a word that hardly any post has.
_OPERATOR = re.compile(
    r'"[^"]*"|(?<!\S)(?:(?P<before>\w[\w.+#-]*)\s+)?(?P<word>AND\s+NOT|AND|OR|NOT)'
    r"(?:\s+(?P<after>\w[\w.+#-]*))?(?!\S)"
)
# What an excluded pattern finds in all of these, it finds in any post.
_ANY_TEXT = ("", "a", "8", "的", "A word, and 2 more.\nAnother line", "x" * 2_000)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, and how it is written. An excluded one must not hold."""

    text: str
    test: Test
    excluded: bool = False

    def admits(self, subject: Subject) -> bool:
        return self.test.holds(subject) is not self.excluded


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a filter is hardly what somebody wants: a msgid, and the values of its fields."""

    message: Msgid
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions must admit a post. `problems` are parts that were not understood, without effect."""

    conditions: tuple[Condition, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def patterns(self) -> int:
        return sum(isinstance(condition.test, Matches) for condition in self.conditions)

    @property
    def text(self) -> str:
        """The normal text, which `parse` makes the same filter of."""
        return " ".join(condition.text for condition in self.conditions)

    def rejection(self, subject: Subject) -> Condition | None:
        """The first condition that does not admit a post; None if it passes."""
        return next((one for one in self.conditions if not one.admits(subject)), None)


def parse(text: str) -> Filter:
    """Read what a person typed. It never raises; what is beyond `MAX_FILTER` is cut off."""
    reading = _Reading()
    for piece, pattern in _pieces(typed(storable(text), MAX_FILTER)):
        if pattern:
            reading.add_pattern(pattern)
        for item in _ITEM.finditer(_OPERATOR.sub(reading.operator, paired(piece))):
            reading.add(item)
    return reading.filter()


@lru_cache(maxsize=2_048)
def of(text: str) -> Filter:
    """The filter of a normal text. It is kept, because every new post is asked about the same filters."""
    return parse(text)


def rejections(wanted: Mapping[int, str], subject: Subject) -> dict[int, str]:
    """Those filters, by their ids, that a post does not pass, each with the condition that it fails."""
    failed = {key: of(text).rejection(subject) for key, text in wanted.items()}
    return {key: condition.text[:MAX_WHY] for key, condition in failed.items() if condition}


def doubts(wanted: Filter, source: Source | None, today: date) -> list[Doubt]:
    """What tells that hardly any post of a source (None: of all sources) can pass a filter from today on."""
    return [*_contradictions(wanted), *_hopeless(wanted, source, today)]


def _contradictions(wanted: Filter) -> Iterator[Doubt]:
    included = [one for one in wanted.conditions if not one.excluded]
    for other in wanted.conditions:
        if not other.excluded:
            continue
        for one in included:
            if one.test.implies(other.test):
                yield Doubt(
                    Msgid("Nothing can pass: “{one}” and “{other}” contradict each other."),
                    {"one": one.text, "other": other.text},
                )
        if isinstance(other.test, Matches) and all(
            regexes.found(other.test.pattern, text) for text in _ANY_TEXT
        ):
            yield Doubt(Msgid("Nothing can pass: “{filter}” excludes every post."), {"filter": other.text})


def _hopeless(wanted: Filter, source: Source | None, today: date) -> Iterator[Doubt]:
    for one in wanted.conditions:
        match one.test:
            case Published(after, before) if after >= before:
                yield Doubt(Msgid("Nothing can pass: no day fits “{filter}”."), {"filter": one.text})
            case Published(_, before) if before <= today:
                yield Doubt(
                    Msgid("New posts cannot pass “{filter}”: that day is over."), {"filter": one.text}
                )
            case OfSource(names) if source:
                fits = any(name_fits(name, source) for name in names)
                if fits is one.excluded:
                    values = {"filter": one.text, "source": source.name}
                    yield Doubt(
                        Msgid("Nothing can pass: “{filter}” leaves out all posts of {source}."), values
                    )
            case _:
                pass


def _pieces(plain: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """The text between patterns, each piece with the pattern before it."""
    before, start = None, 0
    for found in _PATTERN.finditer(plain):
        if found["pattern"]:
            yield plain[start : found.start()], before
            before, start = found, found.end()
    yield plain[start:], before


@dataclass(slots=True)
class _Reading:
    """What has been read so far. None holds the place of conditions that are read of several items."""

    conditions: dict[object, Condition | None] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)  # how each was typed
    sources: dict[str, str] = field(default_factory=dict)
    days: dict[str, tuple[str, date]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def filter(self) -> Filter:
        conditions = (one or self._of_several(key) for key, one in self.conditions.items())
        return Filter(tuple(conditions), tuple(self.problems))

    def add_pattern(self, found: re.Match[str]) -> None:
        pattern, minus = found["pattern"], found["minus"] or ""
        if regexes.is_valid(pattern):
            self._keep(found[0], Matches(pattern), excluded=bool(minus))
        else:
            self.problems.append(Problem(found[0], f"{minus}/{regexes.nearest(pattern)}/"))

    def operator(self, found: re.Match[str]) -> str:
        """What stays of the words around an operator, which is a problem, or of a phrase."""
        if not found["word"]:
            return found[0]
        self.problems.append(Problem(found[0], _without_operator(found)))
        return ""

    def add(self, item: re.Match[str]) -> None:
        name, excluded = (item["name"] or "").lower(), bool(item["minus"])
        value = item["quoted"] if item["bare"] is None else item["bare"]
        bare = value.removesuffix(":").lower()
        pattern = _PATTERN.fullmatch(item[0])
        if pattern and pattern["pattern"]:  # an unpaired quote stood before it
            self.add_pattern(pattern)
        elif name:
            self._add_named(item, name, value.strip(), excluded)
        elif item["bare"] and value.endswith(":") and bare in NAMES:  # its value is missing
            self.problems.append(Problem(item[0], _nearest(bare, "", excluded)))
        elif units := tuple(units_of(item, value)):
            self._keep(item[0], HasWords(units), excluded=excluded)
        elif value.strip():
            sign = "-" if excluded else ""
            self.problems.append(Problem(item[0], f"{sign}/{regexes.escaped(value.strip())}/"))

    def _add_named(self, item: re.Match[str], name: str, value: str, excluded: bool) -> None:
        text, language, moment = item[0], filters.language_named(value), filters.day(value)
        if name in ("before", "after") and moment and not excluded:
            # The last one counts, as in a search.
            self.days[name] = text, moment
            self.conditions.setdefault(Published, None)
        elif name == "lang" and language and not excluded:
            self.languages.setdefault(language, text)
            self.conditions.setdefault(InLanguage, None)
        elif name == "source" and value and not excluded:
            self.sources.setdefault(value, text)
            self.conditions.setdefault(OfSource, None)
        elif name == "lang" and language:
            self._keep(text, InLanguage(frozenset((language,))), excluded=True)
        elif name == "source" and value:
            self._keep(text, OfSource((value,)), excluded=True)
        elif name == "tag" and value:
            self._keep(text, HasTag(value), excluded=excluded)
        elif name == "author" and (names := tuple(units_of(item, value))):
            self._keep(text, HasAuthor(names), excluded=excluded)
        else:
            self.problems.append(Problem(text, _nearest(name, value, excluded)))

    def _keep(self, text: str, test: Test, *, excluded: bool) -> None:
        self.conditions.setdefault((test, excluded), Condition(text, test, excluded))

    def _of_several(self, kind: object) -> Condition:
        """Several languages or sources are alternatives, and the days are the ends of a time."""
        if kind is InLanguage:
            return Condition(" ".join(self.languages.values()), InLanguage(frozenset(self.languages)))
        if kind is OfSource:
            return Condition(" ".join(self.sources.values()), OfSource(tuple(self.sources)))
        ends = {name: day for name, (_, day) in self.days.items()}
        return Condition(" ".join(text for text, _ in self.days.values()), Published(**ends))


def _without_operator(found: re.Match[str]) -> str:
    """What a person means who writes OR, AND or NOT. In quotes, it is a word."""
    before, word, after = found["before"] or "", found["word"], found["after"] or ""
    if not after or (word == "OR" and not before):
        return f'"{word}"'
    if word == "OR":
        return f"/{regexes.escaped(before)}|{regexes.escaped(after)}/"
    return f"{before} {'-' if 'NOT' in word else ''}{after}".strip()


def _nearest(name: str, value: str, excluded: bool) -> str:
    """The valid filter that is nearest to one that is not. What is not before a day is after it."""
    if excluded and name in ("before", "after"):
        return filters.nearest("after" if name == "before" else "before", value)
    value = "" if name == "author" else value  # it has no word
    return ("-" if excluded else "") + filters.nearest(name, value)
