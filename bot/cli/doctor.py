"""`skywave doctor`: finds problems of a deployment, and says how to fix them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.cli.arguments import commands_of
from bot.cli.common import (
    Finding,
    Json,
    counted,
    print_json,
    run,
    settings_of_process,
    show_findings,
    to_json,
    trouble,
    without_secrets,
)
from bot.cli.hooks import push_words
from bot.cli.usage import usage
from bot.engine import Engine, open_engine
from bot.platforms import PLATFORMS
from bot.platforms.types import Checks, Connects
from bot.runner import POLL_TICK
from bot.settings import Settings
from content.errors import SkywaveError, StoreError
from content.sources.markdown import KIND as MARKDOWN
from content.types import Source
from scheduler.types import Chat, ChatState
from storage.database import database_name, database_url

# A source is late if it has been due for this many of the shortest waits.
LATE_WAITS = 5
# Posts that are not indexed yet; fewer are indexed within seconds.
UNINDEXED = 1_000

commands = commands_of()


@commands.command()
def doctor(json: Json = False) -> None:
    """Check database, time zones, tokens, permissions and sources, and say how to fix each."""
    run(_doctor(json))


async def _doctor(json: bool) -> int:
    settings = settings_of_process()
    try:
        async with open_engine(settings) as app:
            findings = [finding async for finding in _examine(app)]
    except StoreError as exc:  # the other checks need no database
        platforms = [finding async for finding in _platforms(settings)]
        findings = [Finding("database", False, str(exc)), _zones(), *platforms]
    if not json:
        return show_findings(findings)
    print_json([to_json(finding) for finding in findings])
    return 0 if all(finding.well for finding in findings) else 1


async def _examine(app: Engine) -> AsyncIterator[Finding]:
    # `build` has already opened and migrated the database.
    yield Finding("database", True, database_name(database_url(app.settings.database_url)))
    yield _zones()
    async for finding in _platforms(app.settings):
        yield finding
    async with app.store.read() as work:
        sources, chats = await work.sources.all(), await work.chats.all()
        pushes = await push_words(work)
        deliveries = await work.outbox.counts()
        polled, last_read = await work.sources.polled(), await work.sources.last_read()
        unindexed = await work.index.count_waiting()
    if app.settings.public_url and app.settings.metrics_port is None:
        hint = "nothing listens for it: set SKYWAVE_METRICS_PORT, or leave out SKYWAVE_PUBLIC_URL"
        yield Finding("public address", False, hint)
    yield _reading(polled, last_read, app)
    if unindexed > UNINDEXED:
        told = f"{counted(unindexed, 'post')} cannot be found yet: skywave run indexes them"
        yield Finding("search", False, told)
    for source in map(without_secrets, sources):
        # A hub that fails is not BAD: the operator cannot repair it, and the source is polled.
        told = ", ".join(filter(None, (trouble(source), pushes.get(source.id))))
        yield Finding(f"source {source.name}", not source.last_error, told)
        for failure in source.unread:
            # Only a file in a local folder is BAD: the operator cannot fix an entry of somebody else's feed.
            ours = source.kind == MARKDOWN
            yield Finding(f"source {source.name}, {failure.name}", not ours, failure.reason)
    for chat in chats:
        yield _chat(chat)
    async for finding in usage(app):
        yield finding
    failed = sum(count for state, count in deliveries.items() if state in ("failed", "held"))
    yield Finding(
        "deliveries", not failed, f"{failed} failed: skywave deliveries list --state failed" if failed else ""
    )


def _chat(chat: Chat) -> Finding:
    """Whether a chat can be written to, and what happens to its queued posts if not."""
    waiting = "queued posts are sent once that is fixed"
    if chat.state is ChatState.GONE:
        waiting = "queued posts were cancelled; new posts are sent once the bot is back"
    hint = f"{chat.reason or chat.state}; {waiting}" if chat.reason else ""
    return Finding(f"chat {chat.name}", chat.state is not ChatState.PAUSED, hint)


def _reading(polled: Sequence[Source], last_read: datetime | None, app: Engine) -> Finding:
    now = app.clock.now()
    if last_read is None or reads_as_planned(polled, last_read, now, app.settings.bounds.shortest):
        return Finding("reading", True)
    minutes = round((now - last_read).total_seconds() / 60)
    hint = "check that skywave run is running, its network, and the clock of the machine"
    return Finding("reading", False, f"no source was read for {counted(minutes, 'minute')}: {hint}")


def reads_as_planned(
    polled: Sequence[Source], last_read: datetime, now: datetime, shortest: timedelta
) -> bool:
    """Whether any source is read when it should be. If all are late or fail, the cause is a common one."""
    late = now - LATE_WAITS * max(shortest, POLL_TICK)
    planned = [one.next_poll_at for one in polled if one.next_poll_at is not None and not one.failures]
    return any(moment >= late for moment in (last_read, *planned))


def _zones() -> Finding:
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Finding("time zone data", False, "install the package tzdata")
    return Finding("time zone data", True)


async def _platforms(settings: Settings) -> AsyncIterator[Finding]:
    for platform in PLATFORMS:
        try:
            sender = platform.make(settings)
            if sender is None:
                yield Finding(platform.name, True, "not configured")
            else:
                told = await _checked(sender) if isinstance(sender, Checks) else "configured"
                yield Finding(platform.name, True, told)
        except SkywaveError as exc:
            yield Finding(platform.name, False, str(exc))


async def _checked(sender: Checks) -> str:
    try:
        return await sender.check()
    finally:
        if isinstance(sender, Connects):
            await sender.close()
