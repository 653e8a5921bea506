"""Room on the pages of what the drain updates in place.

With room an update stays on its page and touches no index (HOT); dead rows are pruned when the page is next read.
A tally row is updated by nearly every batch, a contest standing once an entry after the first round.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROOM = {"tally": 40, "contest_tally": 40, "contest_standing": 70}


def upgrade():
    for table, percent in ROOM.items():
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")
    # A fifth of two million dead rows (the default) would be a vacuum that is noticed.
    op.execute("ALTER TABLE contest_standing SET (autovacuum_vacuum_scale_factor = 0.05)")


def downgrade():
    for table in ROOM:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.execute("ALTER TABLE contest_standing RESET (autovacuum_vacuum_scale_factor)")
