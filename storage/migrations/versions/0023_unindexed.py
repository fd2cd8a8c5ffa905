"""which posts wait to be indexed"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Of earlier versions all posts are indexed.
    op.create_table(
        "unindexed",
        sa.Column("post_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_unindexed_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_unindexed")),
    )


def downgrade() -> None:
    op.drop_table("unindexed")
