"""User and Identity: who takes part and who runs it, and by what they prove it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy import Identity as Sequence_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from quiz.models.base import Base

PLAIN_NAME = "lower(regexp_replace(normalize(translate(full_name, 'Đđ', 'Dd'), NFKD), '[\u0300-\u036f]', '', 'g'))"
"""A name without accents, in small letters, in SQL: the embedded PostgreSQL has no unaccent. Its words are indexed."""
NAME_WORDS = f"to_tsvector('simple', {PLAIN_NAME})"

ROLES = ("participant", "officer", "organizer", "administrator")
_MEMBER_KINDS = "'union_member','association_member','pupil','student','worker','civil_servant','soldier','other'"
"""Those of scoring.rules.words."""


class User(Base):
    __tablename__ = "users"  # "user" is a reserved word of SQL
    __table_args__ = (
        CheckConstraint("role IN ('participant','officer','organizer','administrator')", name="role_is_known"),
        CheckConstraint("(role = 'officer') = (scope_unit_id IS NOT NULL)", name="an_officer_has_a_unit"),
        CheckConstraint("role <> 'participant' OR unit_id IS NOT NULL", name="a_participant_has_a_unit"),
        CheckConstraint(f"member_kind IN ({_MEMBER_KINDS})", name="member_kind_is_known"),
        CheckConstraint("(barred_at IS NULL) = (barred_reason IS NULL)", name="barred_with_a_reason"),
        # The drain asks "who was merged into whom" for each batch: a handful of rows, never the whole table.
        Index("users_merged", "id", "person_id", postgresql_where="person_id <> id"),
        # Priming copies these few into the shards.
        Index("users_to_recheck", "id", postgresql_where="auth_epoch > 0 OR barred_at IS NOT NULL"),
        Index("users_by_unit", "unit_id"),
        Index("users_by_name", text(NAME_WORDS), postgresql_using="gin"),
        Index("users_of_the_staff", "id", postgresql_where="role <> 'participant'"),
        Index("users_barred", "id", postgresql_where="barred_at IS NOT NULL"),
        CheckConstraint("invited_by <> id", name="nobody_invites_themselves"),
        Index("users_invited", "invited_by", postgresql_where="invited_by IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Sequence_(), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger)
    """One person, possibly with several accounts: standings and tallies count persons. Own id until merged."""
    full_name: Mapped[str] = mapped_column(Text)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    member_kind: Mapped[str | None] = mapped_column(Text)
    """What the person said to be; None: nothing."""
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[str] = mapped_column(Text, default="participant")
    scope_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    password_hash: Mapped[str | None] = mapped_column(Text)
    auth_epoch: Mapped[int] = mapped_column(default=0)
    """Raised by sign-out everywhere and by a password change; older cookies and tokens end with it."""
    barred_at: Mapped[datetime | None]
    barred_reason: Mapped[str | None] = mapped_column(Text)
    consent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    synthetic: Mapped[bool] = mapped_column(default=False)
    """Made by the demo or a benchmark; never mixed up with people."""
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Whose link they came by; kept once, when they registered."""

    identities: Mapped[list[Identity]] = relationship(back_populates="user", cascade="all, delete-orphan")


class Identity(Base):
    """A phone, code, e-mail or single-sign-on subject. Siblings share phones and numbers change hands, so it
    is a row that can be moved, not a column of the person."""

    __tablename__ = "identity"
    __table_args__ = (
        UniqueConstraint("kind", "value"),
        CheckConstraint("kind IN ('phone','code','email','oidc')", name="kind_is_known"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Sequence_(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]

    user: Mapped[User] = relationship(back_populates="identities")
