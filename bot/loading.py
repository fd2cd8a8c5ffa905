"""Loads the settings of a deployment, with those of all platforms, and says what is wrong with them.

They come from `SKYWAVE_*` variables, from files named by `SKYWAVE_*_FILE`, and from `skywave.toml`.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError, create_model
from pydantic_core import ErrorDetails

from bot.platforms import PLATFORMS
from bot.settings import Settings
from content.errors import SettingsError

PREFIX = "SKYWAVE_"
TOML = "skywave.toml"

# The class that is loaded: these settings and those of all platforms.
ALL_SETTINGS: type[Settings] = create_model(
    "Settings", __base__=tuple(dict.fromkeys((Settings, *(platform.settings for platform in PLATFORMS))))
)


def load_settings(**overrides: Any) -> Settings:
    """Load the settings. Raises SettingsError, which names the setting and says what it should be."""
    given = {**_from_toml(), **_from_files(), **_from_variables(), **overrides}  # the last one wins
    try:
        return ALL_SETTINGS(**given)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else TOML
        raise SettingsError(f"{name}: {_sentence(first)}") from exc


def _from_toml() -> Mapping[str, Any]:
    file = Path(TOML)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{TOML} cannot be read: {exc}") from exc


def _from_variables() -> Mapping[str, str]:
    """The settings in the environment, whose names may be in any case."""
    given = {name.upper(): value for name, value in os.environ.items()}
    names = {name: PREFIX + name.upper() for name in ALL_SETTINGS.model_fields}
    return {name: given[variable] for name, variable in names.items() if variable in given}


def _from_files() -> Mapping[str, str]:
    """The settings in files that the environment names, as with Docker secrets."""
    variables = {name: f"{PREFIX}{name.upper()}_FILE" for name in ALL_SETTINGS.model_fields}
    return {name: _content(variable) for name, variable in variables.items() if os.environ.get(variable)}


def _content(variable: str) -> str:
    path = os.environ[variable]
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{variable} names a file that cannot be read: check {path}") from exc


def _sentence(error: ErrorDetails) -> str:
    """What is wrong with a value and what it should be. The value is left out: it may be a secret."""
    context = error.get("ctx", {})
    match error["type"]:
        case "literal_error" | "enum":
            return f"must be one of {context['expected'].replace(' or ', ', ')}"
        case "int_parsing" | "int_type":
            return "is not a whole number"
        case "float_parsing" | "float_type":
            return "is no number"
        case "bool_parsing" | "bool_type":
            return "must be true or false"
        case "greater_than_equal":
            return f"is too small: it must be at least {context['ge']}"
        case "greater_than":
            return f"is too small: it must be more than {context['gt']}"
        case "less_than_equal":
            return f"is too large: it must be at most {context['le']}"
        case _:
            return error["msg"].removeprefix("Value error, ")


def unknown_settings() -> Sequence[str]:
    """A warning for each unknown setting in the environment and the file, with the most similar name."""
    given = [name for name in os.environ if name.upper().startswith(PREFIX)]
    keys: list[str] = []
    with suppress(OSError, ValueError):  # `load_settings` reports a file that cannot be read
        keys = list(tomllib.loads(Path(TOML).read_text(encoding="utf-8")))
    known = list(ALL_SETTINGS.model_fields)
    variables = [f"{PREFIX}{name.upper()}{end}" for name in known for end in ("", "_FILE")]
    return [
        *(_without_effect(name, variables) for name in given if name.upper() not in variables),
        *(
            _without_effect(key, list(ALL_SETTINGS.model_fields))
            for key in keys
            if key not in ALL_SETTINGS.model_fields
        ),
    ]


def _without_effect(name: str, known: Sequence[str]) -> str:
    nearest = get_close_matches(name, known, 1)
    return f"{name} is not a setting and has no effect" + (f": did you mean {nearest[0]}?" if nearest else "")
