"""who added what, who may use the bot, and what pruning goes by"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Only until the rows that exist have their own value.
NEVER = "1970-01-01 00:00:00"
# Who added what was there before that was recorded.
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
    # Private feeds came from people in chats, of whom nobody noted the name.
    sources = sa.table("sources", *(sa.column(name, text) for name in ("added_by", "visibility", "kind")))
    theirs = (sources.c.visibility == "private") & (sources.c.kind == "feed")
    op.execute(sources.update().where(theirs).values(added_by=SOMEBODY))
    # What exists counts as made at the moment of the migration, so that nothing of it is pruned at once.
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
