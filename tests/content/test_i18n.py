import pickle
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.messages.plurals import get_plural

from content.errors import UsageError
from content.fetch import ServerBusy
from content.i18n import LANGUAGES, SOURCE_LANGUAGE, Translator, named, native_name, negotiate
from scheduler.membership import TOPIC_CLOSED, TOPIC_PAUSED
from tests.catalogs import (
    COMPLETE,
    LOCALES,
    TRADITIONAL,
    catalog,
    derived,
    entries,
    fields,
    left_over,
    message_of,
    missing,
    raised,
    texts,
    used,
)

OTHERS = LANGUAGES[1:]
COUNTS = (0, 1, 2, 5, 11, 21, 22, 100)
# Words that a language with Latin letters may share with English.
LATIN = {"es": {"chat", "chats"}}
QUOTES = {"zh_Hant": "「」", "ru": "«»", "es": "«»"}
# Commands, fields, URLs, settings and what is typed into a shell are the same in every language.
NO_WORDS = re.compile(r"/\w+|\{\w+\}|https?://\S+|skywave [a-z ]+|[A-Z_]{6,}|`\w+`|\w+\.\w+|<!.*?>")
NAMES = """Skywave Telegram Discord Developer Portal Bot Reset Token Intents Markdown JSON http https RSS Atom
Feed OPML xmlUrl Git clone SHA KiB MiB Asia LoRA Field notes python tag news export list add edit preview now
pause off"""
SAME_IN_ALL = set(NAMES.casefold().split())
CHINESE = [language for language in OTHERS if language.startswith("zh")]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("zh", "zh"),
        ("zh-hans", "zh"),
        ("zh_CN", "zh"),
        ("zh-SG", "zh"),
        ("zh-TW", "zh_Hant"),
        ("zh_HK.UTF-8", "zh_Hant"),
        ("zh-hant", "zh_Hant"),
        ("ZH-Hant-HK", "zh_Hant"),
        ("en-GB", "en"),
        ("eo", "en"),
        ("", "en"),
        ("zhx", "en"),
        ("..", "en"),
    ],
)
def test_a_tag_names_a_language(tag: str, language: str) -> None:
    assert negotiate(tag) == language
    assert Translator(tag).language == language


def test_the_first_known_tag_counts() -> None:
    assert negotiate("", "fr", "zh-CN", "en") == "zh"
    assert negotiate() == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_named_as_people_do(language: str) -> None:
    assert named(native_name(language)) == named(language) == language
    assert named(native_name(language).upper()) == language


def test_other_names_of_languages() -> None:
    names = (
        "English",
        "Chinese",
        "中文",
        "Traditional Chinese",
        "繁体中文",
        "英文",
        "zh-TW",
        "",
        "Klingon",
        "🙂",
    )
    assert [named(name) for name in names] == [
        "en",
        "zh",
        "zh",
        "zh_Hant",
        "zh_Hant",
        "en",
        "zh_Hant",
        "",
        "",
        "",
    ]


def test_the_languages_are_those_that_have_a_catalog() -> None:
    assert {SOURCE_LANGUAGE, *(file.stem for file in LOCALES.glob("*.po"))} == set(LANGUAGES)


@pytest.mark.parametrize("language", COMPLETE)
def test_every_text_in_use_is_translated(language: str) -> None:
    assert ("", "Read more") in used() and ("command", "search") in used(), "the texts are found"
    assert not missing(language), "see `make languages`"


@pytest.mark.parametrize("language", COMPLETE)
def test_no_translation_is_left_over(language: str) -> None:
    assert not left_over(language), "see `make languages`"


def test_the_chinese_of_taiwan_is_derived() -> None:
    assert (LOCALES / f"{TRADITIONAL}.po").read_text(encoding="utf-8") == derived(), "see `make languages`"


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_translated_twice(language: str) -> None:
    """Merges leave such entries, and only the last one counts."""
    written = (LOCALES / f"{language}.po").read_text(encoding="utf-8").count("\nmsgid ")
    assert written == len(entries(language)) + 1, "with the header"


def test_the_values_of_an_error_fill_its_fields() -> None:
    errors = [(where, call, message) for where, call in raised() if (message := message_of(call))]
    assert len(errors) > 30, "they are found"
    for where, call, message in errors:
        assert fields(message) == {keyword.arg for keyword in call.keywords} - {"retry_after"}, where


def test_an_error_says_the_same_in_each_language() -> None:
    error = ServerBusy("{url} answered {status}: check the address", url="https://e.org/{0}", status=404)
    assert str(error) == Translator("en").error(error) == "https://e.org/{0} answered 404: check the address"
    assert Translator("zh").error(error) == "https://e.org/{0} 返回 404，请检查网址"
    again = pickle.loads(pickle.dumps(error))
    assert Translator("zh").error(again) == Translator("zh").error(error), "it comes from another process"
    told = UsageError("“{}” 不是页码。")
    assert Translator("zh").error(told) == str(told), "what was translated before is data"


