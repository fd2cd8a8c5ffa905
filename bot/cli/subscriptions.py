"""`skywave subscriptions …`: what chats follow."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from bot.cli.arguments import Choices, commands_of
from bot.cli.common import (
    Json,
    chat_named,
    counted,
    kind_of_place,
    open_app,
    parse_place,
    print_json,
    run,
    say,
    source_named,
    to_json,
    warn,
    words_or_stdin,
)
from bot.cli.tables import print_table
from content.formats import RESET, parse
from content.i18n import Translator
from content.types import Source
from scheduler.actions import chats as actions
from scheduler.actions import filtering, following, formats
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import UnitOfWork
from scheduler.timetable.recurrences import parse_until
from scheduler.types import Chat, Digest, Subscription

commands = commands_of("Which chat follows which source.")

Chats = Annotated[
    list[str], typer.Argument(metavar="CHAT...", help="Like telegram:-100123; - reads standard input.")
]
Wanted = Annotated[
    str, typer.Option("--source", metavar="SOURCE", help="A source's URL, title or number, or all.")
]


@commands.command("add")
def add(chats: Chats, source: Wanted = following.ALL) -> None:
    """Let chats follow a source, from the next post on. Unknown chats are added.

    skywave subscriptions add telegram:-100123 --source https://example.org/feed.xml
    """
    run(_add(chats, source))


async def _add(words: Sequence[str], name: str) -> None:
    places = [parse_place(word) for word in words_or_stdin(words)]
    count = 0
    async with open_app() as app, app.store.write() as work:
        now, source = app.clock.now(), await _source(work, name)
        for place in places:
            chat = (await actions.add(work, COMMAND_LINE, place, kind_of_place(place), now)).chat
            count += await following.follow(work, COMMAND_LINE, chat, source, now, app.settings.quotas)
        await work.commit()
    follow = "follows" if count == 1 else "follow"
    say(f"{count} of {counted(len(places), 'chat')} newly {follow} {source.name if source else name}")


async def _source(work: UnitOfWork, name: str) -> Source | None:
    return None if name.casefold() == following.ALL else await source_named(work, name)


@commands.command("remove")
def remove(chats: Chats, source: Wanted = following.ALL) -> None:
    """Stop chats from following a source, or everything. Their queued posts of it are cancelled.

    skywave subscriptions remove telegram:-100123 --source https://example.org/feed.xml
    """
    run(_remove(chats, source))


async def _remove(words: Sequence[str], name: str) -> int:
    removed, hints = 0, list[str]()
    async with open_app() as app, app.store.write() as work:
        now, source = app.clock.now(), await _source(work, name)
        chats = [await chat_named(work, word) for word in words_or_stdin(words)]
        for chat in chats:
            done = await following.unfollow(work, COMMAND_LINE, chat, source, now)
            removed += bool(done.ended)
            hints += _hints(chat, source, done)
        await work.commit()
    for hint in hints:
        warn(f"skywave: {hint}")
    what = source.name if source else "all sources"
    say(f"{removed} of {counted(len(chats), 'chat')} unsubscribed from {what}")
    return 0 if removed == len(chats) else 1


def _hints(chat: Chat, source: Source | None, done: following.Unfollowed) -> list[str]:
    """What to tell about a chat: why nothing ended, or what goes on."""
    if source and done.through_all:
        end = f"skywave subscriptions remove {chat.place} --source {following.ALL}"
        return [f"{chat.name} gets {source.name} with all public sources: to end those, run {end}"]
    if not done.ended:
        return [f"{chat.name} does not follow {source.name if source else 'anything'}"]
    return [
        f"nothing comes with the digest {digest.name} of {chat.name} any more, but it stays scheduled:"
        f" to end it, run skywave digests remove {chat.place} --name {digest.name}"
        for digest in done.digests
    ]


@commands.command("format")
def format_(
    chat: Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")],
    choices: Choices = None,
    source: Wanted = following.ALL,
) -> None:
    """Choose how the posts of one subscription look; without choices, show them.

    skywave subscriptions format telegram:-100123 title silent --source https://example.org/feed.xml
    """
    run(_format(chat, choices or [], source))


async def _format(name: str, words: Sequence[str], of: str) -> None:
    changes = parse(words, Translator())
    async with open_app() as app, app.store.write() as work:
        chat, source = await chat_named(work, name), await _source(work, of)
        after = await formats.choose_for(work, COMMAND_LINE, chat, source, changes, app.clock.now())
        await work.commit()
    shown = source.name if source else of
    say(f"{chat.name}, {shown}: {', '.join(after.phrases) or f'{RESET}, as all others in the chat'}")


@commands.command("filter")
def filter_(
    chat: Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]...", help="In one pair of quotes; after -- if they begin with a -."),
    ] = None,
    source: Wanted = following.ALL,
    only_try: Annotated[bool, typer.Option("--try", help="Do not save it.")] = False,
) -> None:
    """Choose which posts of one subscription come: tried on the newest, then saved; off lets all pass.

    skywave subscriptions filter telegram:-100123 'python -job tag:news' --source https://example.org/feed.xml
    """
    run(_filter(chat, " ".join(words or []).strip(), source, only_try))


async def _filter(name: str, words: str, of: str, only_try: bool) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, source, now = await chat_named(work, name), await _source(work, of), app.clock.now()
        if not words:
            subscription = await formats.subscription_to(work, chat, source)
            say(f"{chat.name}, {source.name if source else of}: {subscription.filter or 'no filter'}")
            return
        if words.casefold() == filtering.OFF:
            removed = await filtering.remove(work, COMMAND_LINE, chat, source, now)
            lines = ["all posts pass again" if removed else "it had no filter"]
        else:
            lines = _trial(await filtering.tried(work, chat, source, words, now))
            await filtering.set_filter(work, COMMAND_LINE, chat, source, words, now)
        if not only_try:
            await work.commit()
    for line in lines:
        say(line)


def _trial(trial: filtering.Trial) -> list[str]:
    """What a filter does with the newest posts."""
    doubts = [f"warning: {doubt.message.format(**doubt.values)}" for doubt in trial.doubts]
    rows = [
        f"{'-' if tried.why else '+'} {tried.post.title or tried.post.url}"
        + f"  ({tried.why})" * bool(tried.why)
        for tried in trial.posts
    ]
    return [f"{trial.text}: {trial.passing} of {counted(len(trial.posts), 'post')} pass", *doubts, *rows]


@commands.command("pause")
def pause(
    chat: Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")],
    source: Wanted = following.ALL,
    until: Annotated[str, typer.Option(help="Like '2026-12-24 18:00', in the chat's time zone.")] = "",
) -> None:
    """Send no posts of a subscription, or none at all, until a moment or until it is resumed.

    skywave subscriptions pause telegram:-100123 --until '2026-12-24 18:00'
    """
    run(_pause(chat, source, until))


async def _pause(name: str, of: str, until: str) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, source, now = await chat_named(work, name), await _source(work, of), app.clock.now()
        moment = parse_until(until, actions.zone_of(chat, app.settings.timezone), now) if until else None
        paused = await following.pause(work, COMMAND_LINE, chat, source, moment, now)
        await work.commit()
    say(f"{chat.name}: {counted(paused, 'subscription')} paused")


@commands.command("resume")
def resume(
    chat: Annotated[str, typer.Argument(metavar="CHAT", help="Like telegram:-100123.")],
    source: Wanted = following.ALL,
) -> None:
    """Send new posts of paused subscriptions again; those that came meanwhile are not sent.

    skywave subscriptions resume telegram:-100123
    """
    run(_resume(chat, source))


async def _resume(name: str, of: str) -> None:
    async with open_app() as app, app.store.write() as work:
        chat, source = await chat_named(work, name), await _source(work, of)
        resumed = await following.resume(work, COMMAND_LINE, chat, source, app.clock.now())
        await work.commit()
    say(f"{chat.name}: {counted(resumed, 'subscription')} resumed")


@commands.command("list")
def list_(json: Json = False) -> None:
    """List what each chat follows."""
    run(_list(json))


async def _list(json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        subscriptions = await work.subscriptions.all()
        digests = {digest.id: digest for digest in await work.digests.all()}
        chats = {chat.id: chat for chat in await work.chats.all()}
        sources = {source.id: source.name for source in await work.sources.all()}
    if json:
        print_json([to_json(s) | {"chat": str(chats[s.chat_id].place)} for s in subscriptions])
        return
    named = [(chats[one.chat_id], sources.get(one.source_id or 0, "all"), one) for one in subscriptions]
    rows = [(chat.place, chat.title, source, _rhythm(one, digests)) for chat, source, one in named]
    print_table(
        ("chat", "title", "source", "rhythm"), rows, "No subscriptions yet. Add one in a chat: /subscribe"
    )


def _rhythm(subscription: Subscription, digests: Mapping[int, Digest]) -> str:
    """When its posts come."""
    digest = digests.get(subscription.digest_id or 0)
    rhythm = f"digest {digest.name}" if digest else "at once"
    return f"{rhythm}, paused" if subscription.paused_after is not None else rhythm
