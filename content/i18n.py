"""Translate texts, plurals and dates. The source language is English; other languages are .po files."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from content.errors import SkywaveError

SOURCE_LANGUAGE = "en"
LANGUAGES = (SOURCE_LANGUAGE, "zh")


def negotiate(*wanted: str) -> str:
    """The language of the first supported tag in `wanted` (like `zh-hans`, `zh_CN`, `en-GB`), else English.

    Empty and unknown tags are skipped.
    """
    for tag in wanted:
        language = tag.replace("_", "-").split("-")[0].strip().lower()
        if language in LANGUAGES:
            return language
    return SOURCE_LANGUAGE


@cache
def _translations(language: str) -> NullTranslations:
    """The catalog of a language, compiled in memory at its first use."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    # Compiled here, because compiled files in the repository could be out of date.
    source = files("content").joinpath("locales", f"{language}.po").read_bytes()
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
        """The translation of `msgid`, with its `{name}` fields filled. A Msgid among `values` is translated.

        Without values no field is filled, so that `msgid` may also be a text that is translated already.
        """
        translated = _translations(self.language).gettext(msgid) if msgid else ""
        if not values:
            return translated
        return translated.format(
            **{name: self.t(value) if isinstance(value, Msgid) else value for name, value in values.items()}
        )

    def error(self, error: SkywaveError) -> str:
        """The message of an error."""
        return self.t(error.message, **error.values)

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The translated form for `count`. `{count}` is filled with it, unless `values` has another."""
        text = _translations(self.language).ngettext(singular, plural, count)
        return text.format(**{"count": count, **values})

    def sentences(self, *sentences: str) -> str:
        """Sentences one after another; Chinese has no space between them."""
        return ("" if self.language == "zh" else " ").join(filter(None, sentences))

    def date(self, moment: datetime, timezone: tzinfo) -> str:
        """Day and time of `moment`, to the minute, in `timezone`."""
        local = moment.astimezone(timezone)
        day = format_date(local.date(), "medium", locale=self.language)
        return f"{day} {format_time(local.time(), 'HH:mm', locale=self.language)}"

    def long_date(self, moment: datetime, timezone: tzinfo) -> str:
        """Like `date`, with the day of the week."""
        local = moment.astimezone(timezone)
        day = format_date(local.date(), "full", locale=self.language)
        return f"{day} {format_time(local.time(), 'HH:mm', locale=self.language)}"
