"""The second factor of staff, and the ways to find people and traces.

The indexes are made in the step's own transaction: registering waits for some seconds at two million people, taking
answers does not.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# As in quiz/models/user.py: a name without accents, in small letters.
PLAIN_NAME = (
    "lower(regexp_replace(normalize(translate(full_name, 'Đđ', 'Dd'), NFKD), '[\u0300-\u036f]', '', 'g'))"
)


def upgrade():
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("second_factor_user_id_exists"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("second_factor_key")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("recovery_code_user_id_exists"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("recovery_code_key")),
        sa.UniqueConstraint("user_id", "hash", name=op.f("recovery_code_one_per_user_id_hash")),
    )
    op.execute(f"CREATE INDEX users_by_name ON users USING gin (to_tsvector('simple', {PLAIN_NAME}))")
    op.create_index("users_of_the_staff", "users", ["id"], postgresql_where=sa.text("role <> 'participant'"))
    op.create_index("users_barred", "users", ["id"], postgresql_where=sa.text("barred_at IS NOT NULL"))
    op.create_index("audit_event_by_actor", "audit_event", ["actor_id", "id"])
    op.create_index("audit_event_by_action", "audit_event", ["action", "id"])
    op.create_index("audit_event_by_subject", "audit_event", ["subject", "id"])


def downgrade():
    for name in ("subject", "action", "actor"):
        op.drop_index(f"audit_event_by_{name}", "audit_event")
    for name in ("users_barred", "users_of_the_staff", "users_by_name"):
        op.drop_index(name, "users")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
