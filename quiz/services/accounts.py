"""Accounts: registering, signing in, changing the password, signing out everywhere, the own profile.

The phone number is an identity row, not a column of the person: siblings share phones and numbers change hands.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quiz import clock
from quiz.errors import FieldError, Refusal
from quiz.intake.primer import write_bars
from quiz.intake.season import Season
from quiz.models import Identity, Unit, User
from quiz.services import passwords, phones, units
from scoring.rules import MEMBER_KINDS

HOME_KINDS = ("province", "union", "commune", "branch")
OLDEST, YOUNGEST = 120, 6
"""Years of age that a year of birth may mean."""
MAX_NAME = 100

TRIES = 10
TRIES_WINDOW = timedelta(minutes=5)
"""So many wrong passwords for one account, then a pause. Per account and never per address: a school is one."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the form or the API sends, as typed."""

    phone: str
    password: str
    full_name: str
    unit_code: str
    birth_year: int | None = None
    consent: bool = False
    member_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is, ready for the cookie, the token and the answers."""

    id: int
    full_name: str
    role: str
    auth_epoch: int
    unit_id: int
    """0: an account without a unit of its own (organizers)."""

    @staticmethod
    def of(user: User) -> Account:
        return Account(user.id, user.full_name, user.role, user.auth_epoch, user.unit_id or 0)


@dataclass(frozen=True, slots=True)
class Profile:
    id: int
    full_name: str
    phone: str | None
    """E.164; only its owner sees it."""
    birth_year: int | None
    member_kind: str | None
    role: str
    home: units.Home | None
    created_at: datetime


# Registering


def register(session: Session, form: Registration, now: datetime, *, invited_by: int | None = None) -> Account:
    """Make a participant's account and commit it.

    Args:
        invited_by: the account whose link the person came by (services.invitations); kept once and for all.

    Raises:
        Refusal: invalid_request naming each field that is not right, phone_taken, too_many_requests.
    """
    phone, unit, name = _checked(session, form, now)
    # The cheap look first: a taken number costs no hash. The constraint below decides for those who race.
    if _identity(session, phone) is not None:
        raise Refusal("phone_taken")
    # Nothing is held while the hash waits its turn: a connection is worth more than the look-ups it saves.
    unit_id = unit.id
    session.rollback()
    password_hash = passwords.hash_password(form.password)
    user = add_user(
        session,
        now,
        full_name=name,
        phone=phone,
        unit_id=unit_id,
        birth_year=form.birth_year,
        member_kind=form.member_kind,
        password_hash=password_hash,
        consent_at=now,
    )
    user.invited_by = invited_by
    _commit_new(session)
    return Account.of(user)


def add_user(
    session: Session,
    now: datetime,
    *,
    full_name: str,
    phone: str | None,
    unit_id: int | None,
    role: str = "participant",
    scope_unit_id: int | None = None,
    birth_year: int | None = None,
    member_kind: str | None = None,
    password_hash: str | None = None,
    consent_at: datetime | None = None,
) -> User:
    """Add an account that was checked before; flushes to learn its id, the caller commits.

    Raises:
        Refusal: phone_taken.
    """
    user = User(
        person_id=0,
        full_name=full_name,
        birth_year=birth_year,
        member_kind=member_kind,
        unit_id=unit_id,
        role=role,
        scope_unit_id=scope_unit_id,
        password_hash=password_hash,
        consent_at=consent_at,
        created_at=now,
    )
    if phone is not None:
        user.identities.append(Identity(kind="phone", value=phone, created_at=now))
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise _translated(error) from error
    # One account is one person until accounts are merged.
    user.person_id = user.id
    return user


def create_user(
    session: Session, phone: str, full_name: str, role: str, unit_code: str | None, password: str, now: datetime
) -> User:
    """Make an account of any role, as an administrator does; the caller commits.

    An officer's unit is what the officer answers for. Organizers and administrators have none.

    Raises:
        Refusal: invalid_request naming each field that is not right, phone_taken.
    """
    errors: list[FieldError] = []
    number = _checked_phone(phone, errors)
    if complaint := passwords.complaint(password, number or None):
        errors.append(FieldError("password", complaint))
    name = tidy_name(full_name)
    if complaint := name_complaint(name):
        errors.append(FieldError("full_name", complaint))
    unit = None
    if role in ("participant", "officer"):
        unit = _checked_unit(session, unit_code or "", errors)
    elif unit_code:
        errors.append(FieldError("unit_code", _l("Only participants and officers have a unit.")))
    if errors:
        raise Refusal("invalid_request", errors=tuple(errors))
    unit_id = unit.id if unit else None
    return add_user(
        session,
        now,
        full_name=name,
        phone=number,
        unit_id=unit_id,
        role=role,
        scope_unit_id=unit_id if role == "officer" else None,
        password_hash=passwords.hash_password(password),
    )


def _commit_new(session: Session) -> None:
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise _translated(error) from error


def _translated(error: IntegrityError) -> Exception:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return Refusal("phone_taken") if constraint == "identity_one_per_kind_value" else error


def _checked(session: Session, form: Registration, now: datetime) -> tuple[str, Unit, str]:
    errors: list[FieldError] = []
    phone = _checked_phone(form.phone, errors)
    if complaint := passwords.complaint(form.password, phone or None):
        errors.append(FieldError("password", complaint))
    name = tidy_name(form.full_name)
    if complaint := name_complaint(name):
        errors.append(FieldError("full_name", complaint))
    if complaint := birth_year_complaint(form.birth_year, now):
        errors.append(FieldError("birth_year", complaint))
    if complaint := member_kind_complaint(form.member_kind):
        errors.append(FieldError("member_kind", complaint))
    if form.consent is not True:
        errors.append(FieldError("consent", _l("Your consent is needed to take part.")))
    unit = _checked_unit(session, form.unit_code, errors)
    if errors or unit is None:
        raise Refusal("invalid_request", errors=tuple(errors))
    return phone, unit, name


def _checked_phone(typed: str, errors: list[FieldError]) -> str:
    try:
        return phones.normalize(typed)
    except phones.InvalidPhone as invalid:
        errors.append(FieldError("phone", invalid.message))
        return ""


def _checked_unit(session: Session, code: str, errors: list[FieldError]) -> Unit | None:
    unit = units.find(session, code)
    if unit is None or unit.kind not in HOME_KINDS:
        errors.append(FieldError("unit_code", _l("Choose a commune, a province or a union from the list.")))
        return None
    return unit


def tidy_name(typed: str) -> str:
    return " ".join(unicodedata.normalize("NFC", typed).split())


def name_complaint(name: str) -> Any | None:
    """What is wrong with a name (tidied), or None."""
    if sum(char.isalpha() for char in name) < 2:
        return _l("Enter your full name.")
    if len(name) > MAX_NAME:
        return _l("Use at most %(count)s characters.", count=MAX_NAME)
    # Control and private characters, and the brackets of markup, are in nobody's name.
    if any(char in "<>{}" or unicodedata.category(char).startswith("C") for char in name):
        return _l("The name has a character that no name has.")
    return None


def birth_year_complaint(year: int | None, now: datetime) -> Any | None:
    this_year = now.astimezone(clock.CONTEST_ZONE).year
    if year is None or this_year - OLDEST <= year <= this_year - YOUNGEST:
        return None
    return _l(
        "Enter a year from %(first)s to %(last)s, or leave it out.",
        first=this_year - OLDEST,
        last=this_year - YOUNGEST,
    )


def member_kind_complaint(kind: str | None) -> Any | None:
    return None if kind is None or kind in MEMBER_KINDS else _l("Choose a kind from the list, or leave it open.")


# Signing in


def sign_in(session: Session, cache: Redis, phone: str, password: str) -> Account:
    """The account of a phone number, if the password fits.

    An unknown number, an account without a password and a wrong password take equally long and say the same.

    Raises:
        Refusal: wrong_credentials, too_many_requests.
    """
    try:
        number = phones.normalize(phone)
    except phones.InvalidPhone:
        number = ""
    tries = f"quiz80:tries:phone:{number}"
    if number:
        count_try(cache, tries)
    user = _user_of(session, number) if number else None
    stored, found = (user.password_hash, Account.of(user)) if user else (None, None)
    # The hash may wait: no connection is held meanwhile.
    session.rollback()
    if not passwords.verify(stored, password) or found is None:
        raise Refusal("wrong_credentials")
    cache.delete(tries)
    return found


def count_try(cache: Redis, key: str) -> None:
    """Counted before the hash, so that a hundred at once are not a hundred tries."""
    window = int(TRIES_WINDOW.total_seconds())
    pipeline = cache.pipeline(transaction=True)
    pipeline.set(key, 0, ex=window, nx=True)
    pipeline.incr(key)
    pipeline.ttl(key)
    _, count, left = pipeline.execute()
    if count > TRIES:
        raise Refusal("too_many_requests", retry_after=max(1, left))


def _identity(session: Session, phone: str) -> Identity | None:
    return session.scalar(select(Identity).where(Identity.kind == "phone", Identity.value == phone))


def find(session: Session, phone: str) -> User:
    """The account of a phone number, however it is spelled. Raises Refusal("not_found")."""
    try:
        user = _user_of(session, phones.normalize(phone))
    except phones.InvalidPhone as invalid:
        raise Refusal("invalid_request", errors=(FieldError("phone", invalid.message),)) from invalid
    if user is None:
        raise Refusal("not_found")
    return user


def _user_of(session: Session, phone: str) -> User | None:
    return session.scalar(select(User).join(Identity).where(Identity.kind == "phone", Identity.value == phone))


# Ending sessions


def change_password(
    session: Session, cache: Redis, intake: Redis, season: Season, user_id: int, old: str, new: str
) -> Account:
    """Set a new password; every other session and token ends. Sign the caller's own session with what comes back.

    Raises:
        Refusal: invalid_request (old_password, new_password), too_many_requests.
    """
    user = session.get_one(User, user_id)
    stored = user.password_hash
    phone = session.scalar(select(Identity.value).where(Identity.user_id == user_id, Identity.kind == "phone"))
    session.rollback()
    if complaint := passwords.complaint(new, phone):
        raise Refusal("invalid_request", errors=(FieldError("new_password", complaint),))
    tries = f"quiz80:tries:user:{user_id}"
    count_try(cache, tries)
    if not passwords.verify(stored, old):
        message = _l("This is not your password of now.")
        raise Refusal("invalid_request", errors=(FieldError("old_password", message),))
    cache.delete(tries)
    password_hash = passwords.hash_password(new)
    return _raise_epoch(session, intake, season, user_id, password_hash)


def sign_out_everywhere(session: Session, intake: Redis, season: Season, user_id: int) -> Account:
    """End every session and token of the account, at once also where rounds are open."""
    return _raise_epoch(session, intake, season, user_id, None)


def _raise_epoch(session: Session, intake: Redis, season: Season, user_id: int, password_hash: str | None) -> Account:
    user = session.get_one(User, user_id, with_for_update=True)
    user.auth_epoch += 1
    if password_hash is not None:
        user.password_hash = password_hash
    account, barred = Account.of(user), user.barred_at is not None
    session.commit()
    # After the commit: a bar of an epoch that was never stored would lock its owner out. If Redis is away the
    # person is told and repeats it; priming copies the epochs of all accounts besides.
    spread_bars(intake, season, [(user_id, None if barred else account.auth_epoch)])
    return account


def spread_bars(intake: Redis, season: Season, bars: Iterable[tuple[int, int | None]]) -> None:
    """Copy lowest epochs (or None for barred) into the shards of every round that still takes papers or will."""
    listed = list(bars)
    for card in season.rounds.values():
        if card.scheduled is not None and card.finalized is None:
            write_bars(intake, card, listed)


def session_holds(session: Session, user_id: int, auth_epoch: int) -> bool:
    """Whether a cookie or token of this epoch is still good, by the table: for what shows or changes own data."""
    current = session.scalar(select(User.auth_epoch).where(User.id == user_id))
    return current is not None and current <= auth_epoch


# The own profile


def profile(session: Session, user_id: int) -> Profile:
    user = session.get_one(User, user_id)
    phone = next((identity.value for identity in user.identities if identity.kind == "phone"), None)
    home = units.home_of(session, user.unit_id) if user.unit_id is not None else None
    return Profile(user.id, user.full_name, phone, user.birth_year, user.member_kind, user.role, home, user.created_at)


def change_member_kind(session: Session, user_id: int, kind: str | None) -> None:
    """Say what one is, or take it back (None). It counts for attempts started from then on. Commits.

    Raises:
        Refusal: invalid_request naming member_kind.
    """
    if complaint := member_kind_complaint(kind):
        raise Refusal("invalid_request", errors=(FieldError("member_kind", complaint),))
    session.get_one(User, user_id).member_kind = kind
    session.commit()
