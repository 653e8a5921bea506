"""Announcement: what the organizers say to everybody, to a province, or to the people of a round."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class Announcement(Base):
    __tablename__ = "announcement"
    __table_args__ = (
        CheckConstraint("length(trim(title)) > 0", name="title_is_given"),
        CheckConstraint("unit_id IS NULL OR round_id IS NULL", name="one_audience"),
        Index("announcement_by_time", "contest_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """For the people of this unit and below; None: for all."""
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"))
    """For those who took part in this round."""
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    retracted_at: Mapped[datetime | None]
    """Taken back: nobody reads it any more, but it stays."""
    retracted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
