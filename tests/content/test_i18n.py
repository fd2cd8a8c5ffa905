from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from content.i18n import Translator, negotiate

ROOT = Path(__file__).parents[2]
KEYWORDS = {"t": None, "n": (1, 2), "Command": (3,), "Parameter": (2,)}  # the third argument is its summary


def chinese() -> Catalog:
    source = files("content").joinpath("locales", "zh.po").read_bytes()
    return read_po(BytesIO(source), locale="zh", abort_invalid=True)


def used_msgids() -> set[str]:
    found = [
        message
        for package in ("content", "bot")
        for _, _, message, _, _ in extract_from_dir(
            str(ROOT / package), [("**.py", "python")], keywords=KEYWORDS
        )
    ]
    return {message if isinstance(message, str) else message[0] for message in found}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def texts(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [value or ""] if isinstance(value, str | None) else list(value)


def entries() -> list[Message]:
    return [message for message in chinese() if message.id]


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("zh", "zh"),
        ("zh-hans", "zh"),
        ("zh_CN", "zh"),
        ("zh-TW", "zh"),
        ("ZH-Hant-HK", "zh"),
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


def test_every_text_in_use_is_translated() -> None:
    used = used_msgids()
    assert "Read more" in used, "extraction finds the texts"
    catalog = chinese()
    missing = [
        msgid for msgid in sorted(used) if not (entry := catalog.get(msgid)) or not all(texts(entry.string))
    ]
    assert not missing, f"content/locales/zh.po lacks {missing}"


def test_no_translation_is_left_over() -> None:
    ids = {texts(message.id)[0] for message in entries()}
    assert not ids - used_msgids()


def test_translations_fill_the_same_fields() -> None:
    for message in entries():
        wanted = set().union(*map(fields, texts(message.id)))
        for string in texts(message.string):
            assert fields(string) == wanted, message.id


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
    assert Translator("en").date(late, shanghai) == "Mar 2, 2025 01:05"
    assert Translator("en").date(late, UTC) == "Mar 1, 2025 17:05"
