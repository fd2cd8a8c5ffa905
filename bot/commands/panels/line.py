"""What a line of a panel is: one setting of a chat or of one of its subscriptions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.commands.types import Reply, Request, Services
from content import present
from content.i18n import Translator
from content.types import Source
from scheduler.actions import chats, following
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, Digest, Subscription

UNSET = "-"  # the key of a value that is not chosen


@dataclass(frozen=True, slots=True)
class Subject:
    """What a panel is about: a chat, or one of its subscriptions, as they are stored now."""

    request: Request
    services: Services
    now: datetime
    subscription: Subscription | None = None
    source: Source | None = None
    digests: Sequence[Digest] = ()

    @property
    def chat(self) -> Chat:
        return self.request.chat

    @property
    def tr(self) -> Translator:
        return self.request.translator

    @property
    def zone(self) -> str:
        return chats.zone_of(self.chat, self.services.settings.timezone)

    @property
    def followed(self) -> Subscription:
        """The subscription that the panel is about."""
        assert self.subscription is not None
        return self.subscription

    @property
    def target(self) -> str:
        """What the audit calls the subscription."""
        return self.source.name if self.source else following.ALL

    @property
    def name(self) -> str:
        """What people call the subscription."""
        return present.source_name(self.source.name, self.tr) if self.source else self.tr.t("all sources")


Save = Callable[[UnitOfWork, Subject, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Line:
    """A setting of a panel. `name` stands in the data of buttons, `about` is a msgid.

    `stored` gives the key of the value now, `values` those that can be chosen, with their labels, and `says`
    tells the value in words. `save` takes a key of `values`; with a `prompt`, also what a person typed,
    unless `offer` replies to that.
    """

    name: str
    about: str
    stored: Callable[[Subject], str]
    values: Callable[[Subject], Mapping[str, str]]
    says: Callable[[Subject], str]
    save: Save
    prompt: str = ""
    placeholder: str = ""
    offer: Callable[[Subject, str], Awaitable[Reply]] | None = None


def table(*lines: Line) -> Mapping[str, Line]:
    """The lines by their names, in order."""
    return {line.name: line for line in lines}
