import ast
import pickle
import re
from collections.abc import Iterator, Mapping
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

from content.errors import SkywaveError, SourceError, UsageError
from content.fetch import ServerBusy
from content.i18n import Translator, negotiate
from scheduler.errors import PlatformStopped
from scheduler.membership import TOPIC_CLOSED, TOPIC_PAUSED

ROOT = Path(__file__).parents[2]
# The third argument of a command is its summary.
KEYWORDS = {"t": None, "n": (1, 2), "Command": (3,), "Parameter": (2,), "Msgid": None}
PACKAGES = ("content", "scheduler", "storage", "bot")


def chinese() -> Catalog:
    source = files("content").joinpath("locales", "zh.po").read_bytes()
    return read_po(BytesIO(source), locale="zh", abort_invalid=True)


def classes_below(root: type[SkywaveError]) -> Iterator[str]:
    yield root.__name__
    for kind in root.__subclasses__():
        yield from classes_below(kind)


# What chats are told as it is: their messages must be msgids.
SHOWN = {*classes_below(SourceError), PlatformStopped.__name__}
# The rules of use cases raise these, for chats and the command line alike.
OF_ACTIONS = {"UsageError", "NotFound", "NoText", "NoWords"}


def raised() -> list[tuple[str, ast.Call]]:
    """Where such an error is made, and how; of other errors, those of what is no source."""
    found: list[tuple[str, ast.Call]] = []
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        here = SHOWN | {"UsageError"} if path.is_relative_to(ROOT / "content") else SHOWN
        if path.is_relative_to(ROOT / "scheduler" / "actions"):
            here = here | OF_ACTIONS
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in here:
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", node))
    return found


def message_of(call: ast.Call) -> str | None:
    """The text that an error is made with; None for a constant, which is a Msgid where it is defined."""
    first = call.args[0]
    if isinstance(first, ast.Name | ast.Subscript):
        return None
    assert isinstance(first, ast.Constant) and isinstance(first.value, str), ast.unparse(call)
    return first.value


def extracted(keywords: Mapping[str, tuple[int, ...] | None]) -> set[str]:
    """The texts in such calls, the singular where there is a plural."""
    found = [
        message
        for package in PACKAGES
        for _, _, message, _, _ in extract_from_dir(
            str(ROOT / package), [("**.py", "python")], keywords=dict(keywords)
        )
    ]
    return {message if isinstance(message, str) else message[0] for message in found}


def used_msgids() -> set[str]:
    # What is typed for a command is the same in every language, unless it has a placeholder.
    usages = {usage for usage in extracted({"Command": (2,)}) if " " in usage}
    messages = {message for _, call in raised() if (message := message_of(call))}
    return extracted(KEYWORDS) | usages | messages


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


def test_sentences_are_joined_as_the_language_does() -> None:
    assert Translator("en").sentences("One.", "", "Two.") == "One. Two."
    assert Translator("zh").sentences("一。", "二。") == "一。二。"


def test_chinese_has_full_width_punctuation() -> None:
    for message in entries():
        for string in texts(message.string):
            assert not re.search("[\u4e00-\u9fff][,;:!?()]|[,;!?()][\u4e00-\u9fff]|[。，：；！？）] ", string)
