"""A query and an indexed text in the words of SQLite's FTS5 and of PostgreSQL's text search.

Only tokens of `content.tokens` get here, always quoted: no text of a person is ever read as an expression.
Both databases find the same posts, which needs two things of the tables. FTS5's tokenizer must take our
tokens as they are: `tokenize='ascii'` splits at ASCII signs only, `unicode61` knows fewer letters than we do.
PostgreSQL keeps variants as lexemes that begin with `~`, which no token does, and without positions.
"""

from collections.abc import Iterable

from content.search import AnyOf, Phrase, Query, Term, Variant
from content.tokens import GAP, IndexedText


def to_fts5(query: Query) -> str:
    """Give the MATCH expression for a table with the columns `title`, `body` and `variants`.

    An empty query gives an expression that finds nothing.
    """
    if query.empty:
        return '""'
    wanted = " AND ".join(_fts5_unit(unit) for unit in query.units)
    if not query.excluded:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(_fts5_unit(unit) for unit in query.excluded)})"


def _fts5_unit(unit: AnyOf) -> str:
    return _either(" OR ", (_fts5_term(term) for term in unit.terms))


def _fts5_term(term: Term) -> str:
    if isinstance(term, Variant):
        return f"variants : {_fts5_string(term.token)}"
    return f"{{title body}} : {_fts5_string(' '.join(term.tokens))}{' *' if term.prefix else ''}"


def _fts5_string(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def to_fts5_row(indexed: IndexedText) -> tuple[str, str, str]:
    """Give the values of the columns `title`, `body` and `variants`, to insert and, the same, to delete."""
    return " ".join(indexed.title), " ".join(indexed.body), " ".join(indexed.variants)


def to_tsquery(query: Query) -> str:
    """Give the text to be cast to `tsquery`; an empty query gives one that finds nothing."""
    wanted = " & ".join(_tsquery_unit(unit) for unit in query.units)
    if query.empty or not query.excluded:
        return wanted
    return f"{wanted} & !({' | '.join(_tsquery_unit(unit) for unit in query.excluded)})"


def _tsquery_unit(unit: AnyOf) -> str:
    return _either(" | ", (_tsquery_term(term) for term in unit.terms))


def _tsquery_term(term: Term) -> str:
    if isinstance(term, Phrase):
        return " <-> ".join(map(_lexeme, term.tokens)) + (":*" if term.prefix else "")
    return _lexeme(f"~{term.token}")


def to_tsvector(indexed: IndexedText) -> str:
    """Give the text to be cast to `tsvector`.

    Title tokens have weight A and positions from 1; the body follows after one free position,
    so that no phrase reaches from one into the other.
    """
    places: dict[str, list[str]] = {}
    for position, token in enumerate(indexed.title, 1):
        places.setdefault(token, []).append(f"{position}A")
    for position, token in enumerate(indexed.body, len(indexed.title) + 2):
        places.setdefault(token, []).append(str(position))
    places.pop(GAP, None)
    main = [f"{_lexeme(token)}:{','.join(positions)}" for token, positions in places.items()]
    return " ".join(main + [_lexeme(f"~{variant}") for variant in indexed.variants])


def _lexeme(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _either(operator: str, terms: Iterable[str]) -> str:
    alternatives = list(terms)
    return alternatives[0] if len(alternatives) == 1 else f"({operator.join(alternatives)})"
