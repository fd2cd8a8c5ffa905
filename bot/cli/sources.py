"""`skywave sources …` and `skywave poll`."""

import sys
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import (
    Json,
    Yes,
    confirm,
    counted,
    open_app,
    print_json,
    result_of,
    run,
    say,
    source_named,
    to_json,
    trouble,
    warn,
    without_secrets,
    write_private,
)
from bot.cli.hooks import hook_lines, push_words
from bot.cli.opml import STANDARD, read_opml
from bot.cli.tables import print_table
from content.errors import UsageError
from content.secrets import is_public, printable
from content.sources import Choice, choice_of
from content.sources.kinds import FULL_TEXT, LISTING
from content.types import HOOK, UPDATES, Source, SourceState, Visibility
from content.urls import is_web_url
from scheduler.actions import hooks, sources
from scheduler.actions.audit import COMMAND_LINE, Actor
from scheduler.ports import UnitOfWork

commands = commands_of("Where posts come from.")

WithSecrets = Annotated[
    bool, typer.Option("--with-secrets", help="Whole addresses, with the keys and passwords in them.")
]
Name = Annotated[str, typer.Argument(metavar="SOURCE", help="Its URL, its title or its number.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="How the sources are to be read.")
]

FullText = Annotated[
    bool,
    typer.Option("--full-text", help="Get the articles that the posts link to, for feeds that only tease."),
]

Listing = Annotated[
    bool,
    typer.Option("--listing", help="Web pages without a feed: find the posts that they list, and show them."),
]


def chosen(options: list[str] | None, *, full_text: bool = False, listing: bool = False) -> Choice:
    """What `--option NAME=VALUE` and the flags say. Raises UsageError."""
    flags = [name for name, given in ((FULL_TEXT, full_text), (LISTING, listing)) if given]
    return choice_of(f"--{option}" for option in (*(options or ()), *flags))


@commands.command("add")
def add(
    urls: Annotated[
        list[str],
        typer.Argument(
            metavar="ADDRESS",
            help="Of a feed, a page, a channel or a git repository; a folder of Markdown; hook:NAME.",
        ),
    ],
    option: Options = None,
    full_text: FullText = False,
    listing: Listing = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Add public sources. Existing posts are imported but not sent; only later posts are.

    skywave sources add https://example.org/feed.xml ./content/posts
    """
    from bot.cli import adding

    choice = chosen(option, full_text=full_text, listing=listing)
    if choice.kind == LISTING:
        adding.add_listings(urls, choice, json, yes)
    run(adding.add(dict.fromkeys(urls, ()), json, dict.fromkeys(urls, choice)))


@commands.command("list")
def list_(with_secrets: WithSecrets = False, json: Json = False) -> None:
    """List the sources with their state, last error and next read."""
    run(_list(with_secrets, json))


async def _list(with_secrets: bool, json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        known, words, now = await work.sources.all(), await push_words(work), app.clock.now()
    if not with_secrets:
        known = [without_secrets(source) for source in known]
    if json:
        print_json([to_json(s, "rhythm", "validators") | {"push": words.get(s.id, "")} for s in known])
        return
    rows = [
        (s.id, _tagged(s), s.kind, s.visibility, _state(s, words.get(s.id, "")), *_reads(s, now), s.url)
        for s in known
    ]
    empty = "No sources yet. Add one: skywave sources add URL"
    columns = ("#", "title", "kind", "visibility", "state", "interval", "next read", "url")
    print_table(columns, rows, empty)
    for source in known:
        for failure in source.unread:
            warn(f"{source.name}: not read: {failure.name}: {failure.reason}")


def _tagged(source: Source) -> str:
    return f"{source.name} [{', '.join(source.tags)}]" if source.tags else source.name


def _reads(source: Source, now: datetime) -> tuple[str, str]:
    """The present interval of a source, and when it is read next."""
    due = source.next_poll_at
    if source.kind in (UPDATES, HOOK) or source.state is not SourceState.ACTIVE or source.unfollowed_since:
        return "", ""
    if due is None or source.polled_at is None:
        return "", "now"
    interval = "" if source.failures else _rounded(due - source.polled_at)
    return interval, f"in {_rounded(due - now)}" if due > now else "now"


def _rounded(time: timedelta) -> str:
    minutes = max(round(time.total_seconds() / 60), 1)
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} h"


def _state(source: Source, push: str) -> str:
    failing = source.last_error and source.state is SourceState.ACTIVE
    state = f"failing ({source.failures})" if failing else source.state
    return ", ".join(filter(None, (": ".join(filter(None, (state, trouble(source)))), push)))


@commands.command("check")
def check(
    url: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Of a feed, a web page, a channel; a folder.")
    ],
    option: Options = None,
    listing: Listing = False,
    json: Json = False,
) -> None:
    """Find, fetch and parse a source without storing anything."""
    from bot.cli import adding

    run(adding.check(url, json, chosen(option, listing=listing)))


@commands.command("pause")
def pause(name: Name) -> None:
    """Stop polling a source."""
    run(_change(name, "paused", sources.pause))


@commands.command("resume")
def resume(name: Name) -> None:
    """Poll a paused or failing source again, at once."""
    run(_change(name, "active", sources.resume))


async def _change(
    name: str,
    told: str,
    change: Callable[[UnitOfWork, Actor, Source, datetime], Coroutine[Any, Any, None]],
) -> None:
    async with open_app() as app, app.store.write() as work:
        source = await source_named(work, name)
        await change(work, COMMAND_LINE, source, app.clock.now())
        await work.commit()
    say(f"{source.name}: {told}")


@commands.command("hook")
def hook(
    name: Name,
    new_secret: Annotated[bool, typer.Option("--new-secret", help="Make the old secret invalid.")] = False,
    with_secrets: WithSecrets = False,
) -> None:
    """Show where a hook is called. Its secret is shown when it is made, and with --with-secrets."""
    run(_hook(name, new_secret, with_secrets))


async def _hook(name: str, new_secret: bool, with_secrets: bool) -> None:
    async with open_app() as app, app.store.write() as work:
        source = await source_named(work, name)
        found = await hooks.hook_of(work, source)
        if new_secret:
            found = await hooks.change_secret(work, COMMAND_LINE, source, app.clock.now())
            await work.commit()
    say(hook_lines(found, app.settings, secret=new_secret or with_secrets))


@commands.command("set")
def set_(
    name: Name,
    options: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="How it is to be read.")],
) -> None:
    """Change how a source is read, and read it again.

    skywave sources set 3 full-text=yes
    """
    run(_set(name, chosen(options)))


async def _set(name: str, choice: Choice) -> None:
    if choice.kind:
        raise UsageError("a source stays of its kind: remove it first to add it as another kind")
    async with open_app() as app, app.store.write() as work:
        source = await source_named(work, name)
        await sources.set_options(work, COMMAND_LINE, source, choice.options, app.clock.now())
        await work.commit()
    say(f"{source.name}: set")


@commands.command("remove")
def remove(name: Name, yes: Yes = False) -> None:
    """Remove a source with its posts. Queued posts of it are cancelled."""
    source = result_of(_named(name))
    confirm(f"Remove {source.name} (number {source.id}) with all its posts and subscriptions?", yes)
    run(_remove(source))


async def _named(name: str) -> Source:
    async with open_app() as app, app.store.read() as work:
        return await source_named(work, name)


async def _remove(source: Source) -> None:
    async with open_app() as app:
        cancelled = await sources.remove(app.store, COMMAND_LINE, source.id, app.clock.now())
    say(f"{source.name}: removed, {counted(cancelled or 0, 'delivery', 'deliveries')} cancelled")


@commands.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="An OPML file, as feed readers export it; - reads standard input.")
    ],
) -> None:
    """Add all feeds of an OPML file."""
    run(_import(file))


async def _import(file: Path) -> int:
    from bot.cli import adding

    # Somebody else wrote the file: it must not name folders of this machine or sources of Skywave's own.
    urls = read_opml(file)
    refused = [url for url in urls if not is_web_url(url)]
    for url in refused:
        warn(f"skywave: {printable(url)[:200]} was not added: a list may only name http and https addresses")
    if len(refused) == len(urls):
        raise UsageError(f"{file} names no feeds with an http or https address")
    return max(
        await adding.add({url: urls[url] for url in urls if is_web_url(url)}, json=False, exact=True),
        1 if refused else 0,
    )


@commands.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The OPML file to write; - writes standard output.")],
    with_secrets: WithSecrets = False,
) -> None:
    """Write the public feeds to an OPML file that nobody else can read."""
    run(_export(file, with_secrets))


async def _export(file: Path, with_secrets: bool) -> None:
    from content.opml import to_opml

    async with open_app() as app, app.store.read() as work:
        known = await work.sources.all()
    feeds = [s for s in known if s.kind == "feed" and s.visibility == Visibility.PUBLIC]
    written = [feed for feed in feeds if with_secrets or is_public(feed.url)]
    if file == STANDARD:
        sys.stdout.buffer.write(to_opml(written) + b"\n")
    else:
        write_private(file, to_opml(written))
        say(f"{counted(len(written), 'feed')} written to {file}")
    if left := len(feeds) - len(written):
        tell = warn if file == STANDARD else say
        tell(f"{counted(left, 'feed')} left out, because the address may hold a secret: add --with-secrets")
