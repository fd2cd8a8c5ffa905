"""`skywave search`."""

from typing import Annotated

import typer

from bot.cli.arguments import commands_of, whole
from bot.cli.common import Json, counted, open_app, print_json, run, say, to_json
from content import search
from content.errors import UsageError
from content.text import excerpt
from scheduler.actions import reading

commands = commands_of()


@commands.command()
def search_command(
    words: Annotated[list[str], typer.Argument(metavar="QUERY...", help="What to look for.")],
    limit: Annotated[
        int, typer.Option(metavar="NUMBER", parser=whole(most=1000), help="At most this many posts.")
    ] = 10,
    json: Json = False,
) -> None:
    """Search all posts. Words are ANDed; "…" is exact, -word excludes, word* is a prefix.

    skywave search 微调 LoRA
    """
    run(_search(" ".join(words), limit, json))


async def _search(words: str, limit: int, json: bool) -> int:
    try:
        query = reading.understood(words)
    except reading.NoWords as exc:
        raise UsageError(f"{exc} For example: skywave search 微调") from exc
    async with open_app() as app, app.store.read() as work:
        ranking = await reading.find(work, words, limit)
        posts = await work.posts.by_ids(ranking.ids)
    snippets = [search.snippet(post.text, query, app.settings.excerpt_length) for post in posts]
    if json:
        found = [
            to_json(post, "html") | {"score": score, "snippet": snippet}
            for post, score, snippet in zip(posts, ranking.scores, snippets, strict=True)
        ]
        print_json({"total": ranking.total, "posts": found})
        return 0
    for post, snippet in zip(posts, snippets, strict=True):
        say(f"{post.title or excerpt(post.text, 60)}\n  {snippet}\n  {post.url}")
    say(counted(ranking.total, "post"))
    return 0 if posts else 1
