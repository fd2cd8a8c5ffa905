"""Alembic runs this on the connection of `storage.migrate`, inside its transaction."""

from alembic import context

from storage.tables import for_migrations

# The migrations create the full-text tables with SQL of their own, so Alembic must not compare them.
SEARCH_TABLES = ("post_fts", "post_search")


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and (name or "").startswith(SEARCH_TABLES))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=for_migrations(),
    include_name=include_name,
    compare_type=True,
)
context.run_migrations()
