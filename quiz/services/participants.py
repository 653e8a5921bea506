"""Participants from a list that a school or a unit keeps: all of them, or none and every line that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from quiz.errors import Refusal
from quiz.models import Identity, Unit, User
from quiz.services import accounts, audit, passwords, phones, tables
from quiz.services.tables import Line

FIELDS = {
    "phone": "phone|phone number|mobile|so dien thoai|dien thoai|sdt|so dt|di dong|so di dong",
    "full_name": "full name|name|ho va ten|ho ten|ten|ho va ten thi sinh|thi sinh",
    "unit_code": "unit code|unit|ma don vi|ma xa|ma|don vi",
    "birth_year": "birth year|year of birth|born|nam sinh",
    "password": "password|mat khau",
}
"""Folded headings (see `fold`): `full_name`, `Full name` and `Họ và tên` are the same column."""
HEADINGS = {heading: field for field, words in FIELDS.items() for heading in words.split("|")}
REQUIRED = frozenset({"phone", "full_name", "unit_code"})
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell; `field` is empty where it is the whole file."""

    line: int
    field: str
    message: Any


class BadList(Exception):
    """Nothing was imported."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class _Person:
    line: int
    phone: str
    full_name: str
    unit_id: int
    birth_year: int | None
    password: str | None


def import_file(session: Session, content: bytes, now: datetime, *, actor_id: int | None = None) -> int:
    """Add everybody in a CSV file or Excel workbook; commits. Returns how many.

    A column of passwords may be left out: an account without one can't be signed in to until it is given one.
    Consent stays open: an officer who sends a list can't give it for others.

    Raises:
        BadList: with every bad line; nothing was changed.
        Refusal: phone_taken, if somebody registered with a number of the list at this very moment.
    """
    try:
        lines = tables.read(content, HEADINGS, REQUIRED)
    except tables.UnreadableTable as unreadable:
        raise BadList([Fault(0, "", unreadable.message)]) from unreadable
    if not lines:
        raise BadList([Fault(0, "", _l("There is nobody in the file."))])
    people, faults = _checked(session, lines, now)
    faults += _taken(session, people)
    if faults:
        raise BadList(sorted(faults, key=lambda fault: (fault.line, fault.field)))
    _add(session, people, now)
    audit.append(session, now, actor_id, "participants.imported", "users", {"count": len(people)})
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise Refusal("phone_taken") from error
    return len(people)


def _checked(session: Session, lines: Iterable[Line], now: datetime) -> tuple[list[_Person], list[Fault]]:
    codes = _codes(session)
    seen: dict[str, int] = {}
    people, faults = [], []
    for line in lines:
        person, wrong = _person(line, codes, now)
        if person is not None and (first := seen.setdefault(person.phone, line.number)) != line.number:
            wrong.append(Fault(line.number, "phone", _l("The same number as in line %(line)s.", line=first)))
        faults += wrong
        if person is not None and not wrong:
            people.append(person)
    return people, faults


def _person(line: Line, codes: dict[str, int], now: datetime) -> tuple[_Person | None, list[Fault]]:
    wrong: dict[str, Any] = {}
    cells = line.cells
    phone, unit_id, born = "", 0, None
    try:
        phone = phones.normalize(cells.get("phone", ""))
    except phones.InvalidPhone as invalid:
        wrong["phone"] = invalid.message
    name = accounts.tidy_name(cells.get("full_name", ""))
    if complaint := accounts.name_complaint(name):
        wrong["full_name"] = complaint
    unit_id = _unit_of(cells.get("unit_code", ""), codes)
    if not unit_id:
        wrong["unit_code"] = _l("No unit of the contest has this code; format the column as text to keep its zeros.")
    if year := cells.get("birth_year", ""):
        born = int(year) if year.isascii() and year.isdigit() and len(year) == 4 else 0
        if complaint := accounts.birth_year_complaint(born, now):
            wrong["birth_year"] = complaint
    password = cells.get("password") or None
    if password and (complaint := passwords.complaint(password, phone or None)):
        wrong["password"] = complaint
    faults = [Fault(line.number, field, message) for field, message in wrong.items()]
    if not phone:
        return None, faults
    return _Person(line.number, phone, name, unit_id, born, password), faults


def _codes(session: Session) -> dict[str, int]:
    rows = session.execute(
        select(Unit.code, Unit.id).where(Unit.valid_to.is_(None), Unit.kind.in_(accounts.HOME_KINDS))
    )
    return {row.code: row.id for row in rows}


def _unit_of(code: str, codes: dict[str, int]) -> int:
    """The unit, 0 if there is none. Spreadsheets eat leading zeros: three or four digits were five once."""
    found = codes.get(code.upper())
    if found is None and code.isascii() and code.isdigit() and len(code) in (3, 4):
        found = codes.get(code.zfill(5))
    return found or 0


def _taken(session: Session, people: Sequence[_Person]) -> Iterator[Fault]:
    """Numbers that have an account already."""
    for batch in _batches(people):
        lines = {person.phone: person.line for person in batch}
        statement = select(Identity.value).where(Identity.kind == "phone", Identity.value.in_(lines))
        for phone in session.scalars(statement):
            yield Fault(lines[phone], "phone", _l("An account with this phone number exists."))


def _add(session: Session, people: Sequence[_Person], now: datetime) -> None:
    for batch in _batches(people):
        ids = session.scalars(
            select(func.nextval(func.pg_get_serial_sequence("users", "id"))).select_from(
                func.generate_series(1, len(batch))
            )
        ).all()
        numbered = list(zip(ids, batch, strict=True))
        session.execute(insert(User), [_user_row(number, person, now) for number, person in numbered])
        session.execute(
            insert(Identity),
            [
                {"user_id": number, "kind": "phone", "value": person.phone, "created_at": now}
                for number, person in numbered
            ],
        )


def _user_row(number: int, person: _Person, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "person_id": number,
        "full_name": person.full_name,
        "birth_year": person.birth_year,
        "unit_id": person.unit_id,
        "role": "participant",
        "password_hash": passwords.hash_password(person.password) if person.password else None,
        "auth_epoch": 0,
        "created_at": now,
        "synthetic": False,
    }


def _batches(people: Sequence[_Person]) -> Iterator[list[_Person]]:
    source = iter(people)
    while batch := list(islice(source, _BATCH)):
        yield batch
