"""From an address to a source: what `skywave sources add`, `check` and `import` do."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from shlex import quote
from typing import NoReturn

from bot.cli.common import (
    confirm,
    counted,
    open_app,
    print_json,
    result_of,
    run,
    say,
    to_json,
    warn,
)
from bot.cli.hooks import hook_json, hook_lines
from bot.cli.listings import show_preview
from bot.cli.progress import index, progress
from bot.cli.reads import as_json, left_out, summary
from bot.cli.tables import print_table
from bot.engine import Engine
from content.errors import SkywaveError, UsageError
from content.secrets import printable
from content.sources import NO_CHOICE, Choice
from content.sources.discovery import Found, SeveralFeeds
from content.sources.kinds import LISTING
from content.types import HOOK, ParsedSource, Source, Visibility
from content.urls import is_web_url
from scheduler.actions import hooks, sources
from scheduler.intake.listed import add_each
from scheduler.intake.storing import PollResult
from scheduler.push.pushes import Push


def add_listings(urls: Sequence[str], choice: Choice, json: bool, yes: bool) -> NoReturn:
    """Show what each page holds, ask whether to follow it, and add all pages; then exit."""
    chosen = {}
    for url in urls:
        found = result_of(found_at(url, choice))
        with redirect_stdout(sys.stderr if json else sys.stdout):
            chosen[url] = show_preview(found)
        confirm("Follow these posts?", yes, "Nothing was added.")
    run(add(dict.fromkeys(urls, ()), json, chosen))


async def found_at(url: str, choice: Choice) -> Found:
    async with open_app() as app:
        return await app.ingest.find(url, choice=choice)


async def add(
    urls: Mapping[str, Sequence[str]], json: bool, choices: Mapping[str, Choice] = {}, *, exact: bool = False
) -> int:
    """Add sources, each with its tags and what is chosen for it. `exact`: the URLs are those of feeds."""
    results: dict[str, PollResult] = {}
    refused: list[SkywaveError] = []
    async with open_app() as app:
        with progress("reading", len(urls)) as read:
            async for url, added in add_each(app.ingest, urls, Visibility.PUBLIC, choices, exact=exact):
                read(printable(url))
                if isinstance(added, SkywaveError):
                    refused.append(added)
                else:
                    results[url] = added
        await index(app)
        made = await _new_hooks(app, list(results.values()))
    if json:
        shown = {one: {"hook": hook_json(push, app.settings)} for one, push in made.items()}
        print_json([as_json(result) | shown.get(result.source.id, {}) for result in results.values()])
    else:
        for url, result in sorted(results.items(), key=lambda added: bool(added[1].error)):
            say(_added(result, choices.get(url, NO_CHOICE)) + _where(url, result.source))
            if found := made.get(result.source.id):
                say(hook_lines(found, app.settings, secret=True))
    for error in refused:
        warn(f"skywave: not added: {error}" + commands_for(error, "add"))
    if len(urls) > 1 and not json:
        waiting = sum(bool(result.error) for result in results.values())
        added_now = counted(len(results) - waiting, "source")
        say(f"{added_now} read, {waiting} added and tried again later, {len(refused)} not added")
    return 1 if refused else 0


async def _new_hooks(app: Engine, results: Sequence[PollResult]) -> Mapping[int, Push]:
    """The hooks that were made, by the ids of their sources: their secrets are shown once."""
    made = [one.source for one in results if one.source.kind == HOOK and one.before is None]
    async with app.store.read() as work:
        return {source.id: await hooks.hook_of(work, source) for source in made}


# What to say of a source that was known already, by its visibility before.
KNOWN = {
    Visibility.PRIVATE: "people had added it privately; it is public now",
    Visibility.PUBLIC: "is already a public source",
}


def _added(result: PollResult, choice: Choice) -> str:
    if result.before is None and not result.error:
        existing = counted(result.new, "existing post")
        return f"Added “{result.source.name}” ({existing}; new ones will be sent)" + left_out(result)
    if result.before is None:
        return summary(result, f"added, but {result.error}")
    return summary(result, KNOWN.get(result.before)) + _kept(result.source, choice)


def _kept(source: Source, choice: Choice) -> str:
    """That a known source is read as before, although other options were given."""
    if choice.kind not in ("", source.kind):
        return f"\n  it stays a {source.kind} source: remove it first to add it as another kind"
    if not choice.options or sources.with_options(source, choice.options) == source.options:
        return ""
    given = " ".join(f"{name}={value or 'yes'}" for name, value in choice.options.items())
    return f"\n  it is read as before: to change that, skywave sources set {source.id} {given}"


def _where(address: str, source: Source) -> str:
    """Where the feed is, if the address is that of something else."""
    is_same = address.partition("#")[0].rstrip("/").lower() == source.url.rstrip("/").lower()
    return "" if is_same or not is_web_url(source.url) else f"\n  read from {printable(source.url)}"


def commands_for(error: SkywaveError, command: str) -> str:
    """The name of each feed of a page that has several, and below it the command that takes it."""
    if not isinstance(error, SeveralFeeds):
        return ""
    # The name has a line of its own, because somebody else wrote it and the command is to be copied.
    return "".join(
        (f"\n  {feed.title}" if feed.title else "")
        + f"\n    skywave sources {command} {quote(error.shown(feed))}"
        for feed in error.feeds
    )


async def check(url: str, json: bool, choice: Choice) -> int:
    try:
        found = await found_at(url, choice)
    except UsageError as exc:
        warn(f"skywave: {exc}" + commands_for(exc, "check"))
        return 2
    url, parsed = printable(found.url), found.parsed
    if json:
        source: dict[str, object] = {"url": url, "title": parsed.title, "home": parsed.url}
        source |= {"page": printable(found.page), "options": dict(found.options.values)}
        failures = [to_json(failure) for failure in parsed.failures]
        print_json({"source": source, "posts": [to_json(p) for p in parsed.posts], "failures": failures})
    elif choice.kind == LISTING:
        show_preview(found)
    else:
        if found.page:
            warn(f"{printable(found.page)} leads to {url}")
        _show_check(url, parsed)
    return 0


def _show_check(url: str, parsed: ParsedSource) -> None:
    warn(f"{parsed.title or url}: {counted(len(parsed.posts), 'post')}")
    rows = [(p.published_at or "no date", p.title or "(no title)", p.url or p.guid) for p in parsed.posts]
    print_table(("published", "title", "url"), rows, "It is well-formed but empty.")
    for failure in parsed.failures:
        warn(f"not read: {failure.name}: {failure.reason}")
