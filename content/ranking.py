"""The order of the best hits of a search, by what the database's own order does not see. Pure functions.

Hits with words in the title, words close together, and newer hits come first. Both databases get the same
order this way, as long as a search has few hits.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log

from content.search import AnyOf, Phrase, Query, Variant, leaves
from content.tokens import SPELLED, fold
from content.types import Beginning

RERANKED = 50  # hits; the others stay where they are
READ = 2_000  # characters of the text of each
UNITS = 12  # of a query
TITLE = 3.0  # how much more a word in the title counts than one in the text
SATURATED = 1.2  # occurrences in the text that count half as much as any number of them
CLOSE = 1.0  # how much more a hit counts whose words are all next to each other
FRESH = 0.1  # how much more the newest hit counts than a very old one
HALF_LIFE = 365.0  # days after which a hit has lost half of that
_SEEN = 20  # occurrences of a word that are looked at
_BEGIN, _END = "(?<![a-z0-9])", "(?![a-z0-9])"  # of a word, which Chinese may touch


@dataclass(frozen=True, slots=True)
class _Read:
    """Where each unit occurs in title and text, as (start, end)."""

    title: list[list[tuple[int, int]]]
    text: list[list[tuple[int, int]]]


def reranked(query: Query, hits: Sequence[Beginning]) -> list[int]:
    """The ids of the hits, best first. Hits that are equal keep their order."""
    units = (leaf for unit in query.units for leaf in leaves(unit))
    patterns = [_pattern(unit) for unit in islice(units, UNITS)]
    read = [_Read(_found(patterns, fold(hit.title)), _found(patterns, fold(hit.text))) for hit in hits]
    newest = max((hit.published_at for hit in hits), default=None)
    rarity = [_rarity(read, n) for n in range(len(patterns))]
    scores = {}
    for hit, one in zip(hits, read, strict=True):
        age = (newest - hit.published_at).total_seconds() / 86_400 if newest else 0.0
        fresh = 1 + FRESH * 0.5 ** (age / HALF_LIFE)
        scores[hit.id] = _score(one, rarity) * fresh
    return sorted(scores, key=lambda post_id: -scores[post_id])


def _rarity(read: Sequence[_Read], n: int) -> float:
    """The weight of unit `n`: more if few hits have it."""
    return log(1 + len(read) / (0.5 + sum(bool(one.title[n] or one.text[n]) for one in read)))


def _score(read: _Read, rarity: Sequence[float]) -> float:
    words = sum(
        weight * (TITLE * bool(title) + len(text) / (len(text) + SATURATED))
        for weight, title, text in zip(rarity, read.title, read.text, strict=True)
    )
    return words * (1 + CLOSE * max(_closeness(read.title), _closeness(read.text)))


def _closeness(places: Sequence[Sequence[tuple[int, int]]]) -> float:
    """From 0 to 1: the share of units that occur, over how far they are apart where they are closest."""
    present = [found for found in places if found]
    if len(present) < 2:
        return len(present) / len(places) if len(places) == 1 else 0.0
    events = sorted((start, end, n) for n, found in enumerate(present) for start, end in found)
    last: dict[int, tuple[int, int]] = {}
    best = float("inf")
    for start, end, n in events:
        last[n] = (start, end)
        if len(last) == len(present):
            width = sum(until - begin for begin, until in last.values())
            best = min(best, end - min(begin for begin, _ in last.values()) - width)
    return len(present) / len(places) / (1 + max(best, 0.0) / 20)


def _found(patterns: Iterable[re.Pattern[str]], folded: str) -> list[list[tuple[int, int]]]:
    return [[match.span() for match in islice(p.finditer(folded), _SEEN)] for p in patterns]


def _pattern(unit: AnyOf) -> re.Pattern[str]:
    """What a unit looks like in folded text. It may find a little more than the index."""
    ways = []
    for term in unit.terms:
        if isinstance(term, Variant):
            ways.append(rf"{_BEGIN}{re.escape(term.token)}[a-z]*")
        else:
            ways.append(_phrase(term))
    return re.compile("|".join(dict.fromkeys(ways)))


def _phrase(phrase: Phrase) -> str:
    pieces, last = "", ""
    for token in phrase.tokens:
        if last and not last.isascii() and last[-1] == token[0]:
            pieces += re.escape(token[1:])  # pairs of a run of Chinese overlap
        else:
            pieces += (r"\W*" if last else "") + _token(token, whole=not phrase.prefix)
        last = token
    return pieces


def _token(token: str, *, whole: bool) -> str:
    signs = [re.escape(sign) for sign, spelled in SPELLED.items() if spelled == token]
    word = re.escape(token)
    if token.isascii():
        word = _BEGIN + word + (_END if whole else "")
    return f"(?:{'|'.join([word, *signs])})"
