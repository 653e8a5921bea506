"""What rules may ask of people: their kind of member, and who is kept out of a contest. A contest's own rules.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = "'union_member','association_member','pupil','student','worker','civil_servant','soldier','other'"


def upgrade():
    op.add_column("contest", sa.Column("rules", postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column("users", sa.Column("member_kind", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("users_member_kind_is_known"), "users", f"member_kind IN ({KINDS})")
    op.create_table(
        "contest_bar",
        sa.Column("contest_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("function", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "function IN ('committee','expert','secretary')", name=op.f("contest_bar_function_is_known")
        ),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("contest_bar_reason_is_given")),
        sa.ForeignKeyConstraint(["contest_id"], ["contest.id"], name=op.f("contest_bar_contest_id_exists")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("contest_bar_user_id_exists"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("contest_bar_actor_id_exists")),
        sa.PrimaryKeyConstraint("contest_id", "user_id", name=op.f("contest_bar_key")),
    )
    op.create_index(op.f("contest_bar_by_user_id"), "contest_bar", ["user_id"])


def downgrade():
    op.drop_table("contest_bar")
    op.drop_constraint(op.f("users_member_kind_is_known"), "users")
    op.drop_column("users", "member_kind")
    op.drop_column("contest", "rules")
