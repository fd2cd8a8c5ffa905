"""Front matter of Markdown files: YAML between `---` lines, or TOML between `+++` lines."""

import re
import tomllib
from collections.abc import Iterable
from datetime import datetime

import yaml

from content.sources.dates import to_utc
from content.text import storable

_FENCED = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)^\1[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_OPEN = re.compile(r"(---|\+\+\+)[ \t]*\n(?=[A-Za-z_\"'#][^\n]*[:=])")
MAX_CHARACTERS = 64 * 1024
_DEEPEST = 30  # levels
_MANY_VALUES = 10_000  # values that aliases and merge keys repeat count each time
_LINE = re.compile(r"line (\d+)")


class BrokenFrontMatter(ValueError):
    """The front matter cannot be parsed; the message says where and why."""


class Fields(dict[str, object]):
    """Front matter by field name in lower case. A value of the wrong type counts as missing."""

    def text(self, name: str) -> str:
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        try:
            return " ".join(storable(str(value)).split())
        except ValueError:  # a number of thousands of digits
            return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, or one text split at commas."""
        value = self.get(name)
        items = value if isinstance(value, list) else self.text(name).split(",")
        return tuple(text for item in items if (text := Fields(item=_named(item)).text("item")))

    def date(self, *names: str) -> datetime | None:
        """The date in the first of the fields `names` that holds one, in UTC."""
        return next(filter(None, (to_utc(self.get(name)) for name in names)), None)


def _named(item: object) -> object:
    return item.get("name") if isinstance(item, dict) else item


def split(text: str) -> tuple[Fields, str]:
    """Split the front matter off: its fields, and the rest of `text`. Raises BrokenFrontMatter."""
    found = _FENCED.match(text)
    if found is None:
        if _OPEN.match(text):
            raise BrokenFrontMatter(f"line 1: the front matter has no closing {text[:3]}: add it")
        return Fields(), text
    if len(found[2]) > MAX_CHARACTERS:
        raise BrokenFrontMatter(f"the front matter is longer than {MAX_CHARACTERS // 1024} KiB: shorten it")
    values = _toml(found[2]) if found[1] == "+++" else _yaml(found[2])
    if values is None:  # only comments
        return Fields(), text[found.end() :]
    if not isinstance(values, dict):
        if found[1] == "---":  # a text without front matter, with a horizontal rule at its start
            return Fields(), text
        raise BrokenFrontMatter("line 2: the front matter is not a table of fields: write `name = value`")
    return Fields({str(name).lower(): value for name, value in values.items()}), text[found.end() :]


def _yaml(text: str) -> object:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_size(yaml.parse(text, Loader=loader))
        return yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 2 if exc.problem_mark else 1
        raise BrokenFrontMatter(f"line {line}: {exc.problem or 'broken'}: fix the YAML front matter") from exc
    except BrokenFrontMatter:
        raise
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as exc:
        raise BrokenFrontMatter(f"the YAML front matter is broken ({_short(exc)}): fix it") from exc


def _check_size(events: Iterable[yaml.Event]) -> None:
    """Raise BrokenFrontMatter if the document is too deep or too large for the loader.

    The loader, written in C, recurses for each level, and copies the values that an alias or a merge key
    names.
    """
    open_sizes, names, sizes = [0], [""], dict[str, int]()
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            open_sizes.append(1)
            names.append(event.anchor or "")
        elif isinstance(event, yaml.CollectionEndEvent):
            size = open_sizes.pop()
            sizes[names.pop()] = size
            open_sizes[-1] += size
        elif isinstance(event, yaml.AliasEvent):
            # An alias inside the value that it names would be endless.
            open_sizes[-1] += sizes.get(event.anchor or "", _MANY_VALUES)
        elif isinstance(event, yaml.ScalarEvent):
            open_sizes[-1] += 1
            sizes[event.anchor or ""] = 1
        if len(open_sizes) > _DEEPEST or open_sizes[-1] > _MANY_VALUES:
            line = event.start_mark.line + 2 if event.start_mark else 1
            raise BrokenFrontMatter(f"line {line}: too many levels or values: simplify the front matter")


def _toml(text: str) -> object:
    try:
        return tomllib.loads(text)
    except (ValueError, ArithmeticError, RecursionError) as exc:
        found = _LINE.search(str(exc))
        line = int(found[1]) + 1 if found else 1
        raise BrokenFrontMatter(f"line {line}: {_short(exc)}: fix the TOML front matter") from exc


def _short(exc: Exception) -> str:
    return " ".join(str(exc).split())[:200]
