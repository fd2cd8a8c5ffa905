"""`skywave digests …`: schedules of chats."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.arguments import commands_of, one_of, whole
from bot.cli.common import Json, chat_named, open_app, print_json, run, say, source_named, to_json
from bot.cli.tables import print_table
from content.errors import NotFound
from content.types import Source
from scheduler.actions import digests, following
from scheduler.actions.audit import COMMAND_LINE, Actor
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, Digest, Form, Rest, WhenEmpty

commands = commands_of("Scheduled digests of chats.")

ChatName = Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")]
Name = Annotated[str, typer.Option("--name", help="Which digest, if the chat has several.")]
Action = Callable[[UnitOfWork, Actor, Chat, Digest, datetime], Awaitable[bool]]


@commands.command("add")
def add(
    chat: ChatName,
    schedule: Annotated[
        list[str], typer.Argument(metavar="SCHEDULE...", help="Like weekdays 09:00 and 18:00 Asia/Shanghai.")
    ],
    name: Annotated[str | None, typer.Option(help="A word for it, if the chat has several digests.")] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="SOURCE", help="What comes with it, or all; may be repeated."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The heading of its editions; empty for none.")] = None,
    max_posts: Annotated[
        int | None,
        typer.Option(
            "--max",
            metavar="NUMBER",
            parser=whole(most=digests.MAX_POSTS),
            help="The most posts of an edition; 30 if never set.",
        ),
    ] = None,
    rest: Annotated[
        Rest | None,
        typer.Option(
            metavar="never|next",
            parser=one_of(Rest),
            help="Whether further posts come next time; never if never set.",
        ),
    ] = None,
    when_empty: Annotated[
        WhenEmpty | None,
        typer.Option(
            metavar="skip|say",
            parser=one_of(WhenEmpty),
            help="What happens when nothing is new; skip if never set.",
        ),
    ] = None,
) -> None:
    """Give a chat a digest, or change the one of that name; without a name, the only one.

    What comes at once until then comes with a new digest, unless sources are given. A time zone becomes the
    chat's own if it has no other digest. Options that are not given stay as they are.

    skywave digests add telegram:-100123 mon,thu 08:00 Europe/Berlin
    """
    wanted = digests.Wanted(" ".join(schedule), name, title, max_posts, rest, when_empty)
    run(_add(chat, wanted, sources))


async def _add(name: str, wanted: digests.Wanted, sources: Sequence[str] | None) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, now, zone = await chat_named(work, name), app.clock.now(), app.settings.timezone
        if sources:
            wanted = replace(wanted, sources=[await _source(work, one) for one in sources])
        done = await digests.put(work, COMMAND_LINE, chat, wanted, zone, now)
        chat = await chat_named(work, name)
        quiet = digests.meets_quiet_hours(done.digest, chat, now)
        await work.commit()
    if done.followed_nothing:
        say(f"{chat.name} had no subscriptions, so it now follows all public sources.")
    for emptied in done.emptied:
        say(f"nothing comes with the digest {emptied} any more")
    timezone = done.digest.timezone
    say(f"{chat.name}: {done.digest.recurrence} ({timezone}). The next runs:")
    for instant in digests.next_runs(done.digest, chat, now):
        say(f"  {instant.astimezone(ZoneInfo(timezone)):%a %Y-%m-%d %H:%M}")
    if quiet:
        say(f"In the quiet hours of the chat ({chat.quiet}) it waits for their end.")


async def _source(work: UnitOfWork, name: str) -> Source | None:
    return None if name.casefold() == following.ALL else await source_named(work, name)


@commands.command("list")
def list_(json: Json = False) -> None:
    """List the digests with their next and last runs."""
    run(_list(json))


async def _list(json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        found = await work.digests.all()
        chats = {chat.id: chat for chat in await work.chats.all()}
    if json:
        print_json([to_json(digest) | {"chat": str(chats[digest.chat_id].place)} for digest in found])
        return
    named = [(chats[digest.chat_id], digest) for digest in found]
    rows = [
        (chat.place, chat.title, d.name, d.recurrence, d.timezone, _local(d), d.title) for chat, d in named
    ]
    columns = ("chat", "title", "name", "schedule", "zone", "next run", "heading")
    print_table(columns, rows, "No digests. In a chat: /digest daily 09:00")


def _local(digest: Digest) -> str:
    if digest.paused:
        return "paused"
    return f"{digest.next_run_at.astimezone(ZoneInfo(digest.timezone)):%a %Y-%m-%d %H:%M}"


async def _of(work: UnitOfWork, name: str, which: str) -> tuple[Chat, Digest]:
    """A chat and its digest of a name. Raises NotFound and UsageError."""
    chat = await chat_named(work, name)
    if not await work.digests.of(chat.id):
        raise NotFound(f"{chat.name} has no digest: skywave digests add {chat.place} daily 09:00")
    return chat, await digests.named(work, chat, which)


async def _change(action: Action, name: str, which: str) -> tuple[Chat, bool]:
    """Do something to a digest of a chat; returns the chat, and what the action says of it."""
    async with open_app() as app, app.store.write() as work:
        chat, digest = await _of(work, name, which)
        done = await action(work, COMMAND_LINE, chat, digest, app.clock.now())
        await work.commit()
    return chat, done


@commands.command("remove")
def remove(chat: ChatName, name: Name = "") -> None:
    """End a chat's digest. The running skywave sends the queued posts as one last edition."""
    run(_remove(chat, name))


async def _remove(name: str, which: str) -> None:
    chat, done = await _change(digests.remove, name, which)
    say(f"{chat.name}: the digest has ended{', the queued posts will be sent' if done else ''}")


@commands.command("pause")
def pause(chat: ChatName, name: Name = "") -> None:
    """Let a digest not run until it is resumed; its posts wait."""
    run(_pause(chat, name))


async def _pause(name: str, which: str) -> None:
    chat, done = await _change(digests.pause, name, which)
    say(f"{chat.name}: the digest is paused{'' if done else ' already'}")


@commands.command("resume")
def resume(chat: ChatName, name: Name = "") -> None:
    """Let a paused digest run again, from its next time on."""
    run(_resume(chat, name))


async def _resume(name: str, which: str) -> None:
    chat, done = await _change(digests.resume, name, which)
    say(f"{chat.name}: the digest {'runs again' if done else 'is not paused'}")


@commands.command("send")
def send(chat: ChatName, name: Name = "") -> None:
    """Let the running skywave send a digest now, with the posts queued for it."""
    run(_send(chat, name))


async def _send(name: str, which: str) -> None:
    chat, done = await _change(digests.send, name, which)
    say(f"{chat.name}: {'an edition will be sent' if done else 'there is nothing new to send'}")


@commands.command("preview")
def preview(chat: ChatName, name: Name = "") -> None:
    """Show what a digest would send now; nothing is sent."""
    run(_preview(chat, name))


async def _preview(name: str, which: str) -> None:
    # Only a preview shows posts: all that lays them out takes a seventh of a start.
    from bot.look import make_look
    from bot.platforms.terminal.render import plain, render
    from content import present

    async with open_app() as app:
        async with app.store.read() as work:
            chat, digest = await _of(work, name, which)
            found = await digests.preview(work, digest)
        look = make_look(app.settings, chat)
        document = present.edition(found.posts, look, title=digest.title, more=found.more)
    say(plain(render(document, Form.FULL)[0].payload))
