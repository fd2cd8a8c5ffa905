"""`skywave chats …`."""

from typing import Annotated

import typer

from bot.cli.common import (
    Json,
    kind_of_place,
    open_app,
    parse_place,
    print_json,
    print_table,
    run,
    say,
    to_json,
    words_or_stdin,
)

commands = typer.Typer(name="chats", help="Where posts go.", no_args_is_help=True)


@commands.command("list")
def list_(json: Json = False) -> None:
    """List the chats with their state and its reason."""
    run(_list(json))


async def _list(json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        chats = await work.chats.all()
    if json:
        print_json([to_json(chat) for chat in chats])
        return
    rows = [(c.place, c.title, c.kind, c.state, c.reason) for c in chats]
    empty = "No chats yet. Write /start to the bot, or add one: skywave chats add telegram:-100123"
    print_table(("chat", "title", "kind", "state", "reason"), rows, empty)


@commands.command("add")
def add(
    chats: Annotated[
        list[str], typer.Argument(metavar="CHAT...", help="Like telegram:-100123/7; - reads them.")
    ],
    title: Annotated[str, typer.Option(help="What it is called in lists.")] = "",
) -> None:
    """Add chats that have not spoken to the bot.

    skywave chats add telegram:-1001234567890 telegram:-1001234567890/7
    """
    run(_add(chats, title))


async def _add(words: list[str], title: str) -> None:
    places = [parse_place(word) for word in words_or_stdin(words)]
    async with open_app() as app, app.store.write() as work:
        for place in places:
            if await work.chats.find(place) is None:
                await work.chats.ensure(place, title=title, kind=kind_of_place(place))
        await work.commit()
    say(f"{len(places)} chats added")
