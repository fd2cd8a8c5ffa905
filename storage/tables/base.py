"""What all tables share: the types of columns, and the names of constraints."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    text,
)

E = TypeVar("E", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC-aware datetime on both databases. SQLite stores it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    # On SQLite one function instead of SQLAlchemy's three: each delivery has several times.

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _to_sqlite if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _from_sqlite if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _to_sqlite(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Word(TypeDecorator[E]):
    """An enumeration, stored as its values. SQLAlchemy's own calls two functions for each value read."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__(16)
        self.kind = kind

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], E | None]:
        words: dict[str | None, E | None] = {word.value: word for word in self.kind}
        return (words | {None: None}).__getitem__


# The default that a migration gives to existing rows before it sets their real value.
NEVER = "1970-01-01 00:00:00"


# What was chosen about the format of posts; NULL: nothing.
CHOICES: JSON[Any] = JSON(none_as_null=True)


# Sources of earlier versions have no options.
NO_OPTIONS = '{"version": 1, "values": {}}'


Id = BigInteger().with_variant(Integer, "sqlite")


# Text that both databases order by its code points, so that a range finds what begins with a prefix.
InOrder = Text().with_variant(Text(collation="C"), "postgresql")


NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMES)


def partial(name: str, where: str, *columns: str) -> Index:
    """An index over the rows that match `where`, which are few."""
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


def for_migrations() -> MetaData:
    """All tables, as migrations compare them with a database.

    Only they need the conditions of indexes for PostgreSQL, whose dialect is slow to load.
    """
    for table in METADATA.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options["postgresql"]["where"] = text(index.info["where"])
    return METADATA
