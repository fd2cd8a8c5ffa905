"""Databases for programs, migrated, because migrating takes as long as the rest of a start."""

from collections.abc import Iterator

import pytest

from tests.conftest import Postgres


@pytest.fixture
def own_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A migrated PostgreSQL database of its own, without rows."""
    with postgres.database("migrated") as url:
        yield url
