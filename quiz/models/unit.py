"""Unit, UnitChange and Target: the tree of the Union, its history, and what each part of it shall reach."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base


class Unit(Base):
    """A node of the tree: central > province or attached union > commune > branch.

    A code is unique only with its dates: 82 was Tiền Giang until 30 June 2025 and is Đồng Tháp since.
    """

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("code", "valid_from"),
        CheckConstraint("kind IN ('central','province','union','commune','branch')", name="kind_is_known"),
        CheckConstraint("valid_to IS NULL OR valid_from < valid_to", name="dates_are_in_order"),
        CheckConstraint("(kind = 'central') = (parent_id IS NULL)", name="only_the_central_has_no_parent"),
        # The units of today by code; one code never names two of them.
        Index("unit_one_current_per_code", "code", unique=True, postgresql_where="valid_to IS NULL"),
        CheckConstraint("members > 0", name="members_are_counted"),
        Index("unit_by_parent", "parent_id", "sort_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    division: Mapped[str] = mapped_column(Text, default="")
    """The official sort: tỉnh, thành phố, xã, phường, đặc khu; before July 2025 with the district's name."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[dt.date] = mapped_column(Date)
    valid_to: Mapped[dt.date | None] = mapped_column(Date)
    """The first day it no longer was; None while it is."""
    search_text: Mapped[str] = mapped_column(Text)
    """Name without accents, lower case, đ as d: the embedded PostgreSQL has no unaccent."""
    sort_key: Mapped[str] = mapped_column(Text)
    """Orders names the Vietnamese way by plain byte comparison: there is no ICU either."""
    members: Mapped[int | None]
    """Members of the Union in it, as its officers count them: what a share of members is taken of."""

    parent: Mapped[Unit | None] = relationship(remote_side="Unit.id")


class UnitChange(Base):
    __tablename__ = "unit_change"
    __table_args__ = (
        UniqueConstraint("from_unit_id", "to_unit_id"),
        CheckConstraint("part IN ('whole','part')", name="part_is_known"),
        CheckConstraint("from_unit_id <> to_unit_id", name="goes_somewhere_else"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(Date)
    from_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    to_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    part: Mapped[str] = mapped_column(Text)


class Target(Base):
    """What a unit shall reach in a contest, or in one round of it (round_id set)."""

    __tablename__ = "target"
    __table_args__ = (
        UniqueConstraint("contest_id", "round_id", "unit_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("participants >= 0 AND entries >= 0", name="never_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    participants: Mapped[int]
    entries: Mapped[int]
