"""The command menu: a list per scope and language."""

import json
import re

from tests.emulators.telegram.access import find_chat
from tests.emulators.telegram.params import Params
from tests.emulators.telegram.state import World
from tests.emulators.telegram.types import ApiError, Json

_SCOPES = frozenset(
    (
        *("default", "all_private_chats", "all_group_chats", "all_chat_administrators"),
        *("chat", "chat_administrators", "chat_member"),
    )
)
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


def set_commands(world: World, params: Params) -> object:
    listed = params.parsed("commands", "commands")
    if not isinstance(listed, list):
        raise ApiError(400, "Bad Request: can't parse BotCommand: expected an Array")
    if len(listed) > 100:
        raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    knows_ephemeral = world.version >= (10, 2)
    made = [_command(item, knows_ephemeral=knows_ephemeral) for item in listed]
    world.commands[_place(world, params)] = made
    return True


def get_commands(world: World, params: Params) -> object:
    return world.commands.get(_place(world, params), [])


def delete_commands(world: World, params: Params) -> object:
    world.commands.pop(_place(world, params), None)
    return True


def _command(item: object, *, knows_ephemeral: bool) -> Json:
    if not isinstance(item, dict):
        raise ApiError(400, "Bad Request: can't parse BotCommand: expected an Object")
    name, description = str(item.get("command", "")).removeprefix("/"), str(item.get("description", ""))
    if not _COMMAND.fullmatch(name):
        raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise ApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
    command: Json = {"command": name, "description": description}
    if knows_ephemeral and item.get("is_ephemeral") is True:
        command["is_ephemeral"] = True
    return command


def _place(world: World, params: Params) -> tuple[str, str]:
    scope = params.parsed("scope", "BotCommandScope") or {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in _SCOPES:
        raise ApiError(400, "Bad Request: can't parse BotCommandScope: Unsupported type specified")
    if "chat_id" in scope:
        find_chat(world, Params({"chat_id": str(scope["chat_id"])}))
    language = params.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise ApiError(400, "Bad Request: invalid language code specified")
    return json.dumps(scope, sort_keys=True), language
