"""/import and /export: lists of feeds as files, as other feed readers read and write them (OPML)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.access import Act
from bot.commands.refusals import reason
from bot.commands.types import File, Reply, Request, Services, Upload, may
from content import present
from content.document import Block, Document
from content.errors import UsageError
from content.i18n import Translator
from content.opml import Feeds, parse_opml, to_opml
from content.secrets import printable
from scheduler.actions import listing
from scheduler.errors import SendError
from scheduler.intake.listed import Follower, Listed
from scheduler.types import ChatKind

FILE = "skywave.opml"
MAX_SIZE = 1024 * 1024  # bytes of a list that is sent to a chat
MAX_FEEDS = 300  # of such a list: the platforms wait for a reply at most a quarter of an hour
EVERY = 3.0  # seconds between two messages about the progress
SHOWN = 20  # lines about feeds that failed
NAMED = 120  # characters of an address in such a line


async def import_(request: Request, services: Services) -> Reply:
    """Follow the feeds of a file that came with the command. Raises UsageError."""
    t, upload = request.translator.t, request.call.upload
    if upload is None and request.call.kind is ChatKind.TERMINAL:
        raise UsageError(t("Name an OPML file of this machine, like /import feeds.opml."))
    if upload is None:
        raise UsageError(
            t("Send me an OPML file with /import as its caption, or answer such a file with /import.")
        )
    feeds = await _read(upload, request)
    follower = Follower(
        services.store,
        services.ingest,
        services.clock,
        services.settings.quotas,
        request.by,
        request.chat,
        may_add=may(Act.ADD_SOURCE, request, services),
    )
    outcome, shown_at = _Outcome(), services.clock.monotonic()
    async for one in follower.follow_each(feeds):
        outcome.add(one, request)
        if services.clock.monotonic() - shown_at >= EVERY:
            shown_at = services.clock.monotonic()
            read = t("Reading the feeds: {count} of {total}", count=outcome.count, total=len(feeds))
            await request.call.show(present.notice(read))
    return Reply(outcome.told(request.translator))


async def _read(upload: Upload, request: Request) -> Feeds:
    """The feeds of a file. Raises UsageError."""
    t = request.translator.t
    if upload.size > MAX_SIZE:
        raise UsageError(t("The file is larger than {size} MiB. Please split it.", size=MAX_SIZE // 1024**2))
    try:
        feeds = parse_opml(await upload.read(), most=MAX_FEEDS)
    except SendError as exc:
        raise UsageError(t("The file could not be loaded. Please send it again.")) from exc
    except UsageError as exc:
        why = request.translator.error(exc)
        raise UsageError(t("This file cannot be read as a list of feeds: {reason}.", reason=why)) from exc
    if not feeds:
        raise UsageError(t("This file names no feeds. An OPML file has outlines with an xmlUrl."))
    return feeds


@dataclass(slots=True)
class _Outcome:
    """What became of the feeds so far; `waiting` and `failed` are lines."""

    new: int = 0
    before: int = 0
    waiting: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.new + self.before + len(self.failed)

    def add(self, one: Listed, request: Request) -> None:
        name = printable(one.url)[:NAMED]
        if one.error is not None:
            why = reason(one.error, one.url, request)
            self.failed.append(why if name in why else f"{name}: {why}")
            return
        self.new, self.before = self.new + one.new, self.before + (not one.new)
        if one.waits:
            self.waiting.append(name)

    def told(self, tr: Translator) -> Document:
        """All of it in one message."""
        subscribed = tr.n("Subscribed to {count} feed.", "Subscribed to {count} feeds.", self.new)
        head = [subscribed if self.new else tr.t("No new subscriptions.")]
        if self.before:
            head.append(tr.n("{count} was followed before.", "{count} were followed before.", self.before))
        blocks = present.notice(tr.sentences(*head)).blocks
        if self.waiting:
            blocks += _list(tr.t("These cannot be reached now, and are tried again:"), self.waiting, tr)
        if self.failed:
            blocks += _list(tr.t("Not imported:"), self.failed, tr)
        return Document(blocks)


def _list(heading: str, lines: Sequence[str], tr: Translator) -> tuple[Block, ...]:
    shown = [f"• {line}" for line in sorted(lines)[:SHOWN]]
    if more := len(lines) - len(shown):
        shown.append(tr.n("… and {count} more", "… and {count} more", more))
    return present.lines(heading, shown).blocks


async def export(request: Request, services: Services) -> Reply:
    """The feeds that the chat follows, as a file."""
    tr = request.translator
    async with services.store.read() as work:
        followed = await listing.followed(work, request.by, request.chat)
    if not followed.feeds:
        raise UsageError(tr.t("This chat follows no feed that could be exported."))
    count = len(followed.feeds)
    told = [tr.n("The feed of this chat.", "The {count} feeds of this chat.", count)]
    if followed.left_out:
        told.append(
            tr.n(
                "{count} is left out, because its address may hold a key.",
                "{count} are left out, because their addresses may hold keys.",
                followed.left_out,
            )
        )
    file = File(FILE, to_opml(followed.feeds))
    return Reply(present.notice(tr.sentences(*told)), private=True, file=file)
