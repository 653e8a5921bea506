"""Signals, appeals, entries taken out on request; the device of an entry; announcements taken back.

A new column of `entry` without a default rewrites nothing; old processes leave it empty.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEMPLATES = [
    (
        "accepted",
        "Đáp án sai, sẽ sửa",
        "Cảm ơn bạn. Ban tổ chức đã xem lại câu hỏi và thấy bạn nói đúng. Đáp án sẽ được sửa và mọi bài thi của tuần "
        "này được chấm lại; khi có kết quả mới, bạn sẽ thấy thông báo ở trang chủ.",
    ),
    (
        "accepted",
        "Bài được tính lại",
        "Cảm ơn bạn. Ban tổ chức đã xem lại và bài thi của bạn được tính lại. Điểm và thứ hạng được cập nhật trong ít "
        "phút.",
    ),
    (
        "accepted",
        "Giải thưởng được xem lại",
        "Cảm ơn bạn. Ban tổ chức đã xem lại và sẽ sửa danh sách giải thưởng của tuần này.",
    ),
    (
        "rejected",
        "Đáp án đúng theo tài liệu",
        "Cảm ơn bạn đã góp ý. Ban tổ chức đã đối chiếu lại với tài liệu của cuộc thi; đáp án được giữ nguyên vì: ",
    ),
    (
        "rejected",
        "Kết quả được giữ nguyên",
        "Cảm ơn bạn. Ban tổ chức đã kiểm tra bài thi của bạn trong hệ thống và kết quả được giữ nguyên vì: ",
    ),
    (
        "rejected",
        "Giải thưởng được giữ nguyên",
        "Cảm ơn bạn. Giải thưởng được trao theo thể lệ của tuần thi; danh sách được giữ nguyên vì: ",
    ),
]


def upgrade():
    op.add_column("entry", sa.Column("device", sa.Text(), nullable=True))
    op.add_column("announcement", sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("announcement", sa.Column("retracted_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("announcement_retracted_by_exists"), "announcement", "users", ["retracted_by"], ["id"]
    )
    _signals()
    _appeals()
    op.create_table(
        "counting_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("entries", postgresql.JSONB(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.BigInteger(), nullable=True),
        sa.Column("appeal_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("counting_request_reason_is_given")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("counting_request_round_id_exists")),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.id"], name=op.f("counting_request_signal_id_exists"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeal.id"], name=op.f("counting_request_appeal_id_exists"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("counting_request_asked_by_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("counting_request_key")),
    )
    op.create_index("counting_request_waiting", "counting_request", ["id"], postgresql_where=sa.text("done_at IS NULL"))
    op.create_index("counting_request_by_round", "counting_request", ["round_id", "id"])


def _signals():
    op.create_table(
        "signal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("strength", sa.SmallInteger(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('speed','twins','device','session')", name=op.f("signal_kind_is_known")),
        sa.CheckConstraint("state IN ('open','dismissed','acted')", name=op.f("signal_state_is_known")),
        sa.CheckConstraint("strength BETWEEN 0 AND 100", name=op.f("signal_strength_from_0_to_100")),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open' OR length(trim(reason)) > 0)",
            name=op.f("signal_decided_with_a_reason"),
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("signal_round_id_exists")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("signal_decided_by_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("signal_key")),
        sa.UniqueConstraint("round_id", "kind", "subject", name=op.f("signal_one_per_round_id_kind_subject")),
    )
    op.create_index(
        "signal_open", "signal", [sa.text("strength DESC"), "id"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_index("signal_by_round", "signal", ["round_id", sa.text("strength DESC"), "id"])
    op.create_table(
        "signal_entry",
        sa.Column("signal_id", sa.BigInteger(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.id"], name=op.f("signal_entry_signal_id_exists"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("signal_id", "participant_id", "issuer", "attempt", name=op.f("signal_entry_key")),
    )
    op.create_index("signal_entry_by_participant", "signal_entry", ["participant_id"])
    op.create_table(
        "signal_scan",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("signal_scan_round_id_exists")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("signal_scan_key")),
    )


def _appeals():
    op.create_table(
        "appeal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('question','result','award')", name=op.f("appeal_kind_is_known")),
        sa.CheckConstraint("state IN ('open','accepted','rejected')", name=op.f("appeal_state_is_known")),
        sa.CheckConstraint(
            "(kind = 'question') = (question_id IS NOT NULL)", name=op.f("appeal_a_question_is_named")
        ),
        sa.CheckConstraint("length(text) BETWEEN 20 AND 2000", name=op.f("appeal_text_has_a_length")),
        sa.CheckConstraint(
            "(state = 'open') = (answered_at IS NULL) AND (state = 'open' OR length(trim(answer)) > 0)",
            name=op.f("appeal_decided_with_an_answer"),
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("appeal_round_id_exists")),
        sa.ForeignKeyConstraint(["participant_id"], ["users.id"], name=op.f("appeal_participant_id_exists")),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("appeal_answered_by_exists")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["key_proposal.id"], name=op.f("appeal_proposal_id_exists"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("appeal_key")),
    )
    op.create_index(
        "appeal_one_open_an_entry_and_kind", "appeal", ["round_id", "participant_id", "issuer", "attempt", "kind"],
        unique=True, postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "appeal_open_by_deadline", "appeal", ["due_at", "id"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_index("appeal_by_question", "appeal", ["round_id", "question_id"])
    op.create_index("appeal_by_participant", "appeal", ["participant_id", "id"])
    op.create_index(op.f("appeal_by_proposal_id"), "appeal", ["proposal_id"])
    templates = op.create_table(
        "appeal_template",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "length(trim(title)) > 0 AND length(trim(body)) > 0", name=op.f("appeal_template_has_words")
        ),
        sa.CheckConstraint("verdict IN ('accepted','rejected')", name=op.f("appeal_template_verdict_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("appeal_template_key")),
    )
    op.bulk_insert(
        templates, [{"verdict": verdict, "title": title, "body": body} for verdict, title, body in TEMPLATES]
    )


def downgrade():
    for table in ("counting_request", "appeal_template", "appeal", "signal_scan", "signal_entry", "signal"):
        op.drop_table(table)
    op.drop_constraint("announcement_retracted_by_exists", "announcement", type_="foreignkey")
    op.drop_column("announcement", "retracted_by")
    op.drop_column("announcement", "retracted_at")
    op.drop_column("entry", "device")
