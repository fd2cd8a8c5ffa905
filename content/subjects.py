"""What a filter can ask of a post. Its words are the tokens and variants that a search finds."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property
from typing import Protocol

from content import regexes
from content.search import AnyOf, Phrase, Term
from content.tokens import GAP, IndexedText, index_text, variants
from content.types import NewPost, Post, Source


class Words:
    """The words of a post, to be asked whether units of a query occur in it."""

    def __init__(self, indexed: IndexedText) -> None:
        self._stream = (*indexed.title, GAP, *indexed.body)
        self._variants = frozenset(indexed.variants)

    def have(self, unit: AnyOf) -> bool:
        return any(map(self._has, unit.terms))

    def _has(self, term: Term) -> bool:
        if not isinstance(term, Phrase):
            return term.token in self._variants
        *head, last = term.tokens
        if not head:
            return self._begins(last) if term.prefix else last in self._places
        after = range(1, len(head))
        return any(
            all(self._at(start + n) == head[n] for n in after)
            and self._fits(start + len(head), last, term.prefix)
            for start in self._places.get(head[0], ())
        )

    def _fits(self, place: int, token: str, prefix: bool) -> bool:
        return self._at(place).startswith(token) if prefix else self._at(place) == token

    def _at(self, place: int) -> str:
        return self._stream[place] if place < len(self._stream) else GAP

    def _begins(self, prefix: str) -> bool:
        at = bisect_left(self._in_order, prefix)
        return at < len(self._in_order) and self._in_order[at].startswith(prefix)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for place, token in enumerate(self._stream):
            places.setdefault(token, []).append(place)
        return places

    @cached_property
    def _in_order(self) -> list[str]:
        return sorted(self._places)


class Subject:
    """A post of a source, with what conditions ask for. What is costly is made when it is asked for first."""

    def __init__(self, post: Post | NewPost, source: Source, tokens: IndexedText | None = None) -> None:
        self.post, self.source = post, source
        self._tokens = tokens

    @cached_property
    def words(self) -> Words:
        post = self.post
        return Words(self._tokens or index_text(post.title, post.text, post.tags))

    @cached_property
    def authors(self) -> Words:
        return Words(index_text("", self.post.author, ()))

    @cached_property
    def tags(self) -> frozenset[str]:
        return frozenset(tag.casefold() for tag in self.post.tags)

    @cached_property
    def texts(self) -> tuple[str, str]:
        """Title and text as patterns are looked for in them."""
        return regexes.searchable(self.post.title), regexes.searchable(self.post.text)


class Test(Protocol):
    """What a condition asks for."""

    def holds(self, subject: Subject) -> bool: ...

    def implies(self, other: "Test") -> bool:
        """Whether every post for which this holds is certainly one for which `other` does."""
        ...


@dataclass(frozen=True, slots=True)
class HasWords:
    """All units occur in title, text or tags."""

    units: tuple[AnyOf, ...]

    def holds(self, subject: Subject) -> bool:
        return all(map(subject.words.have, self.units))

    def implies(self, other: Test) -> bool:
        return isinstance(other, HasWords) and _all_implied(self.units, other.units)


@dataclass(frozen=True, slots=True)
class HasAuthor:
    """All units occur in the names of the authors."""

    units: tuple[AnyOf, ...]

    def holds(self, subject: Subject) -> bool:
        return all(map(subject.authors.have, self.units))

    def implies(self, other: Test) -> bool:
        return isinstance(other, HasAuthor) and _all_implied(self.units, other.units)


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str

    def holds(self, subject: Subject) -> bool:
        return self.tag.casefold() in subject.tags

    def implies(self, other: Test) -> bool:
        if isinstance(other, HasWords):  # a tag's words are found like those of the text
            return all(map(Words(index_text("", "", (self.tag,))).have, other.units))
        return isinstance(other, HasTag) and self.tag.casefold() == other.tag.casefold()


@dataclass(frozen=True, slots=True)
class InLanguage:
    languages: frozenset[str]

    def holds(self, subject: Subject) -> bool:
        return subject.post.language in self.languages

    def implies(self, other: Test) -> bool:
        return isinstance(other, InLanguage) and self.languages <= other.languages


@dataclass(frozen=True, slots=True)
class OfSource:
    """The name of its source contains one of the names, or its address is one of them."""

    names: tuple[str, ...]

    def holds(self, subject: Subject) -> bool:
        return any(name_fits(name, subject.source) for name in self.names)

    def implies(self, other: Test) -> bool:
        if not isinstance(other, OfSource):
            return False
        return all(any(less.casefold() in name.casefold() for less in other.names) for name in self.names)


@dataclass(frozen=True, slots=True)
class Published:
    """Published on the day `after` or later, and before the day `before`, in UTC."""

    after: date = date.min
    before: date = date.max

    def holds(self, subject: Subject) -> bool:
        return self.after <= subject.post.published_at.astimezone(UTC).date() < self.before

    def implies(self, other: Test) -> bool:
        return isinstance(other, Published) and other.after <= self.after and self.before <= other.before


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression matches in the title or in the text."""

    pattern: str

    def holds(self, subject: Subject) -> bool:
        return any(regexes.found(self.pattern, text) for text in subject.texts)

    def implies(self, other: Test) -> bool:
        return self == other


def name_fits(name: str, source: Source) -> bool:
    return name.casefold() in source.title.casefold() or name == source.url


def _all_implied(units: Iterable[AnyOf], others: Iterable[AnyOf]) -> bool:
    return all(any(_implied(unit, other) for unit in units) for other in others)


def _implied(unit: AnyOf, other: AnyOf) -> bool:
    """Whether `other` occurs in the least posts that have `unit`, and so in all that have it."""
    return all(_least(term).have(other) for term in unit.terms)


def _least(term: Term) -> Words:
    """The words of a post in which only this term occurs."""
    if not isinstance(term, Phrase):
        return Words(IndexedText((), (), (term.token,)))
    # The word that a prefix begins goes on with a sign that no token has.
    *head, last = term.tokens
    whole = (*head, last + GAP) if term.prefix else term.tokens
    return Words(IndexedText(whole, (), tuple(variants(" ".join(head if term.prefix else whole)))))
