"""The bank: questions as people edit them, banks as they were frozen, keys as they were corrected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base


class Question(Base):
    """One version of a question; an edit makes the next version under the same `stem_id`."""

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("stem_id", "version"),
        CheckConstraint("difficulty BETWEEN 1 AND 5", name="difficulty_from_1_to_5"),
        CheckConstraint("length(trim(text)) > 0", name="text_is_not_empty"),
        CheckConstraint("reviewed_by IS NULL OR reviewed_by <> created_by", name="reviewed_by_a_second_person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"), index=True)
    """The round it is meant for; None: a free question of the contest's bank."""
    stem_id: Mapped[int]
    version: Mapped[int] = mapped_column(SmallInteger, default=1)
    text: Mapped[str] = mapped_column(Text)
    multiple: Mapped[bool] = mapped_column(default=False)
    explanation: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text, default="")
    difficulty: Mapped[int] = mapped_column(SmallInteger, default=2)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    retired_at: Mapped[datetime | None]

    options: Mapped[list[Option]] = relationship(order_by="Option.position", cascade="all, delete-orphan")


class Option(Base):
    __tablename__ = "option"
    __table_args__ = (UniqueConstraint("question_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    text: Mapped[str] = mapped_column(Text)
    right: Mapped[bool]


class Bank(Base):
    """The bank of a round as frozen: immutable, shuffled, and without its key.

    `content` is a list of `{id, question_id, text, multiple, topic, difficulty, options: [{id, option_id, text}]}`;
    a question's place in the list is its number in papers and events. The right options stand only in `KeyVersion`.
    """

    __tablename__ = "bank"
    __table_args__ = (UniqueConstraint("round_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    version: Mapped[int] = mapped_column(SmallInteger)
    content: Mapped[list[Any]]
    draw_way: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """How papers are drawn from it (quiz.intake.draw): as when it was frozen, whatever newer ways there are."""
    frozen_at: Mapped[datetime]


class KeyVersion(Base):
    """A key of a frozen bank: for each question the accepted answers, or that it is void.

    `key` is a list parallel to the bank's content of `{accept: [bit mask of right options, …], void: bool}`.
    Scores under a version are a pure function of entries and this row (promise 6).
    """

    __tablename__ = "key_version"
    __table_args__ = (UniqueConstraint("round_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    bank_version: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(SmallInteger)
    key: Mapped[list[Any]]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
