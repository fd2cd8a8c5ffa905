"""several digests of a chat, each with its subscriptions; quiet hours; pauses of subscriptions"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
PARTIAL = (
    ("ix_chats_quiet", "chats", "quiet_until"),
    ("ix_subscriptions_paused", "subscriptions", "paused_until"),
)


@contextmanager
def kept_slots() -> Iterator[None]:
    """Keep which broadcast is of which digest: SQLite can change `digests` only by making it anew."""
    op.execute(
        "CREATE TEMPORARY TABLE slots AS SELECT id, digest_id FROM broadcasts WHERE digest_id IS NOT NULL"
    )
    yield
    op.execute(
        "UPDATE broadcasts SET digest_id = (SELECT digest_id FROM slots WHERE slots.id = broadcasts.id)"
        " WHERE id IN (SELECT slots.id FROM slots JOIN digests ON digests.id = slots.digest_id)"
    )
    op.execute("DROP TABLE slots")


def upgrade() -> None:
    with kept_slots(), op.batch_alter_table("digests") as table:
        table.drop_constraint(op.f("uq_digests_chat_id"), type_="unique")
        table.add_column(sa.Column("name", sa.Text(), server_default="1", nullable=False))
        table.add_column(sa.Column("rest", sa.String(16), server_default="never", nullable=False))
        table.add_column(sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.create_unique_constraint(op.f("uq_digests_chat_id_name"), ["chat_id", "name"])
    # As SQL, because Alembic adds a foreign key to a table of SQLite only by copying the table.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    reference = "CONSTRAINT fk_subscriptions_digest_id REFERENCES digests (id)"
    op.execute(f"ALTER TABLE subscriptions ADD COLUMN digest_id {kind} {reference}")
    op.add_column("subscriptions", sa.Column("paused_after", Id, nullable=True))
    op.add_column("subscriptions", sa.Column("paused_until", MOMENT, nullable=True))
    op.execute(
        "UPDATE subscriptions SET digest_id ="
        " (SELECT id FROM digests WHERE digests.chat_id = subscriptions.chat_id) WHERE mode = 'digest'"
    )
    op.drop_column("subscriptions", "mode")
    op.add_column("chats", sa.Column("quiet", sa.Text(), server_default="", nullable=False))
    op.add_column("chats", sa.Column("quiet_from", MOMENT, nullable=True))
    op.add_column("chats", sa.Column("quiet_until", MOMENT, nullable=True))
    for name, table_name, column in PARTIAL:
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table_name, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table_name, _ in PARTIAL:
        op.drop_index(name, table_name)
    for column in ("quiet_until", "quiet_from", "quiet"):
        op.drop_column("chats", column)
    mode = sa.Column("mode", sa.String(16), server_default="instant", nullable=False)
    op.add_column("subscriptions", mode)
    op.execute("UPDATE subscriptions SET mode = 'digest' WHERE digest_id IS NOT NULL")
    for column in ("paused_until", "paused_after", "digest_id"):
        op.drop_column("subscriptions", column)
    # A chat had one digest: the first remains.
    op.execute("DELETE FROM digests WHERE id NOT IN (SELECT min(id) FROM digests GROUP BY chat_id)")
    with kept_slots(), op.batch_alter_table("digests") as table:
        table.drop_constraint(op.f("uq_digests_chat_id_name"), type_="unique")
        for column in ("name", "rest", "paused"):
            table.drop_column(column)
        table.create_unique_constraint(op.f("uq_digests_chat_id"), ["chat_id"])
