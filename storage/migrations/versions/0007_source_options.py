"""options of a source, versioned by its kind; a poll interval of its own, which nothing ever set, goes"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Every source of an earlier version is read without options.
NO_OPTIONS = '{"version": 1, "values": {}}'


def upgrade() -> None:
    op.add_column("sources", sa.Column("options", sa.JSON(), server_default=NO_OPTIONS, nullable=False))
    # What admins write is not polled any more, so that no later poll would clear an error of an earlier one.
    sources = sa.table("sources", *(sa.column(name) for name in ("kind", "failures", "last_error")))
    updates = sources.c.kind == "updates"
    op.execute(sources.update().where(updates).values(failures=0, last_error=""))
    # Without batch_alter_table, which would drop the table on SQLite, and all posts along with it.
    op.drop_column("sources", "interval")


def downgrade() -> None:
    op.add_column("sources", sa.Column("interval", sa.Interval(), nullable=True))
    op.drop_column("sources", "options")
