"""Appeal and AppealTemplate: what participants contest, by when it is to be answered, and what was answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base
from quiz.models.contest import Round
from quiz.models.correction import KeyProposal

KINDS = ("question", "result", "award")


class Appeal(Base):
    __tablename__ = "appeal"
    __table_args__ = (
        CheckConstraint("kind IN ('question','result','award')", name="kind_is_known"),
        CheckConstraint("state IN ('open','accepted','rejected')", name="state_is_known"),
        CheckConstraint("(kind = 'question') = (question_id IS NOT NULL)", name="a_question_is_named"),
        CheckConstraint("length(text) BETWEEN 20 AND 2000", name="text_has_a_length"),
        CheckConstraint(
            "(state = 'open') = (answered_at IS NULL) AND (state = 'open' OR length(trim(answer)) > 0)",
            name="decided_with_an_answer",
        ),
        Index(
            "appeal_one_open_an_entry_and_kind",
            *("round_id", "participant_id", "issuer", "attempt", "kind"),
            unique=True,
            postgresql_where=sql("state = 'open'"),
        ),
        Index("appeal_open_by_deadline", "due_at", "id", postgresql_where=sql("state = 'open'")),
        Index("appeal_by_question", "round_id", "question_id"),
        Index("appeal_by_participant", "participant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    participant_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    issuer: Mapped[int] = mapped_column(SmallInteger)
    attempt: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    question_id: Mapped[str | None] = mapped_column(Text)
    """The question's id in the frozen bank."""
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="open")
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """By when the organizers answer."""
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(Text, default="")
    proposal_id: Mapped[int | None] = mapped_column(ForeignKey("key_proposal.id", ondelete="SET NULL"), index=True)
    """The correction of the key that it led to; a cancelled one leaves nothing here."""

    round: Mapped[Round] = relationship()
    proposal: Mapped[KeyProposal | None] = relationship()


class AppealTemplate(Base):
    """Words for an answer, to begin with; organizers edit them."""

    __tablename__ = "appeal_template"
    __table_args__ = (
        CheckConstraint("length(trim(title)) > 0 AND length(trim(body)) > 0", name="has_words"),
        CheckConstraint("verdict IN ('accepted','rejected')", name="verdict_is_known"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(Text)
    """Which answer it is for."""
    retired_at: Mapped[datetime | None]
