"""Which words of a post say what it is about, to find similar posts. Pure functions."""

from collections.abc import Mapping

from content.questions import SMALL_WORDS
from content.search import AnyOf, Most, Phrase, Query, word_unit
from content.tokens import fold, runs
from content.types import Post

UNITS = 16  # words of a title that are looked at
LEAD = 60  # characters of the text of a post without title
RAREST = 6  # words that are searched for
SHARED = 2  # of them that a similar post has; one, if the others are in no other post


def subject(post: Post) -> str:
    """The title of a post, or the beginning of its text, with its tags."""
    return " ".join((post.title or post.text[:LEAD], *post.tags))


def units(text: str) -> tuple[AnyOf, ...]:
    """The words of a text, and the pairs of its Chinese."""
    found: list[AnyOf] = []
    for run in runs(fold(text)):
        if run.cjk:
            found += [AnyOf((Phrase((pair,)),)) for pair in run.tokens()[:-1]]
        elif run.text not in SMALL_WORDS:
            found += [word_unit(token) for token in run.tokens() if len(token) > 1 and not token.isdigit()]
    return tuple(dict.fromkeys(found))[:UNITS]


def query(posts: Mapping[AnyOf, int], common: int) -> Query:
    """The query for similar posts.

    `posts` are the words of a post with the numbers of posts that have them. Words of `common` posts or more
    say little.
    """
    shared = [unit for unit, count in posts.items() if 1 < count < common]
    rarest = tuple(sorted(shared, key=lambda unit: posts[unit])[:RAREST])
    if not rarest:
        return Query()
    return Query(units=(Most(rarest, len(rarest) - min(SHARED, len(rarest))),))
