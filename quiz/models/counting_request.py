"""CountingRequest: entries that staff take out of the count or put back; a worker counts their people again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class CountingRequest(Base):
    """Asked on a page, done by `scoring.counting` in one transaction with its counting event."""

    __tablename__ = "counting_request"
    __table_args__ = (
        CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),
        Index("counting_request_waiting", "id", postgresql_where=sql("done_at IS NULL")),
        Index("counting_request_by_round", "round_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    entries: Mapped[list[Any]]
    """[[participant, issuer, attempt], …]"""
    counted: Mapped[bool]
    """False: taken out; True: put back."""
    reason: Mapped[str] = mapped_column(Text)
    signal_id: Mapped[int | None] = mapped_column(ForeignKey("signal.id", ondelete="SET NULL"))
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeal.id", ondelete="SET NULL"))
    """What it came of."""
    asked_at: Mapped[datetime]
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    done_at: Mapped[datetime | None]
