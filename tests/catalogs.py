"""The catalogs of content/locales beside what the code says. `make languages` runs it as a program:
it derives the Chinese of Taiwan, then lists what each language lacks and what nothing uses any more.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from bot.commands import COMMANDS
from content.errors import SkywaveError, SourceError
from content.i18n import COMMAND, LANGUAGES, OPTION, SOURCE_LANGUAGE
from scheduler.errors import PlatformStopped

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "content" / "locales"
PACKAGES = ("content", "scheduler", "storage", "bot")
# The third argument of a command is its summary.
KEYWORDS = {"t": None, "n": (1, 2), "Command": (3,), "Parameter": (2,), "Msgid": None}
# To look for such a call takes a fraction of the time of reading a file.
SPEAKS = re.compile(rf"\b(?:{'|'.join(KEYWORDS)})\(")
# The rules of use cases raise these, for chats and the command line alike.
OF_ACTIONS = {"UsageError", "NotFound", "NoText", "NoWords"}

# The languages in which nothing may be missing.
COMPLETE = LANGUAGES[1:]
SIMPLIFIED, TRADITIONAL = "zh", "zh_Hant"
# What OpenCC leaves as it is or takes for something else, and what Taiwan says instead.
TAIWAN = {
    "“": "「",
    "”": "」",
    "檢視": "查看",
    "釋出": "發布",
    "發送": "傳送",
    "推送": "推播",
    "匯總": "彙整",
    "彙總": "彙整",
    "會話": "聊天室",
    "話題標籤": "主題標籤",
    "話題": "主題",
    "子區": "討論串",
    "條訊息": "則訊息",
    "{limit} 條": "{limit} 則",
    "示例": "範例",
    "關鍵詞": "關鍵字",
    "富文本": "格式化文字",
    "封禁": "封鎖",
    "遮蔽": "封鎖",
    "當前": "目前",
    "型別": "類型",
    "許可權": "權限",
    "令牌": "權杖",
    "閘道器": "閘道",
    "訪問": "連線",
    "響應": "回應",
    "返回": "傳回",
    "證書": "憑證",
    "公網地址": "公開位址",
    "地址": "位址",
    "主機名": "主機名稱",
    "重定向": "重新導向",
    "精確匹配": "完全相符",
}
HEADER = (
    f"# Derived from {SIMPLIFIED}.po by `make languages`: edit that file, or TAIWAN in tests/catalogs.py.\n"
)

Key = tuple[str, str]  # context and msgid, the singular where there is a plural


def classes_below(root: type[SkywaveError]) -> Iterator[str]:
    yield root.__name__
    for kind in root.__subclasses__():
        yield from classes_below(kind)


@cache
def raised() -> list[tuple[str, ast.Call]]:
    """Where an error is made whose message people read, and how.

    Those are errors of sources and platforms, of the rules of use cases, and of wrong usage in content.
    """
    shown = {*classes_below(SourceError), PlatformStopped.__name__}
    found: list[tuple[str, ast.Call]] = []
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        here = shown | {"UsageError"} if path.is_relative_to(ROOT / "content") else shown
        if path.is_relative_to(ROOT / "scheduler" / "actions"):
            here = here | OF_ACTIONS
        source = path.read_text()
        if not any(name in source for name in here):
            continue
        for node in ast.walk(ast.parse(source)):
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


def extracted() -> set[str]:
    """The texts that the code says, the singular where there is a plural."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    speaking = [str(path) for path in files if SPEAKS.search(path.read_text())]
    found = [message for path in speaking for _, message, _, _ in extract_from_file("python", path, KEYWORDS)]
    return {message if isinstance(message, str) else message[0] for message in found}


@cache
def used() -> frozenset[Key]:
    """What a catalog has to translate."""
    # What is typed for a command is the same in every language, unless it has a placeholder.
    usages = {command.usage for command in COMMANDS if " " in command.usage}
    messages = {message for _, call in raised() if (message := message_of(call))}
    names = {(COMMAND, command.name) for command in COMMANDS}
    options = {(OPTION, parameter.name) for command in COMMANDS for parameter in command.parameters}
    return frozenset({("", text) for text in extracted() | usages | messages} | names | options)


@cache
def catalog(language: str) -> Catalog:
    source = files("content").joinpath("locales", f"{language}.po").read_bytes()
    return read_po(BytesIO(source), locale=language, abort_invalid=True)


def entries(language: str) -> list[Message]:
    return [message for message in catalog(language) if message.id]


def texts(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [value or ""] if isinstance(value, str | None) else list(value)


def key(message: Message) -> Key:
    return message.context or "", texts(message.id)[0]


def missing(language: str) -> list[Key]:
    """What is in use and not translated, or not in all forms of the plural."""
    translated = {key(message) for message in entries(language) if all(texts(message.string))}
    return sorted(used() - translated)


def left_over(language: str) -> list[Key]:
    """What is translated and not in use."""
    return sorted({key(message) for message in entries(language)} - used())


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def derived() -> str:
    """The catalog of Taiwan's Chinese, made from the other one: only what is translated is converted."""
    from opencc import OpenCC  # the other parts of this module are used without it

    converter = OpenCC("s2twp")
    lines, converted = [HEADER], False
    for line in (LOCALES / f"{SIMPLIFIED}.po").read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.startswith('"'):
            converted = line.startswith("msgstr")
        if line.startswith("#"):
            continue
        if line == f'"Language: {SIMPLIFIED}\\n"\n':
            line = f'"Language: {TRADITIONAL}\\n"\n'
        lines.append(_of_taiwan(converter.convert(line)) if converted else line)
    return re.sub("\n{3,}", "\n\n", "".join(lines))


def _of_taiwan(text: str) -> str:
    for ours, theirs in TAIWAN.items():
        text = text.replace(ours, theirs)
    return text


def main() -> int:
    (LOCALES / f"{TRADITIONAL}.po").write_text(derived(), encoding="utf-8")
    wrong = 0
    for language in LANGUAGES:
        if language == SOURCE_LANGUAGE:
            continue
        for what, keys in (("lacks", missing(language)), ("does not need", left_over(language))):
            for context, msgid in keys:
                print(f"{language} {what} {msgid!r}" + (f" ({context})" if context else ""))
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
