"""The commands as payloads of Discord's API (docs.discord.com: "Application Commands")."""

from typing import Any

import discord

from bot.access import NEEDED, Role
from bot.commands import COMMANDS
from bot.commands.types import Command, Parameter
from bot.platforms.discord.events import ATTACHMENT
from content.i18n import COMMAND, OPTION, SOURCE_LANGUAGE, Translator, supported

CHAT_INPUT, MESSAGE, STRING = 1, 3, 3
GUILD, BOT_DM = 0, 1
# Discord shows admin commands only to members with Manage Server. A server can change that, so the handlers
# check the right again.
ADMIN = discord.Permissions(manage_guild=True)
DESCRIPTION_LENGTH = 100
# For each locale of Discord that is a language of ours, but for the one in which all is written.
TRANSLATORS = {
    locale.value: Translator(locale.value)
    for locale in discord.Locale
    if supported(locale.value) not in ("", SOURCE_LANGUAGE)
}


def command_payloads() -> list[dict[str, Any]]:
    """All commands, with names and descriptions in every language."""
    menus = [_in_menu(command) for command in COMMANDS if command.about_message]
    return [*map(_command, COMMANDS), *menus]


def _command(command: Command) -> dict[str, Any]:
    return {
        "type": CHAT_INPUT,
        **_named(COMMAND, command.name),
        **_described(command.summary),
        "options": [_option(parameter) for parameter in command.parameters],
        "contexts": [BOT_DM] if command.for_operators else [GUILD, BOT_DM],
        "integration_types": [0],  # installed in servers, not by single users
        "default_member_permissions": str(ADMIN.value) if NEEDED[command.act] > Role.MEMBER else None,
    }


def _in_menu(command: Command) -> dict[str, Any]:
    """A command as an entry of a message's menu."""
    names = {locale: tr.t(command.about_message) for locale, tr in TRANSLATORS.items()}
    return {
        "type": MESSAGE,
        "name": command.about_message,
        "name_localizations": names,
        "contexts": [GUILD, BOT_DM],
        "integration_types": [0],
    }


def name_of(data: Any) -> str:
    """The name of the command that an interaction gives."""
    in_menu = data.get("type") == MESSAGE
    names = {command.about_message: command.name for command in COMMANDS} if in_menu else {}
    return str(names.get(data["name"], data["name"]))


def _option(parameter: Parameter) -> dict[str, Any]:
    return {
        "type": ATTACHMENT if parameter.is_file else STRING,
        **_named(OPTION, parameter.name),
        **_described(parameter.summary),
        "required": parameter.required,
        "autocomplete": parameter.completer is not None,
    }


def _named(context: str, name: str) -> dict[str, Any]:
    names = {locale: tr.name(context, name) for locale, tr in TRANSLATORS.items()}
    return {"name": name, "name_localizations": names}


def _described(summary: str) -> dict[str, Any]:
    summaries = {locale: tr.t(summary)[:DESCRIPTION_LENGTH] for locale, tr in TRANSLATORS.items()}
    return {"description": summary[:DESCRIPTION_LENGTH], "description_localizations": summaries}


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
