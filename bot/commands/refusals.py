"""Refusals. A chat without access, or a person over a quota, is told once, then gets no reply for a while.

Each of these is logged and recorded in the audit, which `skywave doctor` and `skywave audit` show.
"""

from datetime import timedelta

from bot.access import Verdict
from bot.commands.told import Told
from bot.commands.types import Reply, Request, Services
from content import present
from content.errors import AddressRefused, SkywaveError, Unreachable
from content.i18n import Translator
from content.secrets import printable
from scheduler.actions.audit import Actor, Change, record
from scheduler.errors import QuotaExceeded
from scheduler.log import Logger
from scheduler.types import Quota

log = Logger(__name__)

# How long until a chat without access, and a person over a quota, are told again.
CLOSED_FOR, QUOTA_FOR = timedelta(days=1), timedelta(hours=1)


class Refusals:
    """Writes refusals, and remembers to whom."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._told_closed = Told(CLOSED_FOR, services.clock.monotonic)
        self._told_quota = Told(QUOTA_FOR, services.clock.monotonic)

    async def refused(self, request: Request, verdict: Verdict) -> Reply | None:
        """The reply to a person without the right; None to send nothing."""
        t, place = request.translator.t, request.call.place
        if verdict is Verdict.BANNED:
            return None
        if verdict is Verdict.CLOSED:
            address = f"{place.platform}:{place.address}"
            if not self._told_closed.first(address):
                return None
            command = f"skywave chats allow {address}"
            await self._note(request, f"{address} may not use the bot: {command}")
            return _said(
                t("This bot is private. Its operator can allow this chat with: {command}", command=command)
            )
        if verdict is Verdict.NEEDS_OPERATOR:
            return _said(t("Only operators of this bot can do that."))
        if not request.call.name:
            return _said(t("Only admins of this chat can do that."))
        return _said(t("Only admins of this chat can use /{name}.", name=request.call.name))

    async def failed(self, request: Request, error: SkywaveError) -> Reply | None:
        """The reply to a command or press that raised an error; None to send nothing."""
        if isinstance(error, QuotaExceeded):
            place = request.call.place
            if not self._told_quota.first((error.quota, request.call.actor, place.platform, place.address)):
                return None
            await self._note(request, f"{place} {error}")
        return _said(reason(error, request.arguments.strip(), request))

    async def _note(self, request: Request, what: str) -> None:
        actor = request.call.actor
        log.warning("access.refused", actor=actor, what=what)
        async with self._services.store.write() as work:
            await record(work, Actor(actor), Change.REFUSED, self._services.clock.now(), what)
            await work.commit()


def _said(text: str) -> Reply:
    return Reply(present.error(text), private=True)


def reason(error: SkywaveError, url: str, request: Request) -> str:
    """What a person is told of an error; `url` is what the person has typed or sent."""
    t = request.translator.t
    match error:
        case QuotaExceeded(quota=quota, limit=limit):
            return _sentence(quota, limit, request.translator)
        case AddressRefused() | Unreachable() if request.by.person:
            # Say nothing about the address or its network: the person may be probing for it.
            return t("{url} cannot be reached: check the address.", url=printable(url))
    return request.translator.error(error)


def _sentence(quota: Quota, limit: int, translator: Translator) -> str:
    t, sentences = translator.t, translator.sentences
    match quota:
        case Quota.CHAT_SOURCES:
            full = t("This chat already follows {limit} private feeds, the most for one chat.", limit=limit)
            return sentences(full, t("Remove one with /unsubscribe."))
        case Quota.PERSON_SOURCES:
            full = t("You have already added {limit} feeds, the most for one person.", limit=limit)
            return sentences(full, t("The operator of this bot can add this one."))
        case Quota.PRIVATE_SOURCES:
            full = t("This bot already reads {limit} private feeds, its limit.", limit=limit)
            return sentences(full, t("The operator of this bot can add this one."))
        case Quota.POSTS_PER_DAY:
            full = t("You have written {limit} updates within a day, the most for one person.", limit=limit)
            return sentences(full, t("Try again tomorrow."))
        case Quota.POST_LENGTH:
            return t("An update has {limit} characters at most: please shorten it.", limit=limit)
