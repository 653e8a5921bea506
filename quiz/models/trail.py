"""CountingEvent and AuditEvent: what changed counts after the fact, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy import Identity as Sequence_
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class CountingEvent(Base):
    """Append-only: a cancelled session, a disqualification, merged accounts, a moved unit, an excluded entry.

    One function (scoring.counting) recounts the persons and rounds it names, in the transaction that writes it.
    """

    __tablename__ = "counting_event"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('session','disqualification','merge','move','exclusion','key')", name="kind_is_known"
        ),
        CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Sequence_(), primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"))
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]


class AuditEvent(Base):
    """Append-only and chained: each row's hash covers the row before it."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_by_actor", "actor_id", "id"),
        Index("audit_event_by_action", "action", "id"),
        Index("audit_event_by_subject", "subject", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text, default="")
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
