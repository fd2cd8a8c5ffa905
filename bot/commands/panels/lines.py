"""The lines of the panels: what can be set for a chat, and for one of its subscriptions.

To add a setting, add a line to a table. The choices of `content.formats` are lines by themselves.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.commands.types import Request, Services
from content import present
from content.formats import CHOICES, RESET, Changes, Choice, Value, from_json
from content.i18n import LANGUAGES, Msgid, Translator, native_name
from content.types import Source
from scheduler.actions import chats, formats
from scheduler.ports import UnitOfWork
from scheduler.timetable import zones
from scheduler.types import Chat, Subscription

UNSET = "-"  # the key of a value that is not chosen


@dataclass(frozen=True, slots=True)
class Subject:
    """What a panel is about: a chat, or one of its subscriptions, as they are stored now."""

    request: Request
    services: Services
    now: datetime
    subscription: Subscription | None = None
    source: Source | None = None

    @property
    def chat(self) -> Chat:
        return self.request.chat

    @property
    def tr(self) -> Translator:
        return self.request.translator

    @property
    def name(self) -> str:
        """The name of the subscription's source."""
        return present.source_name(self.source.name, self.tr) if self.source else self.tr.t("all sources")


Save = Callable[[UnitOfWork, Subject, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Line:
    """A setting of a panel. `name` stands in the data of buttons, `about` is a msgid.

    `stored` gives the key of the value now, `values` those that can be chosen, with their labels, and `says`
    tells the value in words. `save` takes a key of `values`; with a `prompt`, also what a person typed.
    """

    name: str
    about: str
    stored: Callable[[Subject], str]
    values: Callable[[Subject], Mapping[str, str]]
    says: Callable[[Subject], str]
    save: Save
    prompt: str = ""
    placeholder: str = ""


def _key(value: Value | None) -> str:
    """A choice in the data of a button."""
    if value is None:
        return UNSET
    return str(value) if not isinstance(value, bool) else ("yes" if value else "no")


def _phrases(choice: Choice, tr: Translator) -> dict[str, str]:
    return {_key(value): tr.t(phrase) for value, phrase in choice.phrases.items()}


def _changes(name: str, key: str) -> Changes:
    """What takes a choice back, and makes it anew unless the key is UNSET."""
    chosen = next((value for value in CHOICES[name].phrases if _key(value) == key), None)
    return Changes(from_json({name: chosen}), dropped=name)


def _of_chat(name: str, choice: Choice) -> Line:
    """A choice of a chat. What is not chosen is the default."""

    async def save(work: UnitOfWork, subject: Subject, key: str) -> None:
        request = subject.request
        await formats.choose(work, request.by, subject.chat, _changes(name, key), subject.now)

    def stored(subject: Subject) -> str:
        return _key(subject.chat.format.chosen[name])

    def says(subject: Subject) -> str:
        return _phrases(choice, subject.tr)[stored(subject)]

    return Line(name, choice.about, stored, lambda subject: _phrases(choice, subject.tr), says, save)


def _of_subscription(name: str, choice: Choice) -> Line:
    """A choice of a subscription. What is not chosen is as in its chat."""

    async def save(work: UnitOfWork, subject: Subject, key: str) -> None:
        request = subject.request
        changes = _changes(name, key)
        await formats.choose_for(work, request.by, subject.chat, subject.source, changes, subject.now)

    def stored(subject: Subject) -> str:
        assert subject.subscription is not None
        return _key(subject.subscription.choices.chosen.get(name))

    def as_in_chat(subject: Subject) -> str:
        value = _phrases(choice, subject.tr)[_key(subject.chat.format.chosen[name])]
        return subject.tr.t("{value}, as in this chat", value=value)

    def values(subject: Subject) -> Mapping[str, str]:
        return _phrases(choice, subject.tr) | {UNSET: as_in_chat(subject)}

    def says(subject: Subject) -> str:
        return values(subject)[stored(subject)]

    return Line(name, choice.about, stored, values, says, save)


def _languages(subject: Subject) -> Mapping[str, str]:
    return {UNSET: subject.tr.t(RESET), **{code: native_name(code) for code in LANGUAGES}}


def _zone(subject: Subject) -> str:
    """The time zone with the time there, by which people see whether it is theirs."""
    zone = chats.zone_of(subject.chat, subject.services.settings.timezone)
    local = subject.now.astimezone(ZoneInfo(zone))
    return subject.tr.t("{zone}, where it is {time} now", zone=zones.shown(zone), time=f"{local:%H:%M}")


async def _set_language(work: UnitOfWork, subject: Subject, key: str) -> None:
    wanted = chats.Settings(language="" if key == UNSET else key)
    await chats.change(work, subject.request.by, subject.chat, wanted, subject.now)


async def _set_zone(work: UnitOfWork, subject: Subject, typed: str) -> None:
    wanted = chats.Settings(timezone="" if typed == UNSET else typed)
    await chats.change(work, subject.request.by, subject.chat, wanted, subject.now)


OF_CHAT: Mapping[str, Line] = {
    line.name: line
    for line in (
        Line(
            "language",
            Msgid("Language"),
            lambda subject: subject.chat.language or UNSET,
            _languages,
            lambda subject: _languages(subject).get(subject.chat.language or UNSET, subject.chat.language),
            _set_language,
        ),
        Line(
            "zone",
            Msgid("Time zone"),
            lambda subject: subject.chat.timezone or UNSET,
            lambda subject: {UNSET: subject.tr.t(RESET)},
            _zone,
            _set_zone,
            Msgid("Which city or time zone? On Telegram you can also send a location."),
            "Shanghai, Europe/Berlin, UTC+8",
        ),
        *(_of_chat(name, choice) for name, choice in CHOICES.items()),
    )
}

OF_SUBSCRIPTION: Mapping[str, Line] = {
    line.name: line
    for line in (*(_of_subscription(name, choice) for name, choice in CHOICES.items() if not choice.of_chat),)
}
