"""hubs and hooks that tell of posts, and until when a source is polled less for that"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
SOURCE = "fk_pushes_source_id"


def upgrade() -> None:
    op.create_table(
        "pushes",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("last_at", MOMENT, nullable=True),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f(SOURCE), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
        sa.UniqueConstraint("source_id", name=op.f("uq_pushes_source_id")),
        sa.UniqueConstraint("token", name=op.f("uq_pushes_token")),
    )
    op.add_column("sources", sa.Column("pushed_until", MOMENT, nullable=True))


def downgrade() -> None:
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    op.drop_column("sources", "pushed_until")
    op.drop_table("pushes")
