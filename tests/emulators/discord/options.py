"""Slash commands in a person's app: which ones it offers, and how it reads the typed options."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tests.emulators.discord import wire
from tests.emulators.discord.commands import GROUP, SUBCOMMAND, Commands
from tests.emulators.discord.form import number_of
from tests.emulators.discord.permissions import Permission, base_permissions, permissions
from tests.emulators.discord.state import World
from tests.emulators.discord.types import Attached, Channel, Json, Role, User

SLASH, MESSAGE = 1, 3
"""Kinds of commands: typed, and in the menu of a message."""
_USER, _CHANNEL, _ROLE, _MENTIONABLE, _ATTACHMENT = 6, 7, 8, 9, 11
Value = str | int | float | bool | User | Channel | Role | Attached
_TYPES: Mapping[int, tuple[type, ...]] = {
    3: (str,),
    4: (int,),
    5: (bool,),
    _USER: (User,),
    _CHANNEL: (Channel,),
    _ROLE: (Role,),
    _MENTIONABLE: (User, Role),
    10: (int, float),
    _ATTACHMENT: (Attached,),
}


@dataclass(slots=True)
class Typed:
    """A slash command as a person typed it."""

    command: Json
    channel: Channel
    user: User
    focused: str | None = None
    """The option that is being completed."""
    resolved: dict[str, dict[str, Json]] = field(default_factory=dict)

    def data(self, words: list[str], given: Mapping[str, Value]) -> Json:
        """The data of the interaction. Raises LookupError or ValueError if the app would not send it."""
        options = self._options(self.command, words, given)
        body: Json = {"id": self.command["id"], "name": self.command["name"], "type": 1, "options": options}
        if "guild_id" in self.command:
            body["guild_id"] = self.command["guild_id"]
        return body | {"resolved": self.resolved} if self.resolved else body

    def _options(self, level: Json, words: list[str], given: Mapping[str, Value]) -> list[Json]:
        known = {str(option["name"]): option for option in _listed(level, "options")}
        if any(option["type"] in (SUBCOMMAND, GROUP) for option in known.values()):
            if not words or words[0] not in known:
                raise LookupError(f"/{self.command['name']} needs one of: {', '.join(known)}")
            inner = known[words[0]]
            options = self._options(inner, words[1:], given)
            return [{"name": words[0], "type": inner["type"], "options": options}]
        if words:
            raise LookupError(f"/{self.command['name']} has no subcommand {words[0]!r}")
        self._check_names(known, given)
        return [self._option(known[name], value) for name, value in given.items()]

    def _check_names(self, known: Mapping[str, Json], given: Iterable[str]) -> None:
        if extra := [name for name in given if name not in known]:
            raise LookupError(
                f"/{self.command['name']} has no option {extra[0]!r}; there: {', '.join(known)}"
            )
        missing = [name for name, item in known.items() if item.get("required") and name not in given]
        if missing and self.focused is None:
            raise ValueError(f"/{self.command['name']} needs the option {missing[0]!r}")

    def _option(self, option: Json, value: Value) -> Json:
        name, kind = str(option["name"]), number_of(option["type"])
        body: Json = {"name": name, "type": kind}
        if name == self.focused:
            return body | {"value": value, "focused": True}
        value = _as_typed(kind, value)
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != 5):
            raise ValueError(f"{name} does not take {value!r}")
        if isinstance(value, User | Channel | Role | Attached):
            return body | {"value": self._resolve(value)}
        self._check_value(option, value)
        choices = {choice["name"]: choice["value"] for choice in _listed(option, "choices")}
        return body | {"value": choices.get(value, value)}

    def _check_value(self, option: Json, value: str | float) -> None:
        choices = _listed(option, "choices")
        if choices and not any(value in (choice["name"], choice["value"]) for choice in choices):
            there = ", ".join(str(choice["name"]) for choice in choices)
            raise ValueError(f"{option['name']} does not offer {value!r}; there: {there}")
        size = len(value) if isinstance(value, str) else value
        names = ("min_length", "max_length") if isinstance(value, str) else ("min_value", "max_value")
        low, high = (option.get(name) for name in names)
        if (isinstance(low, int | float) and size < low) or (isinstance(high, int | float) and size > high):
            raise ValueError(f"{option['name']} must be from {low} to {high}, not {value!r}")

    def _resolve(self, value: User | Channel | Role | Attached) -> str:
        guild, number = self.channel.guild, str(value.id)
        if isinstance(value, Attached):
            file: Json = {"id": number, "filename": value.name, "size": value.size, "ephemeral": True}
            self._put("attachments", number, file | {"url": value.url, "proxy_url": value.url})
        elif isinstance(value, Role):
            self._put("roles", number, wire.role_json(value))
        elif isinstance(value, Channel):
            bits = permissions(value, self.user.id)
            self._put("channels", number, wire.partial_channel_json(value, bits))
        else:
            self._put("users", number, wire.user_json(value))
            if guild is not None and value.id in guild.members:
                member = wire.member_json(guild, value)
                bits = permissions(self.channel, value.id)
                del member["user"]
                self._put("members", number, member | {"permissions": str(int(bits))})
        return number

    def _put(self, kind: str, number: str, body: Json) -> None:
        self.resolved.setdefault(kind, {})[number] = body


def _as_typed(kind: int, value: Value) -> Value:
    """Convert the text that a person types for a number or a boolean, as the app does."""
    if not isinstance(value, str):
        return value
    with suppress(ValueError):
        match kind:
            case 4:
                return int(value)
            case 5:
                return {"true": True, "false": False}.get(value.casefold(), value)
            case 10:
                return float(value)
    return value


def offered(world: World, channel: Channel, user: User, kind: int = SLASH) -> dict[str, Json]:
    """The commands of a kind that the person's app lists in the channel, by name."""
    guild = channel.guild
    found: dict[str, Json] = {}
    for place in (None,) if guild is None else (None, guild.id):
        for command in world.commands.get(place, Commands()).listed():
            if command["type"] == kind and _is_offered(command, channel, user):
                found[str(command["name"])] = command
    return found


def _is_offered(command: Json, channel: Channel, user: User) -> bool:
    guild, contexts = channel.guild, command.get("contexts")
    if isinstance(contexts, list) and (1 if guild is None else 0) not in contexts:
        return False
    if guild is None:
        return contexts is not None or command.get("dm_permission") is not False
    if not guild.has_bot or not permissions(channel, user.id) & Permission.USE_APPLICATION_COMMANDS:
        return False
    needed = command.get("default_member_permissions")
    bits = base_permissions(guild, user.id)
    if needed is None or bits & Permission.ADMINISTRATOR:
        return True
    return bool(int(str(needed))) and not int(str(needed)) & ~bits


def _listed(level: Json, name: str) -> list[Json]:
    inner = level.get(name)
    return [item for item in inner if isinstance(item, dict)] if isinstance(inner, list) else []
