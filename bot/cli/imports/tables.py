"""Reads tables of another bot: from an SQLite file, or from a dump that PostgreSQL or MySQL has written.

The file is never written to, and nothing in it can make the reading endless: rows, bytes and steps of SQLite
are limited.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bot.cli.imports.types import MAX_ROWS, WrongFile

Row = Mapping[str, object]

MAX_DUMP = 1024 * 1024 * 1024  # bytes of a dump, which is read line by line
MAX_LINE = 16 * 1024 * 1024  # bytes
MAX_TEXT = 64 * 1024 * 1024  # characters of one table
MAX_CELL = 1024 * 1024  # bytes of one value in SQLite
# A view may pose as a table and compute for ever; an honest table needs a few steps for each row.
STEPS, MAX_CALLS = 1_000_000, 200

_MAGIC = b"SQLite format 3\0"
_NAME = r"(?:\w+\.)?[\"`]?(\w+)[\"`]?"
_COPY = re.compile(rf"COPY {_NAME} \(([^)]*)\) FROM stdin;")
_CREATE = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{_NAME} \(")
_COLUMN = re.compile(r"\s+[\"`](\w+)[\"`] ")
_INSERT = re.compile(rf"INSERT INTO {_NAME} (?:\(([^)]*)\) )?VALUES ?")
_QUOTED = r"'((?:[^'\\]|\\.|'')*)'"  # in MySQL, a backslash escapes
_VALUE = re.compile(rf"\s*(?:{_QUOTED}|([^\s',()]+))\s*([,)])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table that are wanted: those it must have, and those of some versions of the bot."""

    needed: Sequence[str]
    others: Sequence[str] = ()

    def missing(self, present: Sequence[str]) -> str:
        """A needed column that is not among those that a table has; empty if all are."""
        return next((name for name in self.needed if name not in present), "")


NONE: Mapping[str, Columns] = {}


def read_tables(
    file: Path, bot: str, needed: Mapping[str, Columns], optional: Mapping[str, Columns] = NONE
) -> Mapping[str, Sequence[Row]]:
    """The rows of the tables that exist; a column that a table lacks is None.

    Raises WrongFile, also if a needed table is missing.
    """
    wanted = {**needed, **optional}
    try:
        with file.open("rb") as opened:
            is_sqlite = opened.read(len(_MAGIC)) == _MAGIC
        tables = _of_sqlite(file, bot, wanted) if is_sqlite else _of_dump(file, wanted)
    except OSError as exc:
        raise WrongFile(f"{file} cannot be read: {exc.strerror}") from exc
    except sqlite3.Error as exc:
        raise WrongFile(f"{file} is damaged or not a database: {exc}") from exc
    for name in needed:
        if name not in tables:
            raise WrongFile(f"{file} is not from {bot}: it has no table {name}")
    return tables


