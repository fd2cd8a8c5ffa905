"""filters of subscriptions, and the posts that did not pass them"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHOSEN = sa.text("filter_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "filters",
        sa.Column("id", Id, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filters")),
        sa.UniqueConstraint("text", name=op.f("uq_filters_text")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "filtered",
        sa.Column("post_id", Id, nullable=False),
        sa.Column("filter_id", Id, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_filtered_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["filter_id"], ["filters.id"], name=op.f("fk_filtered_filter_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "filter_id", name=op.f("pk_filtered")),
    )
    op.create_index(op.f("ix_filtered_filter_id"), "filtered", ["filter_id"])
    # As SQL, because Alembic adds a foreign key to a table of SQLite only by copying the table.
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    reference = "CONSTRAINT fk_subscriptions_filter_id REFERENCES filters (id)"
    op.execute(f"ALTER TABLE subscriptions ADD COLUMN filter_id {kind} {reference}")
    op.create_index(
        "ix_subscriptions_filtered",
        "subscriptions",
        ["filter_id", "source_id"],
        sqlite_where=CHOSEN,
        postgresql_where=CHOSEN,
    )


def downgrade() -> None:
    op.drop_index("ix_subscriptions_filtered", "subscriptions")
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    op.drop_column("subscriptions", "filter_id")
    op.drop_table("filtered")
    op.drop_table("filters")
