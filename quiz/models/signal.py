"""Signal and SignalScan: what looks odd in a round, with its evidence, for people to judge; nothing acts by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base
from quiz.models.contest import Round

KINDS = ("speed", "twins", "device", "session")


class Signal(Base):
    """One thing found. Found again it is the same row: (round, kind, subject) names it."""

    __tablename__ = "signal"
    __table_args__ = (
        UniqueConstraint("round_id", "kind", "subject"),
        CheckConstraint("kind IN ('speed','twins','device','session')", name="kind_is_known"),
        CheckConstraint("state IN ('open','dismissed','acted')", name="state_is_known"),
        CheckConstraint("strength BETWEEN 0 AND 100", name="strength_from_0_to_100"),
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open' OR length(trim(reason)) > 0)",
            name="decided_with_a_reason",
        ),
        Index("signal_open", sql("strength DESC"), "id", postgresql_where=sql("state = 'open'")),
        Index("signal_by_round", "round_id", sql("strength DESC"), "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    """What it is about, told in one word: a participant, the first entry of a group, a device, a group session."""
    strength: Mapped[int] = mapped_column(SmallInteger)
    """0 to 100, comparable within a kind: how far from what is usual."""
    evidence: Mapped[dict[str, Any]]
    """Numbers, as docs/trust.md lists them for each kind; pages turn them into words."""
    state: Mapped[str] = mapped_column(Text, default="open")
    found_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text, default="")

    round: Mapped[Round] = relationship()
    entries: Mapped[list[SignalEntry]] = relationship(
        order_by="(SignalEntry.participant_id, SignalEntry.issuer, SignalEntry.attempt)", cascade="all, delete-orphan"
    )


class SignalEntry(Base):
    """An entry that a signal is about; its round is the signal's."""

    __tablename__ = "signal_entry"
    __table_args__ = (Index("signal_entry_by_participant", "participant_id"),)

    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id", ondelete="CASCADE"), primary_key=True)
    participant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    issuer: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)


class SignalScan(Base):
    """That a round was looked through: once by itself after its close, again whenever somebody asks."""

    __tablename__ = "signal_scan"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True, autoincrement=False)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    at: Mapped[datetime | None]
    """When the last look ended; None: none ended yet."""
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """For each kind how many were found and how many kept, with the thresholds that were used."""
