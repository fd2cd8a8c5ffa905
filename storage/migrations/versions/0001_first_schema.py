"""first schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Skywave tokenizes the text itself, and `ascii` does not change its tokens.
FTS5 = "CREATE VIRTUAL TABLE post_fts USING fts5(title, body, variants, content='', tokenize='ascii')"
# The title counts four times as much as the body, variants count half.
WEIGHTS = "INSERT INTO post_fts (post_fts, rank) VALUES ('rank', 'bm25(4.0, 1.0, 0.5)')"
TSVECTOR = (
    "CREATE TABLE post_search (post_id BIGINT PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,"
    " tsv tsvector NOT NULL)"
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "chats",
        sa.Column("id", Id, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("on_unknown", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chats")),
        sa.UniqueConstraint("platform", "address", "topic", name=op.f("uq_chats_platform_address_topic")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", Id, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "searches",
        sa.Column("id", Id, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("relaxed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
    )
    op.create_table(
        "sources",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("interval", sa.Interval(), nullable=True),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_after", Id, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("url", name=op.f("uq_sources_url")),
    )
    op.create_table(
        "digests",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("recurrence", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("max_posts", sa.Integer(), nullable=False),
        sa.Column("when_empty", sa.String(16), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_digests_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("chat_id", name=op.f("uq_digests_chat_id")),
    )
    op.create_index(op.f("ix_digests_next_run_at"), "digests", ["next_run_at"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("everywhere", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_drafts_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_state"), "drafts", ["state"], unique=False)
    op.create_table(
        "posts",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_posts_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.UniqueConstraint("source_id", "guid", name=op.f("uq_posts_source_id_guid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_posts_key"), "posts", ["key"], unique=False)
    op.create_index(op.f("ix_posts_published_at_id"), "posts", ["published_at", "id"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("source_id", Id, nullable=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("starts_after", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_subscriptions_chat_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_subscriptions_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("chat_id", "scope", name=op.f("uq_subscriptions_chat_id_scope")),
    )
    op.create_index(op.f("ix_subscriptions_source_id"), "subscriptions", ["source_id"], unique=False)
    op.create_table(
        "tombstones",
        sa.Column("source_id", Id, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_tombstones_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "guid", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "broadcasts",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("more", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest_id", Id, nullable=True),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest_id"], ["digests.id"], name=op.f("fk_broadcasts_digest_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
        sa.UniqueConstraint("digest_id", "slot", name=op.f("uq_broadcasts_digest_id_slot")),
    )
    op.create_table(
        "broadcast_posts",
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("post_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"],
            ["broadcasts.id"],
            name=op.f("fk_broadcast_posts_broadcast_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_broadcast_posts_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "position", name=op.f("pk_broadcast_posts")),
    )
    op.create_index(op.f("ix_broadcast_posts_post_id"), "broadcast_posts", ["post_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcasts.id"], name=op.f("fk_deliveries_broadcast_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_deliveries_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("broadcast_id", "chat_id", name=op.f("uq_deliveries_broadcast_id_chat_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_claimed",
        "deliveries",
        ["platform"],
        unique=False,
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["platform", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["chat_id", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'claimed')"),
        postgresql_where=sa.text("state IN ('pending', 'claimed')"),
    )
    op.create_table(
        "renderings",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("broadcast_id", Id, nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcasts.id"], name=op.f("fk_renderings_broadcast_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_renderings")),
    )
    op.create_index(op.f("ix_renderings_broadcast_id"), "renderings", ["broadcast_id"], unique=False)
    op.create_table(
        "delivery_parts",
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("posts", sa.JSON(), nullable=False),
        sa.Column("sent", sa.JSON(), nullable=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("unknowns", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_parts_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", "form", "n", name=op.f("pk_delivery_parts")),
    )
    op.create_table(
        "ledger",
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("post_key", sa.String(64), nullable=False),
        sa.Column("post_id", Id, nullable=True),
        sa.Column("delivery_id", Id, nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_ledger_chat_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_ledger_delivery_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_ledger_post_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("chat_id", "post_key", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_delivery_id"), "ledger", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_ledger_post_id"), "ledger", ["post_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(FTS5)
        op.execute(WEIGHTS)
    else:
        op.execute(TSVECTOR)
        op.execute("CREATE INDEX ix_post_search_tsv ON post_search USING gin (tsv)")


def downgrade() -> None:
    op.execute("DROP TABLE " + ("post_fts" if op.get_bind().dialect.name == "sqlite" else "post_search"))
    op.drop_index(op.f("ix_ledger_post_id"), table_name="ledger")
    op.drop_index(op.f("ix_ledger_delivery_id"), table_name="ledger")
    op.drop_table("ledger")
    op.drop_table("delivery_parts")
    op.drop_index(op.f("ix_renderings_broadcast_id"), table_name="renderings")
    op.drop_table("renderings")
    op.drop_index(
        "ix_deliveries_open",
        table_name="deliveries",
        sqlite_where=sa.text("state IN ('pending', 'claimed')"),
        postgresql_where=sa.text("state IN ('pending', 'claimed')"),
    )
    op.drop_index(
        "ix_deliveries_due",
        table_name="deliveries",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index(
        "ix_deliveries_claimed",
        table_name="deliveries",
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    )
    op.drop_table("deliveries")
    op.drop_index(op.f("ix_broadcast_posts_post_id"), table_name="broadcast_posts")
    op.drop_table("broadcast_posts")
    op.drop_table("broadcasts")
    op.drop_table("tombstones")
    op.drop_index(op.f("ix_subscriptions_source_id"), table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_index(op.f("ix_posts_published_at_id"), table_name="posts")
    op.drop_index(op.f("ix_posts_key"), table_name="posts")
    op.drop_table("posts")
    op.drop_index(op.f("ix_drafts_state"), table_name="drafts")
    op.drop_table("drafts")
    op.drop_index(op.f("ix_digests_next_run_at"), table_name="digests")
    op.drop_table("digests")
    op.drop_table("sources")
    op.drop_table("searches")
    op.drop_table("meta")
    op.drop_table("leases")
    op.drop_table("chats")
    op.drop_table("audit")
