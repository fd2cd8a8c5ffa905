"""Databases for tests that change the schema or the server's settings: each gets its own."""

from collections.abc import Iterator

import pytest

from tests.conftest import Postgres


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A migrated PostgreSQL database that is dropped afterwards."""
    with postgres.database("migrated") as url:
        yield url
