"""Corrected keys on their way into force.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "key_proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("key_version_id", sa.Integer(), nullable=False),
        sa.Column("from_version", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("notice_title", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("effect", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('counting','counted','applying','written','done')", name=op.f("key_proposal_state_is_known")
        ),
        sa.CheckConstraint("length(trim(notice)) > 0", name=op.f("key_proposal_notice_is_given")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("key_proposal_round_id_exists")),
        sa.ForeignKeyConstraint(["key_version_id"], ["key_version.id"], name=op.f("key_proposal_key_version_id_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("key_proposal_key")),
        sa.UniqueConstraint("key_version_id", name=op.f("key_proposal_one_per_key_version_id")),
    )
    op.create_index(op.f("key_proposal_by_round_id"), "key_proposal", ["round_id"])
    op.create_index(
        "key_proposal_one_open_a_round", "key_proposal", ["round_id"], unique=True,
        postgresql_where=sa.text("state <> 'done'"),
    )


def downgrade():
    op.drop_table("key_proposal")
