"""`skywave digests …`: schedules of chats."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.app import make_look
from bot.cli.arguments import commands_of, one_of, whole
from bot.cli.common import Json, chat_named, open_app, print_json, run, say, to_json
from bot.cli.tables import print_table
from bot.platforms.terminal.render import plain, render
from content import present
from content.errors import NotFound
from scheduler.actions import digests
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, Digest, Form, WhenEmpty

commands = commands_of("Scheduled digests of chats.")

ChatName = Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")]


@commands.command("add")
def add(
    chat: ChatName,
    schedule: Annotated[
        list[str], typer.Argument(metavar="SCHEDULE...", help="Like daily 09:00 Asia/Shanghai.")
    ],
    title: Annotated[str | None, typer.Option(help="The heading of its editions; empty for none.")] = None,
    max_posts: Annotated[
        int | None,
        typer.Option(
            "--max",
            metavar="NUMBER",
            parser=whole(most=1000),
            help="More posts than this are only counted; 30 if never set.",
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
    """Give a chat its digest, or change the one that it has. All that it follows goes into it.

    A time zone becomes the chat's own. Options that are not given stay as they are.

    skywave digests add telegram:-100123 mon,thu 08:00 Europe/Berlin
    """
    run(_add(chat, " ".join(schedule), digests.Options(title, max_posts, when_empty)))


async def _add(name: str, schedule: str, options: digests.Options) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, now, zone = await chat_named(work, name), app.clock.now(), app.settings.timezone
        done = await digests.set_digest(work, COMMAND_LINE, chat, schedule, zone, now, options)
        await work.commit()
    if done.followed_nothing:
        say(f"{chat.name} had no subscriptions, so it now follows all public sources.")
    timezone = done.digest.timezone
    say(f"{chat.name}: {done.digest.recurrence} ({timezone}). The next runs:")
    for instant in digests.next_runs(done.digest, now):
        say(f"  {instant.astimezone(ZoneInfo(timezone)):%a %Y-%m-%d %H:%M}")


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
    rows = [(chat.place, chat.title, d.recurrence, d.timezone, _local(d), d.title) for chat, d in named]
    columns = ("chat", "title", "schedule", "zone", "next run", "heading")
    print_table(columns, rows, "No digests. In a chat: /digest daily 09:00")


def _local(digest: Digest) -> str:
    return f"{digest.next_run_at.astimezone(ZoneInfo(digest.timezone)):%a %Y-%m-%d %H:%M}"


async def _of(work: UnitOfWork, name: str) -> tuple[Chat, Digest]:
    """A chat and its digest. Raises NotFound."""
    chat = await chat_named(work, name)
    digest = await work.digests.of(chat.id)
    if digest is None:
        raise NotFound(f"{chat.name} has no digest: skywave digests add {chat.place} daily 09:00")
    return chat, digest


@commands.command("remove")
def remove(chat: ChatName) -> None:
    """End a chat's digest. The running skywave sends the queued posts as one last edition."""
    run(_remove(chat))


async def _remove(name: str) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, digest = await _of(work, name)
        sent = await digests.end(work, COMMAND_LINE, chat, digest, app.clock.now())
        await work.commit()
    say(f"{chat.name}: the digest has ended{', the queued posts will be sent' if sent else ''}")


@commands.command("send")
def send(chat: ChatName) -> None:
    """Let the running skywave send a digest now, with the posts queued for it."""
    run(_send(chat))


async def _send(name: str) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, digest = await _of(work, name)
        sent = await digests.send(work, COMMAND_LINE, chat, digest, app.clock.now())
        await work.commit()
    say(f"{chat.name}: {'an edition will be sent' if sent else 'there is nothing new to send'}")


@commands.command("preview")
def preview(chat: ChatName) -> None:
    """Show what a digest would send now; nothing is sent."""
    run(_preview(chat))


async def _preview(name: str) -> None:
    async with open_app() as app:
        async with app.store.read() as work:
            chat, digest = await _of(work, name)
            found = await digests.preview(work, digest)
        look = make_look(app.settings, chat)
        document = present.edition(found.posts, look, title=digest.title, more=found.more)
    say(plain(render(document, Form.FULL)[0].payload))
