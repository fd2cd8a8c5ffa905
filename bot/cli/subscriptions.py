"""`skywave subscriptions …`: what chats follow."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.arguments import Commands
from bot.cli.common import (
    Json,
    chat_named,
    counted,
    ensure_allowed,
    open_app,
    parse_place,
    print_json,
    run,
    say,
    source_named,
    to_json,
    words_or_stdin,
)
from bot.cli.tables import print_table

commands = typer.Typer(
    cls=Commands, name="subscriptions", help="Which chat follows which source.", no_args_is_help=True
)

Chats = Annotated[list[str], typer.Argument(metavar="CHAT...", help="Like telegram:-100123; - reads them.")]
Wanted = Annotated[
    str, typer.Option("--source", metavar="SOURCE", help="A source's URL, title or number, or all.")
]


@commands.command("add")
def add(chats: Chats, source: Wanted = "all") -> None:
    """Let chats follow a source, from the next post on. Unknown chats are added.

    skywave subscriptions add telegram:-100123 --source https://example.org/feed.xml
    """
    run(_add(chats, source))


async def _add(words: Sequence[str], name: str) -> None:
    places = [parse_place(word) for word in words_or_stdin(words)]
    added = 0
    async with open_app() as app, app.store.write() as work:
        source = None if name == "all" else await source_named(work, name)
        name, source_id = (source.name, source.id) if source else (name, None)
        for place in places:
            chat = await ensure_allowed(work, place)
            added += await work.subscriptions.add(chat.id, source_id)
        await work.audit.add("cli", "subscribe", f"{len(places)} chats, {name}", app.clock.now())
        await work.commit()
    follow = "follows" if added == 1 else "follow"
    say(f"{added} of {counted(len(places), 'chat')} newly {follow} {name}")


@commands.command("remove")
def remove(chats: Chats, source: Wanted = "all") -> None:
    """Stop chats from following a source; what waits for them of it is cancelled."""
    run(_remove(chats, source))


async def _remove(words: Sequence[str], name: str) -> None:
    removed = 0
    async with open_app() as app, app.store.write() as work:
        source = None if name == "all" else await source_named(work, name)
        name, source_id = (source.name, source.id) if source else (name, None)
        for word in words_or_stdin(words):
            chat = await chat_named(work, word)
            if await work.subscriptions.remove(chat.id, source_id):
                removed += 1
                left = await work.subscriptions.of(chat.id)
                if not left or source_id is not None:
                    await work.outbox.cancel(
                        "unsubscribed",
                        app.clock.now(),
                        chat_id=chat.id,
                        source_id=source_id if left else None,
                    )
        await work.audit.add("cli", "unsubscribe", f"{removed} chats, {name}", app.clock.now())
        await work.commit()
    say(f"{counted(removed, 'chat')} no longer {'follows' if removed == 1 else 'follow'} {name}")


@commands.command("list")
def list_(json: Json = False) -> None:
    """List what each chat follows."""
    run(_list(json))


async def _list(json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        subscriptions = await work.subscriptions.all()
        chats = {chat.id: chat for chat in await work.chats.all()}
        sources = {source.id: source.name for source in await work.sources.all()}
    if json:
        print_json([to_json(s) | {"chat": str(chats[s.chat_id].place)} for s in subscriptions])
        return
    rows = [
        (chats[s.chat_id].place, chats[s.chat_id].title, sources.get(s.source_id or 0, "all"), s.mode)
        for s in subscriptions
    ]
    print_table(("chat", "title", "source", "mode"), rows, "No chat follows anything. In a chat: /subscribe")
