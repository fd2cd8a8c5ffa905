"""Posts of a source with the option `full-text` get their articles before they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from content.changes import Changes
from content.sources import ReadContext
from content.sources.kinds import FULL_TEXT
from content.types import NewPost, ParsedSource, Post, Source
from scheduler.ports import Store

if TYPE_CHECKING:
    from content.articles import Article, Articles

MOST = 20  # articles of one read; a post beyond them keeps its teaser
MOST_AT_FIRST = 10  # articles of a source's first read


class FullText:
    """Fills posts with their articles. Unchanged posts are not asked for: the store has their articles."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made: Articles | None = None

    async def fill(
        self, source: Source, parsed: ParsedSource, found: Changes, context: ReadContext
    ) -> tuple[ParsedSource, Changes]:
        """What was read, with the articles of the newest new and changed posts.

        A post whose article cannot be got keeps its teaser, and is listed among the failures of the read.
        """
        if source.options.values.get(FULL_TEXT) is not True or not (found.new or found.changed):
            return parsed, found
        most = MOST if source.polled_at else MOST_AT_FIRST
        wanted = [*reversed(found.new), *(post for _, post in found.changed)][:most]
        got = await self._articles().of(wanted, context)
        new = tuple(_filled(post, got.articles) for post in found.new)
        changed = await self._changed(found.changed, got.articles)
        failures = (*parsed.failures, *got.failures)
        return replace(parsed, failures=failures), replace(found, new=new, changed=changed)

    def _articles(self) -> "Articles":
        """Made at the first use, because few sources want full text and the parsers are slow to load."""
        if self._made is None:
            from content.articles import Articles

            self._made = Articles()
        return self._made

    async def _changed(
        self, changed: Sequence[tuple[int, NewPost]], articles: Mapping[str, "Article"]
    ) -> tuple[tuple[int, NewPost], ...]:
        """The changed posts with their articles; those without keep the article that is stored."""
        kept = [post_id for post_id, post in changed if post.guid not in articles]
        async with self._store.read() as work:
            stored = {post.id: post for post in await work.posts.by_ids(kept)} if kept else {}
        return tuple(
            (post_id, _longer(_filled(post, articles), stored.get(post_id))) for post_id, post in changed
        )


def _filled(post: NewPost, articles: Mapping[str, "Article"]) -> NewPost:
    from content.articles import with_article

    article = articles.get(post.guid)
    return with_article(post, article) if article else post


def _longer(post: NewPost, stored: Post | None) -> NewPost:
    """`post` with the body that is stored, if that is longer: a teaser must not replace its article."""
    if stored is None or len(stored.text) <= len(post.text):
        return post
    return replace(post, html=stored.html, text=stored.text, language=stored.language, media=stored.media)
