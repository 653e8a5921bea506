"""Awards: lists, winners and lots; who invited whom; how many members a unit has.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("award_list", "award", "award_lot")

_CAPS = """
CREATE FUNCTION award_keeps_to_the_caps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine award_list%ROWTYPE;
    caps jsonb;
    counted integer;
    part text;
BEGIN
    IF NEW.state NOT IN ('held', 'offered') OR NEW.person_id IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO mine FROM award_list WHERE id = NEW.list_id;
    IF mine.state = 'replaced' THEN
        RETURN NULL;
    END IF;
    caps := coalesce(nullif(mine.rules -> 'prize_caps', 'null'), '{}');
    FOREACH part IN ARRAY ARRAY['person_round', 'unit_round', 'person_season', 'unit_season'] LOOP
        CONTINUE WHEN caps ->> part IS NULL;
        SELECT count(*) INTO counted FROM award a JOIN award_list l ON l.id = a.list_id
        WHERE a.state IN ('held', 'offered') AND a.person_id IS NOT NULL
          AND CASE WHEN part LIKE 'person%' THEN a.person_id = NEW.person_id ELSE a.home_id = NEW.home_id END
          AND CASE WHEN part LIKE '%round' OR l.round_id = mine.round_id THEN l.id = mine.id
              ELSE l.contest_id = mine.contest_id AND l.version = (
                  SELECT max(newer.version) FROM award_list newer
                  WHERE newer.round_id = l.round_id AND newer.state <> 'replaced') END;
        IF counted > (caps ->> part)::integer THEN
            RAISE EXCEPTION 'cap % is exceeded by award %', part, NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'award_keeps_to_the_caps';
        END IF;
    END LOOP;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("invited_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("users_invited_by_exists"), "users", "users", ["invited_by"], ["id"])
    op.create_check_constraint(op.f("users_nobody_invites_themselves"), "users", "invited_by <> id")
    op.create_index(
        "users_invited", "users", ["invited_by"], postgresql_where=sa.text("invited_by IS NOT NULL")
    )
    op.add_column("unit", sa.Column("members", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("unit_members_are_counted"), "unit", "members > 0")
    _lists()
    _awards()
    _lots()
    op.execute(_CAPS)
    # Deferred: a list that is made anew ends old awards and writes new ones in one transaction.
    op.execute(
        "CREATE CONSTRAINT TRIGGER award_keeps_to_the_caps AFTER INSERT OR UPDATE ON award "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION award_keeps_to_the_caps()"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_is_kept BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _lists() -> None:
    op.create_table(
        "award_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contest_id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("passed", postgresql.JSONB(), nullable=False),
        sa.Column("doubt", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_by", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_by", sa.BigInteger(), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('making','provisional','checked','announced','paid','replaced')",
            name=op.f("award_list_state_is_known"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("award_list_version_is_positive")),
        sa.CheckConstraint(
            "(checked_by IS NULL) = (checked_at IS NULL)", name=op.f("award_list_checked_by_somebody")
        ),
        sa.CheckConstraint("checked_by <> made_by", name=op.f("award_list_checked_by_another_than_made_it")),
        sa.CheckConstraint(
            "state NOT IN ('checked','announced','paid') OR checked_at IS NOT NULL",
            name=op.f("award_list_checked_first"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('announced','paid') OR announced_at IS NOT NULL", name=op.f("award_list_announced_by_hand")
        ),
        sa.ForeignKeyConstraint(["contest_id"], ["contest.id"], name=op.f("award_list_contest_id_exists")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("award_list_round_id_exists")),
        *(
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"award_list_{name}_exists"))
            for name in ("made_by", "checked_by", "announced_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("award_list_key")),
        sa.UniqueConstraint("round_id", "version", name=op.f("award_list_one_per_round_id_version")),
    )
    op.create_index(
        "award_list_one_in_work_a_round", "award_list", ["round_id"], unique=True,
        postgresql_where=sa.text("state IN ('making','provisional','checked')"),
    )
    op.create_index(
        "award_list_one_public_a_round", "award_list", ["round_id"], unique=True,
        postgresql_where=sa.text("state IN ('announced','paid')"),
    )
    op.create_index("award_list_by_contest_id", "award_list", ["contest_id"])


def _awards() -> None:
    op.create_table(
        "award",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("prize", sa.Text(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("home_id", sa.Integer(), nullable=True),
        sa.Column("why", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_by", sa.BigInteger(), nullable=True),
        sa.Column("accepted_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.BigInteger(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_reference", sa.Text(), nullable=True),
        sa.Column("paid_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('held','offered','disqualified','superseded')", name=op.f("award_state_is_known")
        ),
        sa.CheckConstraint("(person_id IS NULL) <> (unit_id IS NULL)", name=op.f("award_one_winner")),
        sa.CheckConstraint("place > 0", name=op.f("award_place_is_positive")),
        sa.CheckConstraint("value >= 0", name=op.f("award_never_negative")),
        sa.CheckConstraint(
            "(state IN ('held','offered')) = (ended_at IS NULL)", name=op.f("award_ended_when_not_living")
        ),
        sa.CheckConstraint(
            "state <> 'disqualified' OR length(trim(reason)) > 0", name=op.f("award_disqualified_with_a_reason")
        ),
        sa.CheckConstraint(
            "lifted_at IS NULL OR state = 'disqualified'", name=op.f("award_lifted_only_if_disqualified")
        ),
        sa.CheckConstraint(
            "(paid_on IS NULL) = (paid_reference IS NULL)", name=op.f("award_paid_with_a_reference")
        ),
        sa.CheckConstraint("paid_on IS NULL OR state <> 'offered'", name=op.f("award_paid_only_if_held")),
        sa.CheckConstraint("accepted_by <> offered_by", name=op.f("award_accepted_by_another_than_offered_it")),
        sa.ForeignKeyConstraint(["list_id"], ["award_list.id"], name=op.f("award_list_id_exists")),
        *(
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"award_{name}_exists"))
            for name in ("person_id", "offered_by", "accepted_by", "ended_by", "lifted_by", "paid_by")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("award_unit_id_exists")),
        sa.ForeignKeyConstraint(["home_id"], ["unit.id"], name=op.f("award_home_id_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("award_key")),
    )
    op.create_index(
        "award_one_living_a_place", "award", ["list_id", "prize", "place"], unique=True,
        postgresql_where=sa.text("state IN ('held','offered')"),
    )
    op.create_index(
        "award_by_person_id", "award", ["person_id"], postgresql_where=sa.text("person_id IS NOT NULL")
    )
    op.create_index("award_by_list_id", "award", ["list_id"])


def _lots() -> None:
    op.create_table(
        "award_lot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("places", postgresql.JSONB(), nullable=False),
        sa.Column("ids", sa.Text(), nullable=False),
        sa.Column("members", postgresql.JSONB(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed_source", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("seed", sa.Text(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting','published','drawn','void')", name=op.f("award_lot_state_is_known")
        ),
        sa.CheckConstraint(
            "(published_at IS NULL) = (seed_source IS NULL)",
            name=op.f("award_lot_published_with_the_source_of_the_seed"),
        ),
        sa.CheckConstraint("(drawn_at IS NULL) = (seed IS NULL)", name=op.f("award_lot_drawn_with_a_seed")),
        sa.CheckConstraint(
            "drawn_at IS NULL OR published_at < drawn_at", name=op.f("award_lot_published_before_it_is_drawn")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["award_list.id"], name=op.f("award_lot_list_id_exists")),
        sa.ForeignKeyConstraint(["published_by"], ["users.id"], name=op.f("award_lot_published_by_exists")),
        sa.ForeignKeyConstraint(["drawn_by"], ["users.id"], name=op.f("award_lot_drawn_by_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("award_lot_key")),
    )
    op.create_index("award_lot_by_list_id", "award_lot", ["list_id"])


def downgrade() -> None:
    op.drop_table("award_lot")
    op.drop_table("award")
    op.drop_table("award_list")
    op.execute("DROP FUNCTION award_keeps_to_the_caps()")
    op.drop_constraint(op.f("unit_members_are_counted"), "unit", type_="check")
    op.drop_column("unit", "members")
    op.drop_index("users_invited", "users")
    op.drop_column("users", "invited_by")
