"""Contest and Round: what is run, when, and under which rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base
from quiz.phases import Phase, phase_of


class Contest(Base):
    __tablename__ = "contest"
    __table_args__ = (
        UniqueConstraint("slug"),
        Index("contest_one_is_current", "is_current", unique=True, postgresql_where="is_current"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    is_current: Mapped[bool] = mapped_column(default=False)
    """The contest that /api/v1/… means."""
    rules: Mapped[dict[str, Any] | None]
    """A `scoring.rules.Rules` document that new rounds begin with; None: nobody chose one."""
    created_at: Mapped[datetime]

    rounds: Mapped[list[Round]] = relationship(back_populates="contest", order_by="Round.number")


class Round(Base):
    """A weekly round. `id` is global over contests: keys, partitions and tokens use it, pages use `number`."""

    __tablename__ = "round"
    __table_args__ = (
        UniqueConstraint("contest_id", "number"),
        CheckConstraint("opens_at < closes_at", name="opens_before_it_closes"),
        CheckConstraint("number > 0", name="number_is_positive"),
        CheckConstraint("shards BETWEEN 1 AND 1024", name="shards_are_sane"),
        CheckConstraint("finalized_at IS NULL OR scheduled_at IS NOT NULL", name="final_only_if_scheduled"),
        CheckConstraint("published_at IS NULL OR finalized_at IS NOT NULL", name="published_only_if_final"),
        CheckConstraint("scheduled_at IS NULL OR bank_version IS NOT NULL", name="scheduled_only_with_a_bank"),
        # No two rounds of one contest are open at once. int4range stands in for btree_gist, which the
        # embedded PostgreSQL lacks; deferred, so that a whole calendar moves in one transaction.
        ExcludeConstraint(
            (text("int4range(contest_id, contest_id, '[]')"), "&&"),
            (text("tstzrange(opens_at, closes_at)"), "&&"),
            name="round_windows_never_overlap",
            using="gist",
            deferrable=True,
            initially="DEFERRED",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    theme: Mapped[str] = mapped_column(Text)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    windows: Mapped[list[Any] | None]
    """Pairs of ISO instants inside [opens_at, closes_at) when the round is not open all through; None: all of it."""
    rules: Mapped[dict[str, Any]]
    """A `scoring.rules.Rules` document, validated when it is written."""
    bank_version: Mapped[int | None] = mapped_column(SmallInteger)
    """The frozen bank that papers are drawn from."""
    key_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    """The key that entries are scored with now."""
    draw_secret: Mapped[bytes]
    """Papers are drawn by HMAC with it; it never rotates once the bank is frozen, unlike the signing keys."""
    shards: Mapped[int] = mapped_column(SmallInteger, default=16)
    scheduled_at: Mapped[datetime | None]
    finalized_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]

    contest: Mapped[Contest] = relationship(back_populates="rounds")

    def phase(self, now: datetime) -> Phase:
        return phase_of(
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            scheduled_at=self.scheduled_at,
            finalized_at=self.finalized_at,
            published_at=self.published_at,
            now=now,
        )
