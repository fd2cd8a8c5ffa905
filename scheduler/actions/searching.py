"""Searching: one rung after another, from all words to some of them, and with typing errors corrected."""

from content import relaxing, search, typos
from content.errors import UsageError
from content.types import Correction, Match, PostQuery, Ranking, Rung
from scheduler.ports import Found, UnitOfWork
from scheduler.types import Chat

CORRECTED = 4  # words of a query that are corrected at most


class NoWords(UsageError):
    """A search has to look for something."""


def understood(words: str) -> search.Query:
    """What somebody looks for. Raises NoWords, UsageError."""
    query = search.parse(words)
    if query.problems:
        raise UsageError(
            "I don't understand “{filter}”. Write it like {example}.",
            filter=query.problems[0].typed[:40],
            example=query.problems[0].nearest[:60],
        )
    if query.empty:
        raise NoWords("What should I look for? Give at least one word.")
    return query


async def find(work: UnitOfWork, words: str, limit: int, chat: Chat | None = None) -> Found:
    """The best posts for a query: of those that a chat may see, or of all.

    Raises NoWords, UsageError, SearchTooLong.
    """
    query, scope = understood(words), PostQuery(chat.id if chat else None, limit=limit)
    strict, corrections = await work.index.search(query, scope), tuple[Correction, ...]()
    if not strict.total:
        query, strict, corrections = await _corrected(work, query, scope)
    best, rung = strict, Rung.ALL
    enough = relaxing.ENOUGH if query.question else 1
    for next_rung, looser in relaxing.looser(query):
        if best.total >= enough or (best.total and next_rung is Rung.ANY):
            break
        found = await work.index.search(looser, scope)
        if found.total > best.total:
            best, rung = _after(best, found, limit), next_rung
    return Found(words, best.ids, best.total, Match(rung, strict.total, corrections), best.scores)


def _after(better: Ranking, looser: Ranking, limit: int) -> Ranking:
    """The hits of a looser query, behind those of a stricter one, which it contains."""
    seen = frozenset(better.ids)
    rest = [(i, score) for i, score in zip(looser.ids, looser.scores, strict=True) if i not in seen]
    ids = (*better.ids, *(i for i, _ in rest))[:limit]
    scores = (*better.scores, *(score for _, score in rest))[:limit]
    return Ranking(looser.total, ids, scores)


async def _corrected(
    work: UnitOfWork, query: search.Query, scope: PostQuery
) -> tuple[search.Query, Ranking, tuple[Correction, ...]]:
    """The query with words that are in no post replaced by the likeliest ones that are, and what it finds."""
    words = relaxing.correctable(query)
    known = await work.index.has([word for _, word in words]) if words else ()
    unknown = [(number, word) for number, word in words if word not in known][:CORRECTED]
    ranking, corrections = Ranking(0), []
    for number, word in unknown:
        # Posts may have other forms of the word, though not the word itself.
        if await work.index.finds(relaxing.only(query, number), scope):
            continue
        meant, ranking = await _meant(work, query, number, word, scope)
        if meant:
            query = relaxing.corrected(query, number, meant)
            corrections.append(Correction(word, meant))
    return query, ranking, tuple(corrections)


async def _meant(
    work: UnitOfWork, query: search.Query, number: int, word: str, scope: PostQuery
) -> tuple[str, Ranking]:
    """The word that a misspelt one stands for, and what the query finds with it.

    The word is empty if the posts of the scope have none that is near.
    """
    for errors, near in typos.lookups(word):
        candidates = typos.nearest(word, await work.index.near(near), errors)
        # One that occurs together with the other words is likelier than a commoner one.
        for other in candidates:
            ranking = await work.index.search(relaxing.corrected(query, number, other), scope)
            if ranking.total:
                return other, ranking
        for other in candidates:
            if await work.index.finds(relaxing.only(relaxing.corrected(query, number, other), number), scope):
                return other, Ranking(0)
    return "", Ranking(0)
