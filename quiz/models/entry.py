"""Entry: a paper handed in. The truth that everything else can be recounted from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class Entry(Base):
    """One attempt of one participant in one round, in the partition of its round.

    No foreign keys: the drain inserts tens of thousands a second and the token was signed by us; `recount --check`
    proves the references. There is no default partition: a round makes its own when it is created.
    """

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("attempt > 0", name="attempt_is_positive"),
        CheckConstraint("started_at <= received_at", name="received_after_the_start"),
        CheckConstraint("counted = (excluded_reason IS NULL)", name="excluded_with_a_reason"),
        {"postgresql_partition_by": "LIST (round_id)"},
    )

    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    participant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    issuer: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    unit_id: Mapped[int]
    """The participant's unit when the attempt was started, from the token."""
    bank_version: Mapped[int] = mapped_column(SmallInteger)
    key_version: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[int] = mapped_column(SmallInteger)
    """1 by the person, 2 by the deadline, 3 late (see quiz.intake.events.Kind)."""
    score: Mapped[int]
    correct: Mapped[int] = mapped_column(SmallInteger)
    prediction: Mapped[int | None] = mapped_column(BigInteger)
    duration_ms: Mapped[int]
    started_at: Mapped[datetime]
    received_at: Mapped[datetime]
    counted: Mapped[bool] = mapped_column(default=True)
    excluded_reason: Mapped[str | None] = mapped_column(Text)
    questions: Mapped[bytes]
    """Two bytes, big endian, for each question: its place in the frozen bank."""
    answers: Mapped[bytes]
    """Two bytes, big endian, for each question: bit i set if option i of the frozen bank was chosen."""
    merit: Mapped[bytes]
    """The ranking key under the round's rules: the greater, the better (scoring.ordering)."""
    channel: Mapped[str | None] = mapped_column(Text)
    session_id: Mapped[int | None]
    device: Mapped[str | None] = mapped_column(Text)
    """A random name that the browser keeps: it tells devices apart, and nothing of whose they are."""
