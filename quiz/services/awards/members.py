"""How many members of the Union each unit has: what collective prizes by share are measured with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Unit
from quiz.services import audit, tables
from quiz.services.vietnamese import fold

HEADINGS = {
    fold(heading): field
    for field, headings in {
        "code": ("Mã", "Mã đơn vị", "Code", "Unit code"),
        "members": ("Đoàn viên", "Số đoàn viên", "Members"),
    }.items()
    for heading in headings
}
MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    message: Any


class BadFile(Exception):
    """Nothing of the file was taken; every bad line is named."""

    def __init__(self, lines: Sequence[BadLine]) -> None:
        super().__init__(f"{len(lines)} bad lines")
        self.lines = lines


def take(session: Session, content: bytes, now: datetime, *, actor_id: int) -> int:
    """Enter the numbers of a file with a column of codes and one of members; how many units. The caller commits.

    Raises:
        Refusal: invalid_request, if the file can't be read.
        BadFile: with every line that is wrong.
    """
    try:
        lines = tables.read(content, HEADINGS, frozenset({"code", "members"}))
    except tables.UnreadableTable as unreadable:
        raise Refusal("invalid_request", errors=(FieldError("file", unreadable.message),)) from unreadable
    rows = session.execute(select(Unit.code, Unit.id).where(Unit.valid_to.is_(None)))
    known = {row.code: row.id for row in rows}
    values: dict[int, int] = {}
    bad = []
    for line in lines:
        unit_id, members = known.get(line.cells.get("code", "").upper()), _number(line.cells.get("members", ""))
        if unit_id is None:
            bad.append(BadLine(line.number, _l("No unit has this code.")))
        elif members is None:
            bad.append(BadLine(line.number, _l("The number of members must be a whole number above 0.")))
        else:
            values[unit_id] = members
    if bad:
        raise BadFile(bad)
    if values:
        session.execute(update(Unit), [{"id": unit_id, "members": members} for unit_id, members in values.items()])
        audit.append(session, now, actor_id, "units.members", "units", {"units": len(values)})
    return len(values)


def counted(session: Session) -> int:
    """How many of today's units have a number."""
    return (
        session.scalar(select(func.count()).select_from(Unit).where(Unit.members.is_not(None), Unit.valid_to.is_(None)))
        or 0
    )


def _number(typed: str) -> int | None:
    digits = typed.replace(".", "").replace(",", "").replace(" ", "")
    return (
        int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 and 0 < int(digits) <= MOST else None
    )
