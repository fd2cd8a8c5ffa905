"""`skywave sources …` and `skywave poll`."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from bot.cli.common import (
    Json,
    counted,
    open_app,
    print_json,
    print_table,
    run,
    say,
    source_named,
    to_json,
    trouble,
    warn,
    without_secrets,
    write_private,
)
from bot.cli.opml import read_opml, to_opml
from bot.visible import visible_line
from content.document import is_web_url
from content.errors import SkywaveError, UsageError
from content.secrets import is_public, printable
from content.types import ParsedSource, Source, SourceState, Visibility
from scheduler.ingest import PollResult
from scheduler.ports import UnitOfWork
from scheduler.upkeep import remove_source

commands = typer.Typer(name="sources", help="Where posts come from.", no_args_is_help=True)

WithSecrets = Annotated[
    bool, typer.Option("--with-secrets", help="Whole addresses, with the keys and passwords in them.")
]
Name = Annotated[str, typer.Argument(metavar="SOURCE", help="Its URL, its title or its number.")]


@commands.command("add")
def add(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="A feed's URL or a folder of Markdown.")
    ],
    json: Json = False,
) -> None:
    """Add public sources; each is read once, and what it holds is not broadcast.

    skywave sources add https://example.org/feed.xml ./content/posts
    """
    run(_add(urls, json))


async def _add(urls: list[str], json: bool) -> int:
    results, failed = [], 0
    async with open_app() as app:
        for url in urls:
            try:
                result = await app.ingest.add(url, Visibility.PUBLIC)
            except SkywaveError as exc:
                warn(f"skywave: {exc}")
                failed += 1
                continue
            results.append(result)
            if not json:
                say(_summary(result))
    if json:
        print_json([_result(result) for result in results])
    return 1 if failed else 0


def _result(result: PollResult) -> dict[str, Any]:
    return to_json(replace(result, source=without_secrets(result.source)))


def _summary(result: PollResult) -> str:
    counts = (
        f"{result.new} new, {result.changed} changed, {counted(result.deliveries, 'delivery', 'deliveries')}"
    )
    failures = "".join(f"\n  not read: {f.name}: {f.reason}" for f in result.failures)
    cut = f"\n  {result.cut}" if result.cut else ""
    return f"{result.source.name}: {result.error or counts}{cut}{failures}"


@commands.command("list")
def list_(with_secrets: WithSecrets = False, json: Json = False) -> None:
    """List the sources with their state and last error."""
    run(_list(with_secrets, json))


async def _list(with_secrets: bool, json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        sources = await work.sources.all()
    if not with_secrets:
        sources = [without_secrets(source) for source in sources]
    if json:
        print_json([to_json(source) for source in sources])
        return
    rows = [(s.id, s.name, s.kind, s.visibility, _state(s), s.url) for s in sources]
    empty = "No sources yet. Add one: skywave sources add URL"
    print_table(("#", "title", "kind", "visibility", "state", "url"), rows, empty)
    for source in sources:
        for failure in source.unread:
            say(f"{source.name}: not read: {failure.name}: {failure.reason}")


def _state(source: Source) -> str:
    failing = source.last_error and source.state is SourceState.ACTIVE
    state = f"failing ({source.failures})" if failing else source.state
    return ": ".join(filter(None, (state, trouble(source))))


@commands.command("check")
def check(url: Annotated[str, typer.Argument(help="A feed's URL or a folder.")], json: Json = False) -> None:
    """Fetch and parse a source without storing anything."""
    run(_check(url, json))


async def _check(url: str, json: bool) -> int:
    async with open_app() as app:
        url, parsed = await app.ingest.check(url)
    url = printable(url)
    if json:
        source = {"url": url, "title": parsed.title, "home": parsed.url}
        failures = [to_json(failure) for failure in parsed.failures]
        print_json({"source": source, "posts": [to_json(p) for p in parsed.posts], "failures": failures})
    else:
        _show_check(url, parsed)
    return 0


def _show_check(url: str, parsed: ParsedSource) -> None:
    say(f"{parsed.title or url}: {counted(len(parsed.posts), 'post')}")
    rows = [(p.published_at or "no date", p.title or "(no title)", p.url or p.guid) for p in parsed.posts]
    print_table(("published", "title", "url"), rows, "It is well-formed but empty.")
    for failure in parsed.failures:
        warn(f"not read: {failure.name}: {failure.reason}")


@commands.command("pause")
def pause(name: Name) -> None:
    """Stop polling a source."""
    run(_set_state(name, SourceState.PAUSED))


@commands.command("resume")
def resume(name: Name) -> None:
    """Poll a paused or failing source again, at once."""
    run(_set_state(name, SourceState.ACTIVE))


async def _set_state(name: str, state: SourceState) -> None:
    async def change(work: UnitOfWork, source: Source) -> None:
        await work.sources.set_state(source.id, state)

    await _change(name, state.value, change)


async def _change(
    name: str, action: str, change: Callable[[UnitOfWork, Source], Coroutine[Any, Any, None]]
) -> None:
    async with open_app() as app, app.store.write() as work:
        source = await source_named(work, name)
        await change(work, source)
        await work.audit.add("cli", f"source {action}", source.name, app.clock.now())
        await work.commit()
    say(f"{source.name}: {action}")


@commands.command("remove")
def remove(name: Name) -> None:
    """Remove a source with its posts; what waits to be sent of it is cancelled."""
    run(_remove(name))


async def _remove(name: str) -> None:
    async with open_app() as app:
        async with app.store.read() as work:
            source = await source_named(work, name)
        cancelled = await remove_source(app.store, source.id, "cli", app.clock.now())
    say(f"{source.name}: removed, {counted(cancelled or 0, 'delivery', 'deliveries')} cancelled")


@commands.command("import")
def import_(file: Annotated[Path, typer.Argument(help="An OPML file, as feed readers export it.")]) -> None:
    """Add all feeds of an OPML file."""
    run(_import(file))


async def _import(file: Path) -> int:
    # Somebody else wrote the file: it must not name folders of this machine or sources of Skywave's own.
    urls = read_opml(file)
    refused = [url for url in urls if not is_web_url(url)]
    for url in refused:
        warn(f"skywave: {printable(url)[:200]} was not added: a list may only name http and https addresses")
    if len(refused) == len(urls):
        raise UsageError(f"{file} names no feeds with an http or https address")
    return max(await _add([url for url in urls if is_web_url(url)], json=False), 1 if refused else 0)


@commands.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The OPML file to write.")], with_secrets: WithSecrets = False
) -> None:
    """Write the public feeds to an OPML file that nobody else can read."""
    run(_export(file, with_secrets))


async def _export(file: Path, with_secrets: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        sources = await work.sources.all()
    feeds = [s for s in sources if s.kind == "feed" and s.visibility == Visibility.PUBLIC]
    written = [feed for feed in feeds if with_secrets or is_public(feed.url)]
    write_private(file, to_opml(written))
    say(f"{counted(len(written), 'feed')} written to {file}")
    if left := len(feeds) - len(written):
        say(f"{counted(left, 'feed')} left out, as the address may hold a secret: --with-secrets writes it")


def poll(
    every: Annotated[
        bool, typer.Option("--all", help="Poll every source, not only those that are due.")
    ] = False,
    json: Json = False,
) -> None:
    """Poll the sources that are due, once. A running skywave sends what is new."""
    run(_poll(every, json))


async def _poll(every: bool, json: bool) -> int:
    results: list[PollResult] = []
    async with open_app() as app:
        async with app.store.read() as work:
            active = [s for s in await work.sources.all() if s.state is SourceState.ACTIVE]
            sources = active if every else await work.sources.due(app.clock.now())
        columns = (
            TextColumn("polling"),
            MofNCompleteColumn(),
            TextColumn("{task.fields[name]}", markup=False),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("polling", total=len(sources), name="")
            async for result in app.poller.poll_each(sources):
                results.append(result)
                progress.update(task, advance=1, name=visible_line(result.source.name[:60]))
    _show_poll(results, json)
    return 1 if any(result.error for result in results) else 0


def _show_poll(results: list[PollResult], json: bool) -> None:
    if json:
        print_json([_result(result) for result in results])
        return
    for result in results:
        if result.new or result.changed or result.error or result.failures or result.cut:
            say(_summary(result))
    new, failed = sum(r.new for r in results), sum(bool(r.error) for r in results)
    say(f"{counted(len(results), 'source')} polled, {counted(new, 'new post')}, {failed} failed")
