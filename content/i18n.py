"""Translate texts, plurals and dates. The source language is English; other languages are .po files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from content.errors import SkywaveError

if TYPE_CHECKING:
    from babel import Locale

SOURCE_LANGUAGE = "en"
# To add a language, add its code here and its catalog to content/locales (docs/languages.md).
LANGUAGES = (SOURCE_LANGUAGE, "zh", "zh_Hant", "ru", "es")
# The contexts of msgids that are no sentences: names of commands, and of their parameters.
COMMAND, OPTION = "command", "option"

_TAGS = 500  # tags whose languages are remembered: a tag may be any text


def negotiate(*wanted: str) -> str:
    """The language of the first supported tag in `wanted` (like `zh-hans`, `zh_TW`, `en-GB`), else English.

    Empty and unknown tags are skipped.
    """
    return next(filter(None, map(supported, wanted)), SOURCE_LANGUAGE)


@lru_cache(_TAGS)
def supported(tag: str) -> str:
    """The language of ours that a tag means; empty if there is none. zh-TW and zh-HK are zh_Hant."""
    first, *others = re.split("[-_]", tag.partition(".")[0].strip())
    parts = (part.title() if len(part) == 4 else part.upper() for part in others)
    exact = "_".join((first.lower(), *parts))
    # With the script that is usual where none is given.
    one = exact if exact in LANGUAGES else _likely(exact)
    while one and one not in LANGUAGES:
        one = one.rpartition("_")[0]
    return str(one)


def _likely(tag: str) -> str:
    """A tag with the script and the territory that are usual for it."""
    from babel.core import get_global  # loading it is a twentieth of a start

    return str(get_global("likely_subtags").get(tag, tag))


def native_name(language: str) -> str:
    """The name of a language of ours in that language, like 简体中文."""
    from babel import Locale

    name = _names_in(language, Locale.parse(language))[0]
    return name[:1].upper() + name[1:]


def named(text: str) -> str:
    """The language of ours that a person names, in any language of ours or by its tag; empty if none."""
    return supported(text) or _names().get(text.strip().casefold(), "")


@cache
def _names() -> Mapping[str, str]:
    from babel import Locale

    pairs = [(one, Locale.parse(other)) for one in LANGUAGES for other in LANGUAGES]
    return {name.casefold(): one for one, other in pairs for name in _names_in(one, other)}


def _names_in(language: str, other: "Locale") -> Sequence[str]:
    """The names of a language in another: first one with its script, if there is such a name."""
    with_script = "_".join(_likely(language).split("_")[:2])
    return [other.languages[tag] for tag in (with_script, language) if tag in other.languages]


@cache
def _translations(language: str) -> NullTranslations:
    """The catalog of a language, compiled in memory at its first use."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    # Compiled here, because compiled files in the repository could be out of date.
    source = (Path(__file__).parent / "locales" / f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Msgid(str):
    """An English text that is translated when it is shown, also as a value in a field of another text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates into the language nearest to `locale`, which is any tag that a platform or person gives."""

    locale: str = SOURCE_LANGUAGE

    @property
    def language(self) -> str:
        return negotiate(self.locale)

    def t(self, msgid: str, /, **values: object) -> str:
        """The translation of `msgid`, with its `{name}` fields filled.

        A Msgid among `values` is translated, and the other values fill its fields.

        Without values no field is filled, so that `msgid` may also be a text that is translated already.
        """
        translated = _translations(self.language).gettext(msgid) if msgid else ""
        if not values:
            return translated
        texts = {name: value for name, value in values.items() if not isinstance(value, Msgid)}
        parts = {name: self.t(value, **texts) for name, value in values.items() if isinstance(value, Msgid)}
        return translated.format(**texts, **parts)

    def name(self, context: str, name: str) -> str:
        """The name of a command or of a parameter, as COMMAND or OPTION says, in the language."""
        return _translations(self.language).pgettext(context, name)

    def error(self, error: SkywaveError) -> str:
        """The message of an error."""
        return self.t(error.message, **error.values)

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The translated form for `count`. `{count}` is filled with it, unless `values` has another."""
        text = _translations(self.language).ngettext(singular, plural, count)
        return text.format(**{"count": count, **values})

    def sentences(self, *sentences: str) -> str:
        """Sentences one after another; Chinese has no space between them."""
        return ("" if self.language.startswith("zh") else " ").join(filter(None, sentences))

    def date(self, moment: datetime, timezone: tzinfo) -> str:
        """Day and time of `moment`, to the minute, in `timezone`."""
        local = moment.astimezone(timezone)
        return _date_and_time(local, "medium", self.language)

    def long_date(self, moment: datetime, timezone: tzinfo) -> str:
        """Like `date`, with the day of the week."""
        local = moment.astimezone(timezone)
        return _date_and_time(local, "full", self.language)


def _date_and_time(local: datetime, length: Literal["medium", "full"], language: str) -> str:
    from babel.dates import format_date, format_time

    return (
        f"{format_date(local.date(), length, language)} {format_time(local.time(), 'HH:mm', locale=language)}"
    )
