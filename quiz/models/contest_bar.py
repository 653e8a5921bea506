"""ContestBar: who has a function in a contest, or is kept out of it for another reason."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class ContestBar(Base):
    """With a function the person is kept out of the rounds whose rules bar that function; without one, out of all."""

    __tablename__ = "contest_bar"
    __table_args__ = (
        CheckConstraint("function IN ('committee','expert','secretary')", name="function_is_known"),
        CheckConstraint("length(trim(reason)) > 0", name="reason_is_given"),
    )

    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    function: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