def _of_sqlite(file: Path, bot: str, wanted: Mapping[str, Columns]) -> dict[str, list[Row]]:
    with closing(sqlite3.connect(_read_only(file), uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
        connection.set_progress_handler(_Budget(MAX_CALLS).spent, STEPS)
        found: dict[str, list[Row]] = {}
        for name, columns in wanted.items():
            present = [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{name}")')]
            if not present:
                continue
            if missing := columns.missing(present):
                raise WrongFile(f"{file} is not from {bot}: its table {name} has no column {missing}")
            found[name] = _rows(connection, file, name, columns, present)
        return found


def _read_only(file: Path) -> str:
    """The URI that opens a file without writing beside it.

    What the bot wrote last may be in a log beside the file; reading that takes SQLite's locks.
    """
    log = file.with_name(f"{file.name}-wal")
    immutable = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return f"file:{quote(str(file.absolute()))}?mode=ro{immutable}"


class _Budget:
    """Counts the calls that SQLite makes; it stops when `spent` is true."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def spent(self) -> bool:
        self._left -= 1
        return self._left < 0


def _rows(
    connection: sqlite3.Connection, file: Path, name: str, columns: Columns, present: Sequence[str]
) -> list[Row]:
    every = (*columns.needed, *columns.others)
    selected = ", ".join(f'"{column}"' if column in present else "NULL" for column in every)
    cursor = connection.execute(f'SELECT {selected} FROM "{name}" LIMIT {MAX_ROWS + 1}')
    table = _Table(file, name)
    for row in cursor:
        table.add(dict(zip(every, row, strict=True)))
    return table.rows


@dataclass(slots=True)
class _Table:
    """The rows of one table, as many as fit into memory."""

    file: Path
    name: str
    rows: list[Row] = field(default_factory=list)
    _size: int = 0

    def add(self, row: Row) -> None:
        """Raises WrongFile."""
        self.rows.append(row)
        self._size += sum(len(cell) for cell in row.values() if isinstance(cell, str | bytes))
        if len(self.rows) > MAX_ROWS or self._size > MAX_TEXT:
            limits = f"{MAX_ROWS:,} rows or {MAX_TEXT // 1024**2} MiB"
            raise WrongFile(f"{self.file} has more than {limits} in its table {self.name}")


def _of_dump(file: Path, wanted: Mapping[str, Columns]) -> dict[str, list[Row]]:
    """The tables of a dump: `COPY` of pg_dump, and `INSERT` of mysqldump or pg_dump, each on one line."""
    if file.stat().st_size > MAX_DUMP:
        raise WrongFile(f"{file} is larger than {MAX_DUMP // 1024**2} MiB")
    found: dict[str, _Table] = {}
    created: dict[str, list[str]] = {}
    with file.open(encoding="utf-8", errors="replace", newline="\n") as opened:
        lines = iter(lambda: opened.readline(MAX_LINE), "")
        for line in lines:
            if copy := _COPY.match(line):
                name, values = copy[1], _copied(lines)
                columns = _names(copy[2])
            elif insert := _INSERT.match(line):
                name, values = insert[1], _inserted(line[insert.end() :], mysql="`" in line[: insert.end()])
                columns = _names(insert[2] or "") or created.get(insert[1], [])
            else:
                if create := _CREATE.match(line):
                    created[create[1]] = _created(lines)
                    if create[1] in wanted:
                        found.setdefault(create[1], _Table(file, create[1]))
                continue
            if name in wanted:
                table = found.setdefault(name, _Table(file, name))
                for row in values:
                    table.add(_picked(wanted[name], columns, row))
    return {name: table.rows for name, table in found.items() if not _unfit(table.rows, wanted[name])}


def _picked(wanted: Columns, columns: Sequence[str], row: Sequence[str | None]) -> Row:
    """The wanted columns of a row. One of another length is damaged, and has none of them."""
    given = dict(zip(columns, row, strict=True)) if len(columns) == len(row) else {}
    return {name: given.get(name) for name in (*wanted.needed, *wanted.others)}


def _unfit(rows: Sequence[Row], columns: Columns) -> bool:
    """Whether a table lacks a needed column in every row."""
    return bool(rows) and any(all(row[name] is None for row in rows) for name in columns.needed)


def _names(text: str) -> list[str]:
    return [name.strip(' "`') for name in text.split(",") if name.strip()]


def _created(lines: Iterator[str]) -> list[str]:
    """The columns of a table, from the lines of its definition."""
    columns = list[str]()
    for line in lines:
        if line.startswith(")"):
            break
        if column := _COLUMN.match(line):
            columns.append(column[1])
    return columns


def _copied(lines: Iterator[str]) -> Iterator[list[str | None]]:
    for line in lines:
        if line.rstrip("\r\n") == "\\.":
            return
        yield [None if cell == "\\N" else _unescaped(cell) for cell in line.rstrip("\r\n").split("\t")]


def _inserted(values: str, *, mysql: bool) -> Iterator[list[str | None]]:
    """The rows of `(1, 'a'), (2, NULL);`. What cannot be read ends the line."""
    at = values.find("(")
    while at >= 0:
        row, at = list[str | None](), at + 1
        while value := _VALUE.match(values, at):
            at = value.end()
            row.append(_value(value, mysql=mysql))
            if value[3] == ")":
                break
        else:
            return
        yield row
        at = values.find("(", at)


def _value(found: re.Match[str], *, mysql: bool) -> str | None:
    if found[1] is not None:
        undoubled = found[1].replace("''", "'")
        return _unescaped(undoubled) if mysql else undoubled
    return None if found[2].upper() == "NULL" else found[2]


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text)
