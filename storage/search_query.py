"""Writes queries and indexed texts in the syntax of SQLite's FTS5 and PostgreSQL's text search.

It writes only tokens of `content.tokens`, always quoted, so the database never reads a person's text as an
expression. Both databases find the same posts, for two reasons:

- FTS5's tokenizer does not change our tokens. `tokenize='ascii'` splits at ASCII signs only, whereas
  `unicode61` also splits at letters that it does not know.
- PostgreSQL stores variants as lexemes without positions that begin with `~`, which no token does.
"""

from collections.abc import Callable, Iterable, Sequence

from content.search import Most, Phrase, Query, Term, Unit, Variant
from content.tokens import GAP, IndexedText


def to_fts5(query: Query) -> str:
    """The MATCH expression for a table with the columns `title`, `body` and `variants`.

    For an empty query, an expression that finds nothing.
    """
    if query.empty:
        return '""'
    wanted = " AND ".join(_fts5_unit(unit) for unit in query.units)
    if not query.excluded:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(_fts5_unit(unit) for unit in query.excluded)})"


def _fts5_unit(unit: Unit) -> str:
    if isinstance(unit, Most):
        return _most(unit.units, unit.missing, _fts5_unit, " AND ", " OR ")
    return _either(" OR ", (_fts5_term(term) for term in unit.terms))


def _fts5_term(term: Term) -> str:
    if isinstance(term, Variant):
        return f"variants : {_fts5_string(term.token)}"
    return f"{{title body}} : {_fts5_string(' '.join(term.tokens))}{' *' if term.prefix else ''}"


def _fts5_string(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def to_fts5_row(indexed: IndexedText) -> tuple[str, str, str]:
    """The values of the columns `title`, `body` and `variants`, both to insert and to delete a row."""
    return " ".join(indexed.title), " ".join(indexed.body), " ".join(indexed.variants)


def to_tsquery(query: Query) -> str:
    """The text to cast to `tsquery`. For an empty query, one that finds nothing."""
    wanted = " & ".join(_tsquery_unit(unit) for unit in query.units)
    if query.empty or not query.excluded:
        return wanted
    return f"{wanted} & !({' | '.join(_tsquery_unit(unit) for unit in query.excluded)})"


def _tsquery_unit(unit: Unit) -> str:
    if isinstance(unit, Most):
        return _most(unit.units, unit.missing, _tsquery_unit, " & ", " | ")
    return _either(" | ", (_tsquery_term(term) for term in unit.terms))


def _tsquery_term(term: Term) -> str:
    if isinstance(term, Phrase):
        return " <-> ".join(map(_lexeme, term.tokens)) + (":*" if term.prefix else "")
    return _lexeme(f"~{term.token}")


def to_tsvector(indexed: IndexedText) -> str:
    """The text to cast to `tsvector`.

    Title tokens have weight A and positions from 1. The body follows after one free position, so that no
    phrase matches across the end of the title.
    """
    places: dict[str, list[str]] = {}
    for position, token in enumerate(indexed.title, 1):
        places.setdefault(token, []).append(f"{position}A")
    for position, token in enumerate(indexed.body, len(indexed.title) + 2):
        places.setdefault(token, []).append(str(position))
    places.pop(GAP, None)  # it only separates words, and nobody searches for it
    main = [f"{_lexeme(token)}:{','.join(positions)}" for token, positions in places.items()]
    return " ".join(main + [_lexeme(f"~{variant}") for variant in indexed.variants])


def _lexeme(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _either(operator: str, terms: Iterable[str]) -> str:
    alternatives = list(terms)
    return alternatives[0] if len(alternatives) == 1 else f"({operator.join(alternatives)})"


def _most(units: Sequence[Unit], missing: int, write: Callable[[Unit], str], both: str, either: str) -> str:
    """All units but `missing`, which are fewer than all.

    Each half may miss its share. So the expression grows much more slowly than one that lists all choices.
    """
    if missing == 0:
        return _either(both, map(write, units))
    if missing == len(units) - 1:
        return _either(either, map(write, units))
    halves = units[: len(units) // 2], units[len(units) // 2 :]
    ways = []
    for first in range(max(0, missing - len(halves[1])), min(missing, len(halves[0])) + 1):
        shares = zip(halves, (first, missing - first), strict=True)
        ways.append(
            _either(both, (_most(half, n, write, both, either) for half, n in shares if n < len(half)))
        )
    return _either(either, ways)
