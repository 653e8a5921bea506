"""SecondFactor and RecoveryCode: by what staff prove themselves beside their password."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quiz.models.base import Base


class SecondFactor(Base):
    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[bytes]
    """The shared secret under a key of the installation: a copy of the tables alone gives nobody a code."""
    nonce: Mapped[bytes]
    last_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    """The newest time step that a code was taken for: no code is good twice."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """When the first code of the app was right; until then it opens nothing."""


class RecoveryCode(Base):
    """One of ten codes for a lost phone; only its keyed hash is kept, and it is good once."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "hash"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    hash: Mapped[bytes]
    used_at: Mapped[datetime | None]
