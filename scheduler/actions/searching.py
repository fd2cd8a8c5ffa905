"""Searching: one rung after another, from all words to some of them, and with typing errors corrected."""

import asyncio
from dataclasses import replace

from content import ranking, relaxing, search, typos
from content import similar as similarity
from content.errors import UsageError
from content.types import Correction, Match, Post, PostQuery, Ranking, Rung
from scheduler.ports import Found, UnitOfWork
from scheduler.types import Chat

CORRECTED = 4  # words of a query that are corrected at most
# Words of so many posts, or of a fifth of all posts, do not make posts similar.
COMMON, COMMON_OF_FEW = 500, 5


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
    query = understood(words)
    scope = PostQuery(chat.id if chat else None, limit=max(limit, ranking.RERANKED))
    async with work.index.limited():
        best, match = await _best(work, query, scope)
    found = await _reranked(work, Found(words, best.ids, best.total, match))
    return replace(found, ids=found.ids[:limit])


async def _best(work: UnitOfWork, query: search.Query, scope: PostQuery) -> tuple[Ranking, Match]:
    """What the first rung finds that finds anything; of a question, the first that finds enough."""
    strict, corrections = await work.index.search(query, scope), tuple[Correction, ...]()
    if not strict.total:
        query, strict, corrections = await _corrected(work, query, scope)
    best, rung = strict, Rung.ALL
    enough = relaxing.ENOUGH if query.question else 1
    for next_rung, looser in relaxing.looser(query):
        if best.total >= enough or (best.total and next_rung is Rung.ANY):
            break
        more = await work.index.search(looser, scope)
        if more.total > best.total:
            best, rung = _after(best, more), next_rung
    return best, Match(rung, strict.total, corrections)


async def similar(work: UnitOfWork, post: Post, limit: int, chat: Chat) -> Found:
    """Posts that a chat may see and that are about the same as a post, which is not among them."""
    subject, scope = similarity.subject(post), PostQuery(chat.id, limit=limit + 1)
    common = min(COMMON, max(COMMON_OF_FEW, await work.posts.newest_id() // 5))
    async with work.index.limited():
        counts = {
            unit: await work.index.count(search.Query(units=(unit,)), scope, common)
            for unit in similarity.units(subject)
        }
        best = await work.index.search(similarity.query(counts, common), scope)
    ids = tuple(post_id for post_id in best.ids if post_id != post.id)
    words = post.title or subject
    return await _reranked(work, Found(words, ids[:limit], len(ids), Match(Rung.SIMILAR)))


async def _reranked(work: UnitOfWork, found: Found) -> Found:
    """What was found, the best hits in a better order."""
    if len(found.ids) < 2:
        return found
    first = await work.posts.beginnings(found.ids[: ranking.RERANKED], ranking.READ)
    exact, query = found.match.exact, relaxing.matched(found.words, found.match)
    # In a thread, because it takes milliseconds, which would block the event loop.
    best = await asyncio.to_thread(ranking.reranked, query, first[:exact])
    others = await asyncio.to_thread(ranking.reranked, query, first[exact:])
    return replace(found, ids=(*best, *others, *found.ids[ranking.RERANKED :]))


def _after(better: Ranking, looser: Ranking) -> Ranking:
    """The hits of a looser query, behind those of a stricter one, which it contains."""
    seen = frozenset(better.ids)
    return Ranking(looser.total, (*better.ids, *(i for i in looser.ids if i not in seen)))


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
        if await work.index.count(relaxing.only(query, number), scope, 1):
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
            alone = relaxing.only(relaxing.corrected(query, number, other), number)
            if await work.index.count(alone, scope, 1):
                return other, Ranking(0)
    return "", Ranking(0)
