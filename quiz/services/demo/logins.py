"""The demo's logins: printed at the start and shown on the sign-in page, on embedded servers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz.config import Settings
from quiz.models import Contest, Identity, Unit, User
from quiz.services import accounts, passwords, phones, second_factor

SLUG = "80-nam-tong-tuyen-cu"
_OFFICERS_PROVINCE = "40"


@dataclass(frozen=True, slots=True)
class DemoLogin:
    role: str
    """participant, officer, organizer, administrator"""
    full_name: str
    phone: str
    password: str

    @property
    def secret(self) -> str | None:
        """What staff type into an authenticator app for their second factor; participants have none."""
        return None if self.role == "participant" else second_factor.DEMO_SECRET


LOGINS = (
    DemoLogin("participant", "Nguyễn Minh Anh", "0900 000 001", "thisinh-80nam"),
    DemoLogin("officer", "Trần Thị Thu Hà", "0900 000 002", "canbo-80nam"),
    DemoLogin("organizer", "Lê Hoàng Nam", "0900 000 003", "bantochuc-80nam"),
    DemoLogin("administrator", "Phạm Quang Huy", "0900 000 004", "quantri-80nam"),
)


def demo_logins(session: Session, settings: Settings) -> Sequence[DemoLogin]:
    """The logins to show: none but on embedded servers with the demo loaded to its end."""
    return LOGINS if settings.embedded and is_loaded(session) else ()


def is_loaded(session: Session) -> bool:
    """Whether a load came to its end: the contest is there and so are the logins, which it makes last."""
    numbers = [phones.normalize(login.phone) for login in LOGINS]
    contests = select(func.count()).select_from(Contest).where(Contest.slug == SLUG).scalar_subquery()
    people = select(func.count()).select_from(Identity).where(Identity.kind == "phone", Identity.value.in_(numbers))
    return tuple(session.execute(select(contests, people.scalar_subquery())).one()) == (1, len(LOGINS))


def add_logins(session: Session, member_id: int, now: datetime) -> None:
    """Give the demo's first participant a password, and make the people who run the contest. The caller commits."""
    member, *staff = LOGINS
    user = session.get_one(User, member_id)
    user.full_name, user.password_hash = member.full_name, passwords.hash_password(member.password)
    user.identities.append(Identity(kind="phone", value=phones.normalize(member.phone), created_at=now))
    province = session.scalars(select(Unit).where(Unit.code == _OFFICERS_PROVINCE, Unit.valid_to.is_(None))).one()
    for login in staff:
        made = accounts.add_user(
            session,
            now,
            full_name=login.full_name,
            phone=phones.normalize(login.phone),
            unit_id=province.id if login.role == "officer" else None,
            role=login.role,
            scope_unit_id=province.id if login.role == "officer" else None,
            password_hash=passwords.hash_password(login.password),
        )
        made.synthetic = True
