"""Writes the tables of commands and settings into the pages that name them: `make reference`.

A page has a comment like `<!-- table: settings -->` before its table and `<!-- end of table -->` behind it.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from itertools import pairwise
from pathlib import Path

from bot.access import NEEDED, Role
from bot.cli.main import COMMANDS as PROGRAM
from bot.commands import COMMANDS
from bot.loading import ALL_SETTINGS, PREFIX
from bot.settings import Settings

DOCS = Path(__file__).parent
PAGES = (*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md")
TABLE = re.compile(r"(<!-- table: ([^>]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def commands_of(role: Role) -> str:
    """The commands of chats that need this role."""
    rows = [(f"`{one.usage}`", one.summary) for one in COMMANDS if NEEDED[one.act] is role]
    return _table(("command", "what it does"), rows)


def settings() -> str:
    """All settings, with their defaults."""
    fields = {**Settings.model_fields, **ALL_SETTINGS.model_fields}  # those of the platforms are the last
    told = {name: text for one in ALL_SETTINGS.__mro__ for name, text in _documentation(one).items()}
    rows = [
        (f"`{PREFIX}{name.upper()}`", _shown(field.get_default()), told[name])
        for name, field in fields.items()
    ]
    return _table(("setting", "default", "meaning"), rows)


def _documentation(settings: type) -> Mapping[str, str]:
    """The text below each setting of a class. If pydantic read it, each start would take a tenth longer."""
    if not settings.__module__.startswith("bot.") or settings is ALL_SETTINGS:
        return {}
    [written] = ast.parse(inspect.getsource(settings)).body
    assert isinstance(written, ast.ClassDef)
    return {
        line.target.id: inspect.cleandoc(text.value.value)
        for line, text in pairwise(written.body)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def program() -> str:
    """The commands of the command line."""
    rows = [(f"`skywave {name}`", text) for name, text in PROGRAM.items()]
    return _table(("command", "what it is for"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "commands of members": lambda: commands_of(Role.MEMBER),
    "commands of admins": lambda: commands_of(Role.ADMIN),
    "commands of operators": lambda: commands_of(Role.OPERATOR),
    "settings": settings,
    "program": program,
}


def written(page: str) -> str:
    """The text of a page with its tables as they should be. Raises KeyError for an unknown table."""
    return TABLE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", page)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Enum):
        return f"`{default.value}`"
    return f"`{default}`" if default or default == 0 else "none"


def main() -> None:
    """Write the pages that are not up to date, and name them."""
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = written(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"written: {page.name}")


if __name__ == "__main__":
    main()
