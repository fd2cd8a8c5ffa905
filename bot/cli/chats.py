"""`skywave chats …`."""

from dataclasses import replace
from typing import Annotated

import typer

from bot.cli.arguments import Choices, commands_of, one_of
from bot.cli.common import (
    Json,
    Yes,
    chat_named,
    confirm,
    counted,
    kind_of_place,
    open_app,
    parse_place,
    platform_of,
    print_json,
    result_of,
    run,
    say,
    to_json,
    words_or_stdin,
)
from bot.cli.tables import print_table
from content.errors import UsageError
from content.formats import parse
from content.i18n import Translator
from scheduler.actions import chats, forgetting, formats
from scheduler.actions.audit import COMMAND_LINE
from scheduler.actions.quiet import set_quiet_hours
from scheduler.types import Chat, ChatAccess, OnUnknown

Chats = Annotated[
    list[str], typer.Argument(metavar="CHAT...", help="Like telegram:-100123/7; - reads standard input.")
]
OneChat = Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")]

commands = commands_of("Where posts go.")


@commands.command("list")
def list_(json: Json = False) -> None:
    """List the chats with their access, their state and its reason."""
    run(_list(json))


async def _list(json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        known = await work.chats.all()
    if json:
        print_json([to_json(chat) for chat in known])
        return
    rows = [(c.place, c.title, c.kind, c.access, c.state, c.reason) for c in known]
    empty = "No chats yet. Write /start to the bot, or add one: skywave chats add telegram:-100123"
    print_table(("chat", "title", "kind", "access", "state", "reason"), rows, empty)


@commands.command("set")
def set_(
    chat: OneChat,
    language: Annotated[
        str | None, typer.Option(help="Like zh or English; empty for the deployment's.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Like Asia/Shanghai; empty for the deployment's.")
    ] = None,
    on_unknown: Annotated[
        OnUnknown | None,
        typer.Option(
            metavar="resend|hold",
            parser=one_of(OnUnknown),
            help="A message that may have arrived: send it again, or hold it.",
        ),
    ] = None,
    crosspost: Annotated[
        bool | None,
        typer.Option(help="Publish what a Discord announcement channel gets, 10 an hour at most."),
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(help="Hours in which nothing is sent, like 22:00-08:00, or off.")
    ] = None,
) -> None:
    """Change the settings of a chat.

    skywave chats set telegram:-100123 --language zh --on-unknown hold
    """
    run(_set(chat, chats.Settings(language, timezone, on_unknown, crosspost), quiet))


async def _set(name: str, wanted: chats.Settings, quiet: str | None) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, now, zone = await chat_named(work, name), app.clock.now(), app.settings.timezone
        can_publish = platform_of(chat.place).publishes
        done = await chats.change(work, COMMAND_LINE, chat, wanted, now, can_publish=can_publish)
        if done is None and quiet is None:
            raise UsageError("give a setting to change: skywave chats set --help lists them")
        if quiet is not None:
            await set_quiet_hours(work, COMMAND_LINE, done or chat, quiet, zone, now)
        await work.commit()
    say(f"{chat.name}: changed")


@commands.command("format")
def format_(chat: OneChat, choices: Choices = None) -> None:
    """Choose how posts look in a chat; without choices, show them.

    skywave chats format telegram:-100123 full no pictures silent
    """
    run(_format(chat, choices or []))


async def _format(name: str, words: list[str]) -> None:
    changes = parse(words, Translator())
    async with open_app() as app, app.store.write() as work:
        chat = await chat_named(work, name)
        after = await formats.choose(work, COMMAND_LINE, chat, changes, app.clock.now())
        await work.commit()
    say(f"{chat.name}: {', '.join(replace(chat, choices=after).format.phrases)}")


@commands.command("add")
def add(
    names: Chats,
    title: Annotated[str, typer.Option(help="What it is called in lists.")] = "",
) -> None:
    """Add chats that have not used the bot yet; they may use it even where it is closed to others.

    skywave chats add telegram:-1001234567890 telegram:-1001234567890/7
    """
    run(_add(names, title))


async def _add(words: list[str], title: str) -> None:
    places = [parse_place(word) for word in words_or_stdin(words)]
    known: list[Chat] = []
    async with open_app() as app, app.store.write() as work:
        for place in places:
            kind, now = kind_of_place(place), app.clock.now()
            added = await chats.add(work, COMMAND_LINE, place, kind, now, title)
            if not added.new:
                known.append(added.chat)
        await work.commit()
    for chat in known:
        banned = f", and banned: skywave chats allow {chat.place}" if chat.access is ChatAccess.BANNED else ""
        say(f"{chat.place} is known already{banned}")
    if len(known) < len(places):
        say(f"{counted(len(places) - len(known), 'chat')} added")


@commands.command("export")
def export(name: OneChat) -> None:
    """Print all that is stored about a chat and its topics, as JSON.

    skywave chats export telegram:-1001234567890 > chat.json
    """
    run(_export(name))


async def _export(name: str) -> None:
    async with open_app() as app, app.store.read() as work:
        chat = await chat_named(work, name)
        print_json(await forgetting.exported(work, chat.place))


@commands.command("remove")
def remove(name: OneChat, yes: Yes = False) -> None:
    """Erase a chat, its topics and all data about them. A message that is being sent still arrives.

    skywave chats remove telegram:-1001234567890
    """
    chat, topics = result_of(_known(name))
    of_topics = f" and its {counted(topics, 'topic')}" if topics else ""
    confirm(f"Erase {chat.name} ({chat.place}){of_topics}: subscriptions, digest, what was sent there?", yes)
    run(_remove(chat))


async def _known(name: str) -> tuple[Chat, int]:
    """A chat that is to be removed, and how many topics are removed with it."""
    async with open_app() as app, app.store.read() as work:
        chat = await chat_named(work, name)
        if chat.place == platform_of(chat.place).here:
            raise UsageError(f"{chat.place} cannot be removed: the updates that operators write belong to it")
        return chat, await chats.topics_of(work, chat)


async def _remove(chat: Chat) -> None:
    async with open_app() as app:
        cancelled = await chats.remove(app.store, COMMAND_LINE, chat.place, app.clock.now())
    say(f"{chat.name}: removed, {counted(cancelled, 'delivery', 'deliveries')} cancelled")


@commands.command("allow")
def allow(names: Chats) -> None:
    """Let chats use the bot where SKYWAVE_ACCESS is closed, and lift bans. Topics follow their group.

    skywave chats allow telegram:-1001234567890
    """
    run(_grant(names, ChatAccess.ALLOWED))


@commands.command("ban")
def ban(names: Chats) -> None:
    """Stop answering chats and sending to them; queued posts are cancelled. Topics follow their group.

    skywave chats ban telegram:-1001234567890
    """
    run(_grant(names, ChatAccess.BANNED))


async def _grant(words: list[str], access: ChatAccess) -> None:
    places = [parse_place(word) for word in words_or_stdin(words)]
    async with open_app() as app, app.store.write() as work:
        for place in places:
            await chats.decide(work, COMMAND_LINE, place, kind_of_place(place), access, app.clock.now())
        await work.commit()
    say(f"{counted(len(places), 'chat')} {access}")
