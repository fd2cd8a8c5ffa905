"""`skywave doctor`: what is wrong with a deployment, and how to mend it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.app import PLATFORMS, POLL_TICK, App
from bot.cli.common import Json, open_app, print_json, run, say, to_json
from content.errors import SkywaveError
from scheduler.types import ChatState

# After so many poll intervals without any source that could be read, something is wrong with all of them.
UNREAD_INTERVALS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `hint` says how to mend what is not well."""

    what: str
    well: bool
    hint: str = ""


def doctor(json: Json = False) -> None:
    """Check database, time zones, tokens, permissions and sources, and say how to mend each."""
    run(_doctor(json))


async def _doctor(json: bool) -> int:
    async with open_app() as app:
        findings = [finding async for finding in _examine(app)]
    if json:
        print_json([to_json(finding) for finding in findings])
    else:
        for finding in findings:
            say(
                f"{'ok  ' if finding.well else 'BAD '} {finding.what}"
                + (f": {finding.hint}" if finding.hint else "")
            )
    return 0 if all(finding.well for finding in findings) else 1


async def _examine(app: App) -> AsyncIterator[Finding]:
    # It was opened and brought up to date before this runs.
    yield Finding("database", True, app.settings.database_url.rpartition("@")[2])
    yield _zones()
    async for finding in _platforms(app):
        yield finding
    async with app.store.read() as work:
        sources, chats = await work.sources.all(), await work.chats.all()
        deliveries = await work.outbox.counts()
        last_read = await work.sources.last_read()
    yield _reading(last_read, app)
    for source in sources:
        yield Finding(f"source {source.name}", not source.last_error, source.last_error)
    for chat in chats:
        hint = f"{chat.reason or chat.state}; what waits is sent when that has changed"
        yield Finding(f"chat {chat.name}", chat.state is not ChatState.PAUSED, hint if chat.reason else "")
    failed = sum(count for state, count in deliveries.items() if state in ("failed", "held"))
    yield Finding(
        "deliveries", not failed, f"{failed} failed: skywave deliveries list --state failed" if failed else ""
    )


def _reading(last_read: datetime | None, app: App) -> Finding:
    """Whether any source was read lately; that all fail at once, or wait, has one cause."""
    unread = app.clock.now() - last_read if last_read else timedelta()
    if unread <= UNREAD_INTERVALS * max(app.settings.interval, POLL_TICK):
        return Finding("reading", True)
    minutes = round(unread.total_seconds() / 60)
    hint = "check that skywave run is running, its network, and the clock of the machine"
    return Finding("reading", False, f"no source was read for {minutes} minutes: {hint}")


def _zones() -> Finding:
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Finding("time zone data", False, "install the package tzdata")
    return Finding("time zone data", True)


async def _platforms(app: App) -> AsyncIterator[Finding]:
    for spec in PLATFORMS:
        try:
            adapter = spec.make(app.settings)
        except SkywaveError as exc:
            yield Finding(spec.name, False, str(exc))
            continue
        if adapter is None:
            yield Finding(spec.name, True, "not configured")
            continue
        try:
            yield Finding(spec.name, True, await adapter.check())
        except SkywaveError as exc:
            yield Finding(spec.name, False, str(exc))
        finally:
            await adapter.close()
