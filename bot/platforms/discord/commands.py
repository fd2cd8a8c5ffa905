"""The commands as payloads of Discord's API (docs.discord.com: "Application Commands")."""

from typing import Any

import discord

from bot.access import NEEDED, Role
from bot.commands import COMMANDS
from bot.commands.types import Command, Parameter
from bot.platforms.discord.events import ATTACHMENT
from content.i18n import Msgid, Translator

CHAT_INPUT, STRING = 1, 3
GUILD, BOT_DM = 0, 1
# Discord shows admin commands only to members with Manage Server. A server can change that, so the handlers
# check the right again.
ADMIN = discord.Permissions(manage_guild=True)
DESCRIPTION_LENGTH = 100
A_FILE = Msgid("an OPML file, as feed readers export it")


def command_payloads() -> list[dict[str, Any]]:
    """All commands, with descriptions in every language."""
    return [_command(command) for command in COMMANDS]


def _command(command: Command) -> dict[str, Any]:
    return {
        "type": CHAT_INPUT,
        "name": command.name,
        **_described(command.summary),
        "options": [_option(parameter) for parameter in command.parameters] + _file(command),
        "contexts": [GUILD, BOT_DM],
        "integration_types": [0],  # installed in servers, not by single users
        "default_member_permissions": str(ADMIN.value) if NEEDED[command.act] > Role.MEMBER else None,
    }


def _file(command: Command) -> list[dict[str, Any]]:
    """The option for the file that a command takes."""
    if not command.takes_file:
        return []
    return [{"type": ATTACHMENT, "name": "file", **_described(A_FILE), "required": True}]


def _option(parameter: Parameter) -> dict[str, Any]:
    return {
        "type": STRING,
        "name": parameter.name,
        **_described(parameter.summary),
        "required": parameter.required,
        "autocomplete": parameter.completer is not None,
    }


def _described(summary: str) -> dict[str, Any]:
    chinese = Translator("zh").t(summary)[:DESCRIPTION_LENGTH]
    locales = {"zh-CN": chinese, "zh-TW": chinese}
    return {"description": summary[:DESCRIPTION_LENGTH], "description_localizations": locales}


def differ(wanted: list[dict[str, Any]], known: list[Any]) -> bool:
    """Whether the commands that Discord knows differ from ours. Fields that Discord adds do not count."""
    by_name = {command["name"]: command for command in known}
    return set(by_name) != {command["name"] for command in wanted} or any(
        not _covers(by_name[command["name"]], command) for command in wanted
    )


def _covers(known: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        # Discord omits fields that are empty or false.
        return all(_covers(known.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        known = known or []
        return len(known) == len(wanted) and all(_covers(k, w) for k, w in zip(known, wanted, strict=True))
    return bool(known == wanted) or (not known and not wanted)