def test_a_value_may_be_translated_too() -> None:
    said = Translator("zh").t(TOPIC_PAUSED, topic="Sources", reason=TOPIC_CLOSED)
    assert said == "“Sources”：话题已关闭。文章会先排队，恢复后再发送。"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_fill_the_same_fields(language: str) -> None:
    for message in entries(language):
        wanted = set().union(*map(fields, texts(message.id)))
        for string in texts(message.string):
            assert fields(string) == wanted, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_a_plural_has_all_forms_of_its_language(language: str) -> None:
    assert (catalog(language).num_plurals, catalog(language).plural_expr) == get_plural(language)[:2]
    plurals = [message for message in entries(language) if isinstance(message.id, tuple)]
    assert plurals
    for message in plurals:
        assert len(texts(message.string)) == catalog(language).num_plurals, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_is_shown_in_each_language(language: str) -> None:
    """With values that hold braces and words of no language, which stay as they are."""
    tr = Translator(language)
    for message in entries("zh"):
        singular, *plural = texts(message.id)
        if message.context:
            assert tr.name(message.context, singular)
            continue
        values = {name: f"<{{{name}}} %s>" for name in fields(singular)}
        if plural:
            values.pop("count", None)
            shown = [tr.n(singular, plural[0], count, **values) for count in COUNTS]
        else:
            shown = [tr.t(singular, **values)]
        for one in shown:
            assert one and all(value in one for value in values.values()), singular
            assert not fields(re.sub("<.*?>", "", one)), singular


def words_of(text: str) -> set[str]:
    return set(re.findall("[A-Za-z]{3,}", NO_WORDS.sub("", text).casefold())) - SAME_IN_ALL


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_left_in_english(language: str) -> None:
    for message in entries(language):
        english = words_of(" ".join(texts(message.id)))
        for string in texts(message.string):
            if language in LATIN:
                assert not english - LATIN[language] or words_of(string) != english, message.id
            else:
                assert not words_of(string) & english, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_those_of_the_language(language: str) -> None:
    marks = QUOTES.get(language, "“”")
    others = set("".join((*QUOTES.values(), "“”"))) - set(marks)
    for message in entries("zh" if language == SOURCE_LANGUAGE else language):
        for string in texts(message.id if language == SOURCE_LANGUAGE else message.string):
            assert not others & set(string), string
            assert string.count(marks[0]) == string.count(marks[1]), string


def test_spanish_opens_what_it_closes() -> None:
    for string in strings("es"):
        asked = NO_WORDS.sub("", string)
        assert asked.count("¿") == asked.count("?") and asked.count("¡") == asked.count("!"), string


def test_russian_counts_in_three_forms() -> None:
    ru = Translator("ru")
    shown = [
        ru.n("and {count} more post", "and {count} more posts", count) for count in (1, 2, 5, 11, 21, 112)
    ]
    assert shown == [
        "и ещё 1 публикация",
        "и ещё 2 публикации",
        "и ещё 5 публикаций",
        "и ещё 11 публикаций",
        "и ещё 21 публикация",
        "и ещё 112 публикаций",
    ]


def test_plurals() -> None:
    en, zh = Translator("en"), Translator("zh")
    singular, plural = "and {count} more post", "and {count} more posts"
    assert [en.n(singular, plural, count) for count in (0, 1, 2)] == [
        "and 0 more posts",
        "and 1 more post",
        "and 2 more posts",
    ]
    assert [zh.n(singular, plural, count) for count in (1, 2)] == ["另有 1 篇文章", "另有 2 篇文章"]


def test_values_are_data() -> None:
    hint = "Nothing found for “{query}”. Try fewer or shorter words."
    for locale in ("en", "zh"):
        assert "“{0} {query} %s”" in Translator(locale).t(hint, query="{0} {query} %s")


def test_an_unknown_text_is_shown_as_it_is() -> None:
    assert Translator("zh").t("not in any catalog") == "not in any catalog"


def test_dates_are_local() -> None:
    late = datetime(2025, 3, 1, 17, 5, tzinfo=UTC)
    shanghai = ZoneInfo("Asia/Shanghai")
    assert Translator("zh").date(late, shanghai) == "2025年3月2日 01:05"
    assert Translator("ru").date(late, shanghai) == "2 мар. 2025\u202fг. 01:05"
    assert Translator("en").date(late, shanghai) == "Mar 2, 2025 01:05"
    assert Translator("en").date(late, UTC) == "Mar 1, 2025 17:05"


def test_sentences_are_joined_as_the_language_does() -> None:
    assert Translator("en").sentences("One.", "", "Two.") == "One. Two."
    assert Translator("zh").sentences("一。", "二。") == "一。二。"
    assert Translator("zh_Hant").sentences("一。", "二。") == "一。二。"


def strings(language: str) -> Iterator[str]:
    for message in entries(language):
        yield from texts(message.string)


@pytest.mark.parametrize("language", CHINESE)
def test_chinese_has_full_width_punctuation(language: str) -> None:
    for string in strings(language):
        assert not re.search("[\u4e00-\u9fff][,;:!?()]|[,;!?()][\u4e00-\u9fff]|[。，：；！？）] ", string)
