"""The reader's language: texts, plurals, dates. English is the source text, other languages are .po files."""

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
    """The first language of `LANGUAGES` that one of the `wanted` tags (`zh-hans`, `zh_CN`, `en-GB`) names.

    Tags are tried in order and empty or unknown ones passed over; when none is left the answer is English.
    """
    for tag in wanted:
        language = tag.replace("_", "-").split("-")[0].strip().lower()
        if language in LANGUAGES:
            return language
    return SOURCE_LANGUAGE


@cache
def _translations(language: str) -> NullTranslations:
    """The catalog of one of `LANGUAGES`, compiled in memory at its first use and never changed."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    source = files("content").joinpath("locales", f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Msgid(str):
    """An English text that is translated where it is shown, also when it fills a field of another one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Translator:
    """Speaks the language that `locale` (any tag a platform or a person gives) comes nearest to."""

    locale: str = SOURCE_LANGUAGE

    @property
    def language(self) -> str:
        return negotiate(self.locale)

    def t(self, msgid: str, /, **values: object) -> str:
        """The text of `msgid` with `{name}` fields filled from `values`, which are data, or msgids.

        Without values it has no fields: then it may be a text that was translated before.
        """
        translated = _translations(self.language).gettext(msgid) if msgid else ""
        if not values:
            return translated
        return translated.format(
            **{name: self.t(value) if isinstance(value, Msgid) else value for name, value in values.items()}
        )

    def error(self, error: SkywaveError) -> str:
        """What an error says."""
        return self.t(error.message, **error.values)

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The form that `count` asks for; `{count}` is filled in unless `values` has its own."""
        text = _translations(self.language).ngettext(singular, plural, count)
        return text.format(**{"count": count, **values})

    def date(self, moment: datetime, timezone: tzinfo) -> str:
        """A UTC-aware `moment` as the day and minute it is in `timezone`."""
        local = moment.astimezone(timezone)
        day = format_date(local.date(), "medium", locale=self.language)
        return f"{day} {format_time(local.time(), 'HH:mm', locale=self.language)}"

    def long_date(self, moment: datetime, timezone: tzinfo) -> str:
        """The same with the day of the week."""
        local = moment.astimezone(timezone)
        day = format_date(local.date(), "full", locale=self.language)
        return f"{day} {format_time(local.time(), 'HH:mm', locale=self.language)}"
