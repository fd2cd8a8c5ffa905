"""Application commands that the bot has registered, with the limits of Discord's documentation."""

import unicodedata
from dataclasses import dataclass, field

from tests.emulators.discord.form import Form, Path, number_of
from tests.emulators.discord.types import Json

SUBCOMMAND, GROUP = 1, 2
_CHAT_INPUT = 1
_MOST = 100
_TOTAL = 8000
"""Characters of names, descriptions and values in one command, of each the longest of all languages."""
_LOCALES = frozenset(
    (
        *("id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no"),
        *("pl", "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th"),
        *("zh-CN", "ja", "zh-TW", "ko"),
    )
)


@dataclass(slots=True)
class Commands:
    """The global commands, or those of one guild."""

    by_name: dict[tuple[int, str], Json] = field(default_factory=dict)
    """By type and name."""

    def listed(self) -> list[Json]:
        """All commands."""
        return list(self.by_name.values())

    def find(self, name: str) -> Json | None:
        """The slash command with this name."""
        return self.by_name.get((_CHAT_INPUT, name))

    def replace(self, items: list[Json]) -> None:
        """Replace all commands."""
        self.by_name = {(number_of(item["type"]), str(item["name"])): item for item in items}


def read_commands(items: object) -> list[Json]:
    """Read the commands in a body. Raises 50035."""
    form = Form()
    commands = form.items(items, (), _MOST)
    names = [(number_of(item.get("type"), _CHAT_INPUT), str(item.get("name"))) for item in commands]
    for place, item in enumerate(commands):
        _check_command(form, item, (place,))
        if names.index(names[place]) != place:
            known = "Application command names must be unique"
            form.wrong((place, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", known)
    form.check()
    return commands


def complete(item: Json, number: int, version: int, application: int, guild: int | None) -> Json:
    """The command as Discord returns it."""
    body: Json = {
        "type": _CHAT_INPUT,
        "nsfw": False,
        "default_member_permissions": None,
        "integration_types": [0],
        "contexts": None,
        "dm_permission": True,
        "options": [],
        "description": "",
        "name_localizations": None,
        "description_localizations": None,
    }
    body |= item | {"id": str(number), "application_id": str(application), "version": str(version)}
    if item.get("default_member_permissions") is not None:
        body["default_member_permissions"] = str(item["default_member_permissions"])
    return body if guild is None else body | {"guild_id": str(guild)}


def _check_command(form: Form, item: Json, path: Path) -> None:
    if number_of(item.get("type"), _CHAT_INPUT) != _CHAT_INPUT:
        form.text(item.get("name"), (*path, "name"), 32, 1)
        return
    _check_named(form, item, path)
    _check_options(form, item.get("options"), (*path, "options"), 0)
    if _size(item) > _TOTAL:
        known = f"Command exceeds maximum size ({_TOTAL})"
        form.wrong(path, "APPLICATION_COMMAND_TOO_LARGE", known)


def _check_named(form: Form, item: Json, path: Path) -> None:
    name = form.text(item.get("name"), (*path, "name"), 32, 1)
    if name and not _is_name(name):
        known = "Command name is invalid"
        form.wrong((*path, "name"), "APPLICATION_COMMAND_INVALID_NAME", known)
    form.text(item.get("description"), (*path, "description"), 100, 1)
    _check_translations(form, item, path)


def _check_translations(form: Form, item: Json, path: Path) -> None:
    """Names and descriptions in other languages keep the rules of the original."""
    for field_name, most in (("name", 32), ("description", 100)):
        where = (*path, f"{field_name}_localizations")
        for locale, text in _translations(item, field_name).items():
            if locale not in _LOCALES:
                form.wrong(where, "DICTIONARY_INVALID_KEY", f"{locale} is no locale")
            form.text(text, (*where, locale), most, 1)
            if field_name == "name" and not _is_name(str(text)):
                form.wrong(where, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _translations(item: Json, field_name: str) -> Json:
    found = item.get(f"{field_name}_localizations")
    return found if isinstance(found, dict) else {}


def _is_name(name: str) -> bool:
    r"""Whether a name matches ^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$ and has no upper case."""
    return name == name.lower() and all(
        char in "-_'" or unicodedata.category(char)[0] in "LNM" for char in name
    )


def _check_options(form: Form, value: object, path: Path, depth: int) -> None:
    options = form.items(value, path, 25)
    names, optional = set(), False
    for place, option in enumerate(options):
        where = (*path, place)
        _check_named(form, option, where)
        kind = form.choice(option.get("type"), (*where, "type"), tuple(range(1, 12)))
        if option.get("name") in names:
            known = "Option names must be unique"
            form.wrong((*where, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", known)
        names.add(option.get("name"))
        if kind in (SUBCOMMAND, GROUP):
            if depth > (kind == SUBCOMMAND):
                form.wrong((*where, "type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Nested too deep")
            _check_options(form, option.get("options"), (*where, "options"), depth + 1)
            continue
        required = option.get("required") is True
        if required and optional:
            known = "Required options must be placed before non-required options"
            form.wrong(where, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", known)
        optional = optional or not required
        _check_choices(form, option, where)


def _check_choices(form: Form, option: Json, path: Path) -> None:
    choices = form.items(option.get("choices"), (*path, "choices"), 25)
    check_choices(form, choices, (*path, "choices"))
    if choices and option.get("autocomplete"):
        known = "Choices and autocomplete exclude each other"
        form.wrong((*path, "autocomplete"), "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", known)


def check_choices(form: Form, choices: list[Json], path: Path) -> None:
    """Check the names and values of choices, including those of autocompletion."""
    for place, choice in enumerate(choices):
        form.text(choice.get("name"), (*path, place, "name"), 100, 1)
        if isinstance(choice.get("value"), str):
            form.text(choice["value"], (*path, place, "value"), 100, 1)
        elif choice.get("value") is None:
            form.wrong((*path, place, "value"), "BASE_TYPE_REQUIRED", "This field is required")


def _size(item: Json) -> int:
    size = sum(
        max(len(str(text)) for text in (item.get(name) or "", *_translations(item, name).values()))
        for name in ("name", "description", "value")
    )
    for name in ("options", "choices"):
        inner = item.get(name)
        if isinstance(inner, list):
            size += sum(_size(child) for child in inner if isinstance(child, dict))
    return size
