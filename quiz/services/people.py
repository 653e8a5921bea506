"""Finding people, and what organizers may do to an account: bar, let in again, end its sessions.

Nobody's number is ever listed: a number finds its owner only when it is typed in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import ColumnElement, TextClause, func, select, text
from sqlalchemy.orm import Session, aliased

from quiz.errors import FieldError, Refusal
from quiz.intake.season import Season
from quiz.models import Entry, Identity, SecondFactor, Unit, User
from quiz.models.base import lock
from quiz.models.user import NAME_WORDS
from quiz.services import accounts, audit, phones, second_factor, staff, units
from quiz.services.staff import Staff
from quiz.services.vietnamese import fold

PAGE = 50
FEW = 2_000
_WRONG_WAYS = ("enable_seqscan", "enable_indexscan")
GROUPS = ("all", "staff", "barred")


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    full_name: str
    role: str
    unit: str | None
    scope: str | None
    barred: bool
    second_factor: bool


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    older: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """An account as its page shows it."""

    id: int
    full_name: str
    role: str
    birth_year: int | None
    unit: str | None
    scope: str | None
    phone_end: str | None
    """The last three digits: enough to compare with what somebody says on the phone."""
    created_at: datetime
    barred_at: datetime | None
    barred_reason: str | None
    second_factor: bool
    recovery_codes: int
    entries: int


def search(
    session: Session,
    asker: Staff,
    words: str = "",
    group: str = "all",
    before: int | None = None,
    size: int = PAGE,
    *,
    unit_id: int | None = None,
) -> Page:
    """People by name (without accents, words in any order, the last one may be begun only) or by a whole number.

    An officer finds people of the own unit alone. With `unit_id`: those of that unit and of everything below it.
    """
    home, scope = aliased(Unit), aliased(Unit)
    statement = (
        select(
            User.id,
            User.full_name,
            User.role,
            home.name,
            scope.name,
            User.barred_at.is_not(None),
            SecondFactor.confirmed_at.is_not(None),
        )
        .outerjoin(home, home.id == User.unit_id)
        .outerjoin(scope, scope.id == User.scope_unit_id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(*_conditions(session, asker, words, group))
        .order_by(User.id.desc())
        .limit(size + 1)
    )
    if unit_id is not None:
        statement = statement.where(User.unit_id.in_(units.subtree(session, unit_id)))
    if before is not None:
        statement = statement.where(User.id < before)
    found = [Row(*row) for row in session.execute(statement)]
    return Page(found[:size], found[size - 1].id if len(found) > size else None)


def officers_of(session: Session, unit_id: int) -> list[tuple[int, str]]:
    """(id, name) of those who answer for a unit."""
    found = select(User.id, User.full_name).where(User.role != "participant", User.scope_unit_id == unit_id)
    return [(row.id, row.full_name) for row in session.execute(found.order_by(User.id))]


def _conditions(session: Session, asker: Staff, words: str, group: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    seen = staff.scope(session, asker)
    if seen is not None:
        conditions += [User.unit_id.in_(seen), User.role == "participant"]
    if group == "staff":
        conditions.append(User.role != "participant")
    elif group == "barred":
        conditions.append(User.barred_at.is_not(None))
    if words.strip():
        conditions.append(_named(session, words))
    return conditions


def _named(session: Session, words: str) -> ColumnElement[bool]:
    try:
        number = phones.normalize(words)
    except phones.InvalidPhone:
        asked = fold(words).split()
        if not asked:
            return text("false")  # type: ignore[return-value]
        # fold leaves letters and digits only, so nothing of the query's own language can come in.
        query = " & ".join([*asked[:-1], f"{asked[-1]}:*"])
        named = text(f"{NAME_WORDS} @@ to_tsquery('simple', :words)").bindparams(words=query)
        return _few(session, named)
    return User.id.in_(select(Identity.user_id).where(Identity.kind == "phone", Identity.value == number))


def _few(session: Session, named: TextClause) -> ColumnElement[bool]:
    """The ids themselves if the index of names has few, else the condition as it is.

    With "newest first" the planner walks the accounts from the newest on and hopes to meet the name soon. For Nguyễn
    that is best; for a name that hardly anybody has it reads millions. So the index is asked first, and nothing else.
    """
    for way in _WRONG_WAYS:
        session.execute(text(f"SET LOCAL {way} = off"))
    found = session.scalars(select(User.id).where(named).limit(FEW + 1)).all()
    for way in _WRONG_WAYS:
        session.execute(text(f"SET LOCAL {way} TO DEFAULT"))
    return User.id.in_(found) if len(found) <= FEW else named  # type: ignore[return-value]


def person(session: Session, asker: Staff, user_id: int) -> Person:
    """Raises Refusal("not_found"), also for whoever is not the asker's to see."""
    user = _seen(session, asker, user_id)
    number = session.scalar(select(Identity.value).where(Identity.user_id == user.id, Identity.kind == "phone"))
    entries = select(func.count()).select_from(Entry).where(Entry.participant_id == user.id)
    return Person(
        id=user.id,
        full_name=user.full_name,
        role=user.role,
        birth_year=user.birth_year,
        unit=_unit_name(session, user.unit_id),
        scope=_unit_name(session, user.scope_unit_id),
        phone_end=number[-3:] if number else None,
        created_at=user.created_at,
        barred_at=user.barred_at,
        barred_reason=user.barred_reason,
        second_factor=second_factor.is_set_up(session, user.id),
        recovery_codes=second_factor.codes_left(session, user.id),
        entries=session.scalar(entries) or 0,
    )


