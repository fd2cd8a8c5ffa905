"""People's interactions: slash commands, autocompletion, buttons, selects, modals."""

from collections.abc import Iterator, Mapping
from heapq import merge

from tests.emulators.discord.interactions import expire, open_interaction
from tests.emulators.discord.options import MESSAGE, Typed, Value, offered
from tests.emulators.discord.permissions import permissions
from tests.emulators.discord.places import Places
from tests.emulators.discord.types import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    LOADING,
    MODAL,
    Channel,
    Interaction,
    Json,
    Message,
    User,
    walk,
)

_BUTTON, _SELECT, _INPUT, _LABEL = 2, 3, 4, 18


class Clicks(Places):
    """Acts for a person: by default the person of a DM, elsewhere the guild's owner."""

    def slash(
        self, channel: Channel | int, name: str, /, *, by: User | None = None, **options: Value
    ) -> Interaction:
        """Run a slash command, with its subcommands in the name: slash(news, "digest add", at="09:00").

        Raises LookupError if the app does not offer the command there, ValueError for an invalid option.
        """
        place, user, words, command = self._command(channel, name, by)
        data = Typed(command, place, user).data(words, options)
        return open_interaction(self.world, COMMAND, name, data, user, place)

    def choose(self, message: Message, name: str, *, by: User | None = None) -> Interaction:
        """Choose a command in the menu of a message. Raises LookupError if the app does not offer it."""
        place, user = self._who(message, by)
        command = offered(self.world, place, user, MESSAGE).get(name)
        if command is None:
            raise LookupError(f"{user.name} is not offered {name!r} in {place.name!r}")
        number = str(message.id)
        data: Json = {"id": command["id"], "name": name, "type": MESSAGE, "target_id": number}
        data["resolved"] = {"messages": {number: self.world.json(message)}}
        return open_interaction(self.world, COMMAND, name, data, user, place)

    def autocomplete(
        self,
        channel: Channel | int,
        name: str,
        option: str,
        text: str,
        /,
        *,
        by: User | None = None,
        **options: Value,
    ) -> Interaction:
        """Type into an option with autocompletion. The interaction's `choices` are the offered values."""
        place, user, words, command = self._command(channel, name, by)
        typed = Typed(command, place, user, focused=option)
        data = typed.data(words, options | {option: text})
        return open_interaction(self.world, AUTOCOMPLETE, name, data, user, place)

    def press(self, target: Message | Channel | int, label: str, *, by: User | None = None) -> Interaction:
        """Press a button of the message, or of the bot's latest message in the channel that has the button.

        Raises LookupError with the existing labels if the person sees no such button.
        """
        place, user = self._who(target, by)
        for message in self._seen(place, target, user):
            for item in message.controls:
                if item["type"] == _BUTTON and item.get("label") == label and _works(item):
                    return self._use(place, user, message, item)
        there = self._labels(place, target, user)
        raise LookupError(f"no button {label!r} to press in {place.name!r}; there: {there}")

    def forge(self, message: Message, custom_id: str, *, by: User | None = None) -> Interaction:
        """Press a button with a modified app, which sends any custom_id."""
        place, user = self._who(message, by)
        seen = next(self._seen(place, message, user))
        return self._use(place, user, seen, {"type": _BUTTON, "custom_id": custom_id, "id": 1})

    def select(self, target: Message | Channel | int, *chosen: str, by: User | None = None) -> Interaction:
        """Choose options of a select by labels or values."""
        place, user = self._who(target, by)
        for message in self._seen(place, target, user):
            for item in message.controls:
                values = _values(item, chosen) if item["type"] == _SELECT and _works(item) else None
                if values is not None:
                    return self._use(place, user, message, item, values=values)
        raise LookupError(f"nothing offers {', '.join(chosen)} in {place.name!r}")

    def submit(self, opened: Interaction, **values: str) -> Interaction:
        """Submit the modal that answered the interaction; fields are given by custom_id."""
        modal = opened.modal
        if modal is None:
            raise LookupError(f"{opened.name} opened no modal")
        inputs = {str(item["custom_id"]) for item in walk(modal["components"], (_INPUT,))}
        if extra := values.keys() - inputs:
            raise LookupError(f"no field {min(extra)!r}; there: {', '.join(sorted(inputs))}")
        rows = modal["components"]
        filled = [_filled(row, values) for row in rows] if isinstance(rows, list) else []
        name = str(modal["custom_id"])
        data: Json = {"custom_id": name, "components": filled}
        return open_interaction(self.world, MODAL, name, data, opened.user, opened.channel, opened.source)

    def answer_to(self, made: Interaction) -> Message | None:
        """The current answer that the person sees; None before it, while deferred, and after its deletion."""
        found = self._message(made.channel, made.original or 0)
        return None if found is None or found.flags & LOADING else found

    def answers_to(self, made: Interaction) -> list[Message]:
        """All answers to the interaction that still exist, in order."""
        found = (self._message(made.channel, number) for number in made.messages)
        return [message for message in found if message is not None and not message.flags & LOADING]

    def has_failed(self, made: Interaction) -> bool:
        """Whether the interaction failed, because the bot did not answer within three seconds."""
        expire(self.world)
        return made.state == "failed"

    def offered(self, channel: Channel | int, by: User | None = None) -> list[str]:
        """The slash commands that the person's app lists in the channel."""
        place = self.channel(channel)
        return list(offered(self.world, place, by or self.owner(place)))

    def _command(
        self, channel: Channel | int, name: str, by: User | None
    ) -> tuple[Channel, User, list[str], Json]:
        place = self.channel(channel)
        user, (first, *words) = by or self.owner(place), name.split()
        there = offered(self.world, place, user)
        if first not in there:
            known = ", ".join(there) or "none"
            raise LookupError(f"{user.name} is not offered /{first} in {place.name!r}; there: {known}")
        return place, user, words, there[first]

    def _who(self, target: Message | Channel | int, by: User | None) -> tuple[Channel, User]:
        place = self.channel(target.channel_id if isinstance(target, Message) else target)
        return place, by or self.owner(place)

    def _seen(self, channel: Channel, target: Message | Channel | int, user: User) -> Iterator[Message]:
        """Messages with components that the person sees, newest first; only `target` if it is a message."""
        if not permissions(channel, user.id):
            return
        if isinstance(target, Message):
            found = self._message(channel, target.id)
            latest: Iterator[Message] = iter((found,) if found else ())
        else:
            both = (reversed(channel.messages.values()), reversed(channel.hidden.values()))
            latest = merge(*both, key=lambda message: -message.id)
        for message in latest:
            if message.components and message.only_for in (None, user.id):
                yield message

    def _message(self, channel: Channel, number: int) -> Message | None:
        return channel.messages.get(number) or channel.hidden.get(number)

    def _labels(self, channel: Channel, target: Message | Channel | int, user: User) -> str:
        labels = [repr(text) for message in self._seen(channel, target, user) for text in message.labels]
        return ", ".join(labels[:20]) or "none"

    def _use(
        self, place: Channel, user: User, message: Message, item: Json, **more: list[str]
    ) -> Interaction:
        name = str(item["custom_id"])
        data: Json = {"custom_id": name, "component_type": item["type"], "id": item["id"], **more}
        return open_interaction(self.world, COMPONENT, name, data, user, place, message)


