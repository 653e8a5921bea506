"""KeyProposal: a corrected key on its way from one organizer through the dry run and a second one into force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base
from quiz.models.question import KeyVersion


class KeyProposal(Base):
    """The request that the scheduler hands on to the workers; its key stands in `key_version`, out of force.

    counting → counted → applying → written (scores are changed, boards not yet) → done. Cancelled before it is
    approved, it is deleted with its key: only the audit log knows of it.
    """

    __tablename__ = "key_proposal"
    __table_args__ = (
        CheckConstraint("state IN ('counting','counted','applying','written','done')", name="state_is_known"),
        CheckConstraint("length(trim(notice)) > 0", name="notice_is_given"),
        Index("key_proposal_one_open_a_round", "round_id", unique=True, postgresql_where=text("state <> 'done'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    key_version_id: Mapped[int] = mapped_column(ForeignKey("key_version.id"), unique=True)
    from_version: Mapped[int] = mapped_column(SmallInteger)
    """The key in force when it was made: if another one is in force at the approval, the numbers are no longer true."""
    state: Mapped[str] = mapped_column(Text, default="counting")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often a worker has begun the present step: a job that kills its worker is not tried for ever."""
    notice_title: Mapped[str] = mapped_column(Text)
    notice: Mapped[str] = mapped_column(Text)
    """What those who took part in the round are told when it is in force."""
    effect: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What the dry run counted, and in the end what was changed."""
    counted_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]

    key: Mapped[KeyVersion] = relationship()
