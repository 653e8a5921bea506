"""How papers are drawn from a frozen bank.

Banks frozen until now go on by lot, so that papers of an open round stay the same.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("bank", sa.Column("draw_way", sa.SmallInteger(), server_default="1", nullable=False))


def downgrade():
    op.drop_column("bank", "draw_way")