def _works(item: Json) -> bool:
    return "custom_id" in item and item.get("disabled") is not True


def _values(item: Json, chosen: tuple[str, ...]) -> list[str] | None:
    """The values of the chosen options; None if the select does not offer all of them, or not so many."""
    options = item["options"]
    assert isinstance(options, list)
    by_name = {str(option["value"]): str(option["value"]) for option in options}
    by_name |= {str(option["label"]): str(option["value"]) for option in options}
    low, high = item.get("min_values", 1), item.get("max_values", 1)
    assert isinstance(low, int) and isinstance(high, int)
    if not low <= len(chosen) <= high or any(one not in by_name for one in chosen):
        return None
    return [by_name[one] for one in chosen]


def _filled(row: Json, values: Mapping[str, str]) -> Json:
    if row.get("type") == _LABEL and isinstance(row.get("component"), dict):
        return {"type": _LABEL, "id": 1, "component": _field(row["component"], values)}
    inner = row.get("components")
    fields = [_field(item, values) for item in inner] if isinstance(inner, list) else []
    return {"type": row.get("type"), "id": 1, "components": fields}


def _field(item: object, values: Mapping[str, str]) -> Json:
    assert isinstance(item, dict)
    name = str(item["custom_id"])
    return {
        "type": item["type"],
        "id": 2,
        "custom_id": name,
        "value": values.get(name, item.get("value") or ""),
    }
