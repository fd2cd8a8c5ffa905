"""`skywave search`."""

from typing import Annotated

import typer

from bot.cli.arguments import commands_of, whole
from bot.cli.common import Json, counted, open_app, print_json, run, say, to_json
from content import present, relaxing, snippets
from content.errors import UsageError
from content.i18n import Translator
from content.text import excerpt
from scheduler.actions import searching

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
        searching.understood(words)
    except searching.NoWords as exc:
        raise UsageError(f"{exc} For example: skywave search 微调") from exc
    async with open_app() as app, app.store.read() as work:
        found = await searching.find(work, words, limit)
        posts = await work.posts.by_ids(found.ids)
    query = relaxing.matched(words, found.match)
    hits = [snippets.hit(post, query, app.settings.excerpt_length) for post in posts]
    how = present.how_found(found.match, Translator())
    if json:
        rows = [to_json(hit.post, "html") | {"snippet": hit.snippet} for hit in hits]
        print_json({"total": found.total, "how": how, "posts": rows})
        return 0
    if how:
        say(how)
    for hit in hits:
        say(f"{hit.post.title or excerpt(hit.post.text, 60)}\n  {hit.snippet}\n  {hit.post.url}")
    say(counted(found.total, "post"))
    return 0 if posts else 1
