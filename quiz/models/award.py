"""AwardList, Award and Lot: who gets which prize of a round, how it became so, and what was paid.

Nothing of it is ever deleted: a winner who is replaced stays with the reason, a list that is made anew is another
version. The database keeps the rules besides the code: one living winner a place, and the caps (migration 0011).
"""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base
from quiz.models.contest import Round

IN_WORK = ("making", "provisional", "checked")
PUBLIC = ("announced", "paid")
LIVING = ("held", "offered")


class AwardList(Base):
    """The prizes of a round under the rules of the moment it was made.

    making (a worker chooses) → provisional → checked (by somebody else) → announced → paid. A list that is announced
    never changes by itself: another version replaces it, by the same steps.
    """

    __tablename__ = "award_list"
    __table_args__ = (
        UniqueConstraint("round_id", "version"),
        CheckConstraint(
            "state IN ('making','provisional','checked','announced','paid','replaced')", name="state_is_known"
        ),
        CheckConstraint("version > 0", name="version_is_positive"),
        CheckConstraint("(checked_by IS NULL) = (checked_at IS NULL)", name="checked_by_somebody"),
        CheckConstraint("checked_by <> made_by", name="checked_by_another_than_made_it"),
        CheckConstraint("state NOT IN ('checked','announced','paid') OR checked_at IS NOT NULL", name="checked_first"),
        CheckConstraint("state NOT IN ('announced','paid') OR announced_at IS NOT NULL", name="announced_by_hand"),
        Index(
            "award_list_one_in_work_a_round",
            "round_id",
            unique=True,
            postgresql_where=text("state IN ('making','provisional','checked')"),
        ),
        Index(
            "award_list_one_public_a_round",
            "round_id",
            unique=True,
            postgresql_where=text("state IN ('announced','paid')"),
        ),
        Index("award_list_by_contest_id", "contest_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contest_id: Mapped[int] = mapped_column(ForeignKey("contest.id"))
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    version: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text)
    rules: Mapped[dict[str, Any]]
    """`prizes`, `brackets` and `prize_caps` of the round's rules as they were applied."""
    secret: Mapped[bytes]
    """Makes the pseudonymous ids of its lots; nobody outside can tell whose they are."""
    passed: Mapped[list[Any]]
    """Who stood in line and got nothing for it, and why: `{line, id, reason, prize}`."""
    doubt: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Something that it rests on was changed since: what, and which places would be others'. None: nothing."""
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    checked_at: Mapped[datetime | None]
    announced_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    announced_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]

    round: Mapped[Round] = relationship()
    awards: Mapped[list[Award]] = relationship(back_populates="award_list", order_by="Award.id")
    lots: Mapped[list[Lot]] = relationship(back_populates="award_list", order_by="Lot.id")


class Award(Base):
    """A place of a prize and whose it is: held, or offered to the next in line, or once held."""

    __tablename__ = "award"
    __table_args__ = (
        CheckConstraint("state IN ('held','offered','disqualified','superseded')", name="state_is_known"),
        CheckConstraint("(person_id IS NULL) <> (unit_id IS NULL)", name="one_winner"),
        CheckConstraint("place > 0", name="place_is_positive"),
        CheckConstraint("value >= 0", name="never_negative"),
        CheckConstraint("(state IN ('held','offered')) = (ended_at IS NULL)", name="ended_when_not_living"),
        CheckConstraint("state <> 'disqualified' OR length(trim(reason)) > 0", name="disqualified_with_a_reason"),
        CheckConstraint("lifted_at IS NULL OR state = 'disqualified'", name="lifted_only_if_disqualified"),
        CheckConstraint("(paid_on IS NULL) = (paid_reference IS NULL)", name="paid_with_a_reference"),
        CheckConstraint("paid_on IS NULL OR state <> 'offered'", name="paid_only_if_held"),
        CheckConstraint("accepted_by <> offered_by", name="accepted_by_another_than_offered_it"),
        # One living winner a place of a prize.
        Index(
            "award_one_living_a_place",
            "list_id",
            "prize",
            "place",
            unique=True,
            postgresql_where=text("state IN ('held','offered')"),
        ),
        Index("award_by_person_id", "person_id", postgresql_where=text("person_id IS NOT NULL")),
        Index("award_by_list_id", "list_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("award_list.id"))
    prize: Mapped[str] = mapped_column(Text)
    """Key of the prize in the rules."""
    place: Mapped[int] = mapped_column(SmallInteger)
    """1 to the prize's count."""
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[int] = mapped_column(BigInteger)
    """Đồng."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    home_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The province or union of a person: what the caps per unit count by."""
    why: Mapped[dict[str, Any]]
    """What it was given for: rank, score, measure; and the lot, if one decided."""
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it is no longer held, or why it was offered."""
    made_at: Mapped[datetime]
    offered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    lifted_at: Mapped[datetime | None]
    """When a disqualification was taken back; the row stays what it was, a new one gives the place again."""
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    paid_on: Mapped[dt.date | None] = mapped_column(Date)
    paid_reference: Mapped[str | None] = mapped_column(Text)
    paid_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    award_list: Mapped[AwardList] = relationship(back_populates="awards")

    @property
    def living(self) -> bool:
        return self.state in LIVING


class Lot(Base):
    """A tie that the rules can't decide: who draws, what was published before, and the seed that came after.

    waiting → published (file and hash stand on a public page, the seed's source is named) → drawn, or void.
    """

    __tablename__ = "award_lot"
    __table_args__ = (
        CheckConstraint("state IN ('waiting','published','drawn','void')", name="state_is_known"),
        CheckConstraint("(published_at IS NULL) = (seed_source IS NULL)", name="published_with_the_source_of_the_seed"),
        CheckConstraint("(drawn_at IS NULL) = (seed IS NULL)", name="drawn_with_a_seed"),
        CheckConstraint("drawn_at IS NULL OR published_at < drawn_at", name="published_before_it_is_drawn"),
        Index("award_lot_by_list_id", "list_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("award_list.id"))
    line: Mapped[str] = mapped_column(Text)
    """The line of candidates it belongs to (services.awards.choosing)."""
    places: Mapped[list[Any]]
    """[prize, place] in the order in which they are drawn."""
    ids: Mapped[str] = mapped_column(Text)
    """The published file: a pseudonymous id a line, in order."""
    members: Mapped[list[Any]]
    """Whose ids they are, in the same order: persons, or units in a collective line."""
    sha256: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    made_at: Mapped[datetime]
    seed_source: Mapped[str | None] = mapped_column(Text)
    """Which public number of which day it will be, named before anybody can know it."""
    published_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    seed: Mapped[str | None] = mapped_column(Text)
    drawn_at: Mapped[datetime | None]
    drawn_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    award_list: Mapped[AwardList] = relationship(back_populates="lots")
