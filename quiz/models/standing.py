"""Standing and tally: what the entries of a round come to, for a person and for a unit.

Both are kept by the drain in the transaction of the entries and can be recounted from them at any time.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class Standing(Base):
    """A person's counting entry in a round. In partitions by round, like the entries."""

    __tablename__ = "standing"
    __table_args__ = (
        CheckConstraint("entries > 0", name="counts_an_entry"),
        Index("standing_by_merit", "round_id", text("merit DESC")),
        {"postgresql_partition_by": "LIST (round_id)"},
    )

    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    participant_id: Mapped[int] = mapped_column(BigInteger)
    issuer: Mapped[int] = mapped_column(SmallInteger)
    attempt: Mapped[int] = mapped_column(SmallInteger)
    unit_id: Mapped[int]
    """The home unit, fixed for the round at the first entry."""
    entries: Mapped[int]
    score: Mapped[int]
    correct: Mapped[int] = mapped_column(SmallInteger)
    prediction: Mapped[int | None] = mapped_column(BigInteger)
    duration_ms: Mapped[int]
    received_at: Mapped[datetime]
    merit: Mapped[bytes]
    rank: Mapped[int | None]
    """Written when the round becomes final; until then a rank is counted when it is asked for."""


class RankStep(Base):
    """A rung of a round's ladder of merits: so many standings are above it. Written by scoring.ranks, a copy."""

    __tablename__ = "rank_step"

    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    merit: Mapped[bytes] = mapped_column(primary_key=True)
    above: Mapped[int]


class ContestStanding(Base):
    """A person in the whole contest: people of the contest are not the sum of the rounds."""

    __tablename__ = "contest_standing"
    __table_args__ = (CheckConstraint("entries > 0", name="counts_an_entry"),)

    contest_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit_id: Mapped[int]
    entries: Mapped[int]
    rounds: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[int]
    """The sum of the scores of the person's standings."""


class Tally(Base):
    """Counts of a leaf unit in a round, summed and rolled up when read.

    Several rows a unit: each lane of the drain adds to its own (`shard` is its number), so that two drains never wait
    for one row. Recounts spread a unit over rows as they like: only the sum means anything.
    """

    __tablename__ = "tally"

    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    participants: Mapped[int]
    entries: Mapped[int]
    score_sum: Mapped[int] = mapped_column(BigInteger)
    """Sum of the standings' scores: with `participants` it gives the average."""


class ContestTally(Base):
    __tablename__ = "contest_tally"

    contest_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    participants: Mapped[int]
    entries: Mapped[int]
    standings: Mapped[int]
    """Standings over all rounds: the average score of the contest is a mean over them."""
    score_sum: Mapped[int] = mapped_column(BigInteger)


class Watermark(Base):
    """How far a shard's stream is drained: moved in the transaction of the batch, so a snapshot can name it."""

    __tablename__ = "watermark"

    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    stream_id: Mapped[str] = mapped_column(Text)
    entries: Mapped[int] = mapped_column(BigInteger)
