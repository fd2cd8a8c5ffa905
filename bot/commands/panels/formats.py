"""The lines for the choices of `content.formats`: each choice is a line by itself."""

from collections.abc import Mapping, Sequence

from bot.commands.panels.line import UNSET, Line, Subject
from content.formats import CHOICES, Changes, Choice, Value, from_json
from content.i18n import Translator
from scheduler.actions import formats
from scheduler.ports import UnitOfWork


def of_chat() -> Sequence[Line]:
    return [_of_chat(name, choice) for name, choice in CHOICES.items()]


def of_subscription() -> Sequence[Line]:
    return [_of_subscription(name, choice) for name, choice in CHOICES.items() if not choice.of_chat]


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
        return _key(subject.followed.choices.chosen.get(name))

    def as_in_chat(subject: Subject) -> str:
        value = _phrases(choice, subject.tr)[_key(subject.chat.format.chosen[name])]
        return subject.tr.t("{value}, as in this chat", value=value)

    def values(subject: Subject) -> Mapping[str, str]:
        return _phrases(choice, subject.tr) | {UNSET: as_in_chat(subject)}

    def says(subject: Subject) -> str:
        return values(subject)[stored(subject)]

    return Line(name, choice.about, stored, values, says, save)
