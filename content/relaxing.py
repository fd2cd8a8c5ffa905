"""Looser forms of a query, for when nothing matches all of it. Pure functions.

A run of Chinese is first taken apart: 大模型微调 may stand for 大模型 and 微调 in different places. Its pairs
are looked for one by one, and those that cross the end of a word may be missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from content import similar
from content.search import MAX_UNITS, AnyOf, Most, Phrase, Query, Unit, Variant, leaves, parse, word_unit
from content.types import Match, Rung
from content.typos import is_correctable

GROUP = 8  # pairs of a run that are combined, because a longer combination makes a very long expression
WORD = 2  # pairs of a run that is taken for one word until nothing else is found
ENOUGH = 10  # hits of a question: with fewer, looser ones follow


def looser(query: Query) -> Iterator[tuple[Rung, Query]]:
    """Looser forms of a query, each looser than the one before."""
    units = _all_apart(query.units, WORD)
    if units != query.units:
        yield Rung.PARTS, replace(query, units=units)
    if len(units) > 2:
        yield Rung.MOST, replace(query, units=(Most(units, 1),))
    if len(units) > 3:
        yield Rung.SOME, replace(query, units=(Most(units, len(units) // 2),))
    if len(units) > 1:
        yield Rung.ANY, replace(query, units=(Most(units, len(units) - 1),))
    leaf_units = (leaf for unit in _all_apart(query.units, 1) for leaf in leaves(unit))
    pieces = tuple(dict.fromkeys(leaf_units))[:MAX_UNITS]
    if len(pieces) > len(units):
        yield Rung.ANY, replace(query, units=(Most(pieces, len(pieces) - 1),))


def _all_apart(units: Sequence[Unit], longest: int) -> tuple[Unit, ...]:
    """The units, with runs of Chinese of more pairs than `longest` as their pairs.

    Nearly half of the pairs may be missing: of two-character words in a row, every other pair crosses the end
    of a word.
    """
    return tuple(_apart(unit) if len(_pairs(unit)) > longest else unit for unit in units)


def _apart(unit: Unit) -> Unit:
    pairs = [AnyOf((Phrase((pair,)),)) for pair in _pairs(unit)][:MAX_UNITS]
    count = -(-len(pairs) // GROUP)
    groups = [tuple(pairs[n * len(pairs) // count : (n + 1) * len(pairs) // count]) for n in range(count)]
    parts = tuple(Most(group, (len(group) - 1) // 2) for group in groups)
    return parts[0] if len(parts) == 1 else Most(parts, 0)


def _pairs(unit: Unit) -> tuple[str, ...]:
    """The pairs of a run of Chinese that was not quoted, each once; of other units none."""
    if not isinstance(unit, AnyOf) or unit.quoted or len(unit.terms) > 1:
        return ()
    (term,) = unit.terms
    if not isinstance(term, Phrase) or term.prefix or term.tokens[0].isascii():
        return ()
    return tuple(dict.fromkeys(term.tokens))


def correctable(query: Query) -> list[tuple[int, str]]:
    """The words of a query that may be misspelt, each with the number of its unit."""
    return [(n, word) for n, unit in enumerate(query.units) if (word := _word(unit))]


def _word(unit: Unit) -> str:
    """The word of a unit that is one plain word, else empty."""
    if not isinstance(unit, AnyOf) or not any(isinstance(term, Variant) for term in unit.terms):
        return ""
    first = unit.terms[0]
    if not isinstance(first, Phrase) or len(first.tokens) != 1 or not is_correctable(first.tokens[0]):
        return ""
    return first.tokens[0]


def corrected(query: Query, number: int, word: str) -> Query:
    """The query with another word in place of unit `number`."""
    units = (*query.units[:number], word_unit(word), *query.units[number + 1 :])
    return replace(query, units=units)


def matched(words: str, match: Match) -> Query:
    """What to look for in the hits of a search that matched so."""
    query = parse(words)
    meant = {word.typed: word.meant for word in match.corrections}
    for number, word in correctable(query):
        query = corrected(query, number, meant.get(word, word))
    if match.rung is Rung.SIMILAR:
        return Query(units=similar.units(words))
    if match.rung is Rung.ALL:
        return query
    return replace(query, units=_all_apart(query.units, 1 if match.rung is Rung.ANY else WORD))


def only(query: Query, number: int) -> Query:
    """The query for a single unit alone, without filters."""
    return Query(units=(query.units[number],))
