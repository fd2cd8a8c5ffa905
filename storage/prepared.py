"""Statements of hot paths: compiled once, and run without SQLAlchemy's work for each value and each call.

SQLAlchemy takes several times as long to build the parameters of a row, or to convert one that was read, as
SQLite takes for the row. And what is passed together is one call of the connection's thread.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

from sqlalchemy import Connection, Dialect, Float, Select, UpdateBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import TypeEngine

Rows: TypeAlias = Sequence[Mapping[str, object]]


class Prepared:
    """A statement with the conversions of its parameters, and of the columns that it returns."""

    def __init__(
        self, statement: Select[*tuple[Any, ...]] | UpdateBase | TextClause, dialect: Dialect
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler) and compiled.positiontup is not None
        self.text = str(compiled)
        self._names = compiled.positiontup
        binds = {name: compiled.binds[name] for name in self._names}
        self._fixed = {name: bind.value for name, bind in binds.items() if not bind.required}
        types = (_of_dialect(binds[name].type, dialect) for name in self._names)
        self._to_stored = [type_.bind_processor(dialect) for type_ in types]
        columns = () if isinstance(statement, TextClause) else statement.exported_columns
        self._row: type[tuple[Any, ...]] = cast(Any, namedtuple)("Row", [column.key for column in columns])
        self._from_stored = [_from_stored(column.type, dialect) for column in columns]

    def parameters(self, rows: Rows) -> Sequence[Sequence[object]]:
        """The parameters for each row, in the order of the statement."""
        columns: list[Iterable[object]] = []
        for name, convert in zip(self._names, self._to_stored, strict=True):
            values = [self._fixed[name]] * len(rows) if name in self._fixed else [row[name] for row in rows]
            columns.append(_converted(values, convert) if convert else values)
        return list(zip(*columns, strict=True))

    def rows(self, stored: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Rows that were read, as tuples whose fields are the columns. Rows may share equal values."""
        if not stored:
            return []
        columns = zip(zip(*stored, strict=True), self._from_stored, strict=True)
        converted = [_converted(values, convert) if convert else values for values, convert in columns]
        return list(map(partial(tuple.__new__, self._row), zip(*converted, strict=True)))


def _from_stored(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    # Drivers return floats as they are. For PostgreSQL, SQLAlchemy would ask what type an answer gives them.
    if isinstance(type_, Float):
        return None
    return _of_dialect(type_, dialect).result_processor(dialect, None)


def _of_dialect(type_: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return type_.dialect_impl(dialect)


def _converted(values: Sequence[Any], convert: Callable[[Any], Any]) -> Iterable[Any]:
    """The values of a column, which are often all equal (states, times, posts): those are converted once."""
    if values.count(values[0]) == len(values):
        return [convert(values[0])] * len(values)
    return map(convert, values)


def write(connection: Connection, *batches: tuple[Prepared, Rows]) -> None:
    """Execute each statement for its rows, in order."""
    ready = [(one.text, one.parameters(rows)) for one, rows in batches if rows]
    if not ready:
        return
    if connection.dialect.name == "sqlite":
        _driver(connection, lambda driver: driver.write(ready))
        return
    for text, parameters in ready:
        connection.exec_driver_sql(text, parameters)


def read(connection: Connection, *queries: tuple[Prepared, Mapping[str, object]]) -> Sequence[Sequence[Any]]:
    """Execute each statement once, in order; returns the rows of each."""
    ready = [(one.text, one.parameters([values])[0]) for one, values in queries]
    if connection.dialect.name == "sqlite":
        stored = _driver(connection, lambda driver: driver.read(ready))
    else:
        stored = [connection.exec_driver_sql(text, tuple(values)).all() for text, values in ready]
    return [one.rows(rows) for (one, _), rows in zip(queries, stored, strict=True)]


def _driver(connection: Connection, call: Callable[[Any], Any]) -> Any:
    """The result of a call of the driver's connection, in a transaction as SQLAlchemy's own calls are."""
    if not connection.in_transaction():
        connection.begin()
    opened: Any = connection.connection.dbapi_connection
    return opened.run_async(call)
