"""What the organizers announce.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contest_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(trim(title)) > 0", name=op.f("announcement_title_is_given")),
        sa.CheckConstraint("unit_id IS NULL OR round_id IS NULL", name=op.f("announcement_one_audience")),
        sa.ForeignKeyConstraint(["contest_id"], ["contest.id"], name=op.f("announcement_contest_id_exists")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("announcement_unit_id_exists")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("announcement_round_id_exists")),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("announcement_actor_id_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("announcement_key")),
    )
    op.create_index("announcement_by_time", "announcement", ["contest_id", "id"])


def downgrade() -> None:
    op.drop_table("announcement")
