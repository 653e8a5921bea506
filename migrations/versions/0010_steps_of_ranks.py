"""Rungs of a ladder of merits, so that a rank in a round of a million is counted in milliseconds.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "rank_step",
        sa.Column("round_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merit", sa.LargeBinary(), nullable=False),
        sa.Column("above", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "merit", name=op.f("rank_step_key")),
    )


def downgrade():
    op.drop_table("rank_step")
