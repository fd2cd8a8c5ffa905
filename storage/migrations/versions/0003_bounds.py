"""columns for quotas, access and pruning"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A default for existing rows, until the update below sets their value.
NEVER = "1970-01-01 00:00:00"
# The person who added an existing private source; earlier versions did not record it.
SOMEBODY = "somebody"


def upgrade() -> None:
    text, moment = sa.Text(), sa.DateTime(timezone=True)
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("sources", sa.Column("added_by", text, server_default="", nullable=False))
    op.add_column("sources", sa.Column("read_seconds", sa.Double(), server_default="0", nullable=False))
    op.add_column("sources", sa.Column("warning", text, server_default="", nullable=False))
    op.add_column("sources", sa.Column("unfollowed_since", moment, nullable=True))
    op.add_column("posts", sa.Column("old_news", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("tombstones", sa.Column("seen_at", moment, server_default=NEVER, nullable=False))
    op.add_column("chats", sa.Column("access", sa.String(16), server_default="default", nullable=False))
    op.add_column("drafts", sa.Column("created_at", moment, server_default=NEVER, nullable=False))
    op.add_column("searches", sa.Column("chat_id", number, nullable=True))
    # People in chats added the private feeds.
    sources = sa.table("sources", *(sa.column(name, text) for name in ("added_by", "visibility", "kind")))
    theirs = (sources.c.visibility == "private") & (sources.c.kind == "feed")
    op.execute(sources.update().where(theirs).values(added_by=SOMEBODY))
    # Existing rows count as created now, so that none of them is pruned at once.
    now = datetime.now(UTC)
    for table, column in (("tombstones", "seen_at"), ("drafts", "created_at")):
        row = sa.table(table, sa.column(column, moment))
        is_sqlite = op.get_bind().dialect.name == "sqlite"
        op.execute(row.update().values({column: now.replace(tzinfo=None) if is_sqlite else now}))


def downgrade() -> None:
    for table, column in (
        ("searches", "chat_id"),
        ("drafts", "created_at"),
        ("chats", "access"),
        ("tombstones", "seen_at"),
        ("posts", "old_news"),
        ("sources", "unfollowed_since"),
        ("sources", "warning"),
        ("sources", "read_seconds"),
        ("sources", "added_by"),
    ):
        op.drop_column(table, column)