def _seen(session: Session, asker: Staff, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None or (asker.unit_id is not None and user.role != "participant"):
        raise Refusal("not_found")
    if not staff.covers(session, asker, user.unit_id):
        raise Refusal("not_found")
    return user


def _unit_name(session: Session, unit_id: int | None) -> str | None:
    if unit_id is None:
        return None
    home = units.home_of(session, unit_id)
    return home.name


# What organizers do. Each commits, and copies into intake after the commit.


def bar(
    session: Session, intake: Redis, season: Season, asker: Staff, user_id: int, reason: str, now: datetime
) -> None:
    """Let somebody start no more papers and sign in nowhere as staff; what was handed in stays and counts.

    Raises:
        Refusal: not_found, forbidden, invalid_request.
    """
    user = _touchable(session, asker, user_id)
    why = _reason(reason)
    if user.barred_at is None:
        user.barred_at, user.barred_reason = now, why
        audit.append(session, now, asker.id, "user.barred", f"user:{user.id}", reason=why)
    session.commit()
    # Repeated also if it was barred before: a copy that failed is made good by pressing again.
    accounts.spread_bars(intake, season, [(user_id, None)])


def unbar(
    session: Session, intake: Redis, season: Season, asker: Staff, user_id: int, reason: str, now: datetime
) -> None:
    """Let somebody in again.

    Raises:
        Refusal: not_found, forbidden, invalid_request.
    """
    user = _touchable(session, asker, user_id)
    why = _reason(reason)
    if user.barred_at is not None:
        user.barred_at = user.barred_reason = None
        audit.append(session, now, asker.id, "user.unbarred", f"user:{user.id}", reason=why)
    epoch = user.auth_epoch
    session.commit()
    accounts.spread_bars(intake, season, [(user_id, epoch)])


def end_sessions(
    session: Session, intake: Redis, season: Season, asker: Staff, user_id: int, reason: str, now: datetime
) -> None:
    """Sign somebody out everywhere.

    Raises:
        Refusal: not_found, forbidden, invalid_request.
    """
    user = _touchable(session, asker, user_id)
    audit.append(session, now, asker.id, "user.signed_out", f"user:{user.id}", reason=_reason(reason))
    # Commits, the line of the log with it.
    accounts.sign_out_everywhere(session, intake, season, user_id)


def reset_second_factor(
    session: Session, intake: Redis, season: Season, asker: Staff, user_id: int, reason: str, now: datetime
) -> None:
    """For a lost phone without recovery codes; open sessions of the account end with it.

    Raises:
        Refusal: not_found, forbidden, invalid_request.
    """
    user = _touchable(session, asker, user_id)
    second_factor.reset(session, user.id, now, actor_id=asker.id, reason=_reason(reason))
    accounts.sign_out_everywhere(session, intake, season, user_id)


def create_staff(
    session: Session, asker: Staff, phone: str, name: str, role: str, unit_code: str, password: str, now: datetime
) -> int:
    """An account of the staff; its first sign-in sets up the second factor. Commits and returns its id.

    Raises:
        Refusal: invalid_request naming the fields, phone_taken, too_many_requests.
    """
    if role not in staff.ROLES:
        raise Refusal("invalid_request", errors=(FieldError("role", _l("Choose a role.")),))
    unit = unit_code if role == "officer" else None
    made = accounts.create_user(session, phone, name, role, unit, password, now)
    detail = {"role": role, "unit": unit}
    audit.append(session, now, asker.id, "user.created", f"user:{made.id}", detail)
    user_id = made.id
    session.commit()
    return user_id


def change_role(
    session: Session, asker: Staff, user_id: int, role: str, unit_code: str, reason: str, now: datetime
) -> None:
    """Give one of the staff another role, or an officer another unit; true from their next request on. Commits.

    Nobody changes the own role, so an administrator is always left.

    Raises:
        Refusal: not_found, forbidden, unknown_unit, invalid_request naming the field.
    """
    # One after the other: two administrators who take each other's role at once must not both succeed.
    administrators = select(User.id).where(User.role == "administrator").order_by(User.id).with_for_update()
    if asker.id not in session.scalars(administrators).all():
        raise Refusal("forbidden")
    user = _touchable(session, asker, user_id)
    if user.role == "participant" or role not in staff.ROLES:
        raise Refusal("invalid_request", errors=(FieldError("role", _l("Choose a role.")),))
    if role == "officer" and not unit_code:
        message = _l("Choose the unit that the officer answers for.")
        raise Refusal("invalid_request", errors=(FieldError("unit_code", message),))
    why = _reason(reason)
    unit_id = units.get(session, unit_code).id if role == "officer" else None
    before = {"role": user.role, "unit": _unit_code(session, user.scope_unit_id)}
    after = {"role": role, "unit": _unit_code(session, unit_id)}
    if after != before:
        user.role, user.scope_unit_id, user.unit_id = role, unit_id, unit_id
        detail = {"before": before, "after": after}
        audit.append(session, now, asker.id, "staff.role_changed", f"user:{user.id}", detail, why)
    session.commit()


def _unit_code(session: Session, unit_id: int | None) -> str | None:
    return None if unit_id is None else session.get_one(Unit, unit_id).code


def _touchable(session: Session, asker: Staff, user_id: int) -> User:
    """Whom the asker may act on, locked: nobody on themselves, and only administrators on staff."""
    user = _seen(session, asker, user_id)
    if user.id == asker.id or (user.role != "participant" and asker.role != "administrator"):
        raise Refusal("forbidden")
    lock(session, user)
    return user


def _reason(typed: str) -> str:
    if not typed.strip():
        raise Refusal("invalid_request", errors=(FieldError("reason", _l("Write the reason; it stands in the log.")),))
    return typed.strip()
