"""`skywave doctor`: what is wrong with a deployment, and how to mend it."""

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.app import PLATFORMS, App
from bot.cli.common import Json, open_app, print_json, run, say, to_json
from bot.cli.usage import Finding, usage
from content.errors import SkywaveError
from scheduler.types import ChatState


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
    for source in sources:
        yield Finding(f"source {source.name}", not source.last_error, source.last_error)
    for chat in chats:
        hint = f"{chat.reason or chat.state}; what waits is sent when that has changed"
        yield Finding(f"chat {chat.name}", chat.state is not ChatState.PAUSED, hint if chat.reason else "")
    async for finding in usage(app):
        yield finding
    failed = sum(count for state, count in deliveries.items() if state in ("failed", "held"))
    yield Finding(
        "deliveries", not failed, f"{failed} failed: skywave deliveries list --state failed" if failed else ""
    )


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
