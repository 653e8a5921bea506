"""What units shall reach in a contest: shown, set one by one, brought in as a list, and taken out as one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import Target, Unit
from quiz.services import audit, tables, units
from quiz.services.formats.commas import guarded
from quiz.services.tables import Line
from quiz.services.units import UnitView

MOST = 100_000_000
"""People or entries of one unit: more than the country has."""
FIELDS = {
    "unit_code": "unit code|unit|code|ma don vi|ma",
    "participants": "participants|people|thi sinh|so thi sinh|chi tieu thi sinh|nguoi du thi|so nguoi",
    "entries": "entries|luot thi|so luot thi|chi tieu luot thi|bai du thi|so bai|luot",
}
HEADINGS = {heading: field for field, words in FIELDS.items() for heading in words.split("|")}
HEAD = ("Mã đơn vị", "Tên đơn vị", "Thí sinh", "Lượt thi")
"""Of the file that goes out, which comes back in as it is."""

Pair = tuple[int, int]
"""(participants, entries)."""


@dataclass(frozen=True, slots=True)
class Row:
    unit: UnitView
    target: Pair | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line; 0: with the whole file."""

    line: int
    message: Any


class BadTargets(Exception):
    """Nothing was written."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


def listing(session: Session, contest_id: int, parent_code: str | None, words: str) -> list[Row]:
    """The units below one, or provinces and unions, with their targets over the whole contest.

    Raises:
        Refusal: unknown_unit.
    """
    found = units.children(session, parent_code, words)
    held = _held(session, contest_id, [unit.id for unit in found])
    return [Row(unit, held.get(unit.id)) for unit in found]


def of_unit(session: Session, contest_id: int, unit_id: int) -> Pair | None:
    return _held(session, contest_id, [unit_id]).get(unit_id)


def set_one(
    session: Session, contest_id: int, code: str, participants: str, entries: str, now: datetime, *, actor_id: int
) -> None:
    """Write a unit's target; both empty takes it away. The caller commits, then marks the boards.

    Raises:
        Refusal: unknown_unit; invalid_request, naming the field.
    """
    unit = units.get(session, code)
    empty = not participants.strip() and not entries.strip()
    pair = None if empty else (_number("participants", participants), _number("entries", entries))
    before = of_unit(session, contest_id, unit.id)
    if before == pair:
        return
    if pair is None:
        whole = (Target.contest_id == contest_id, Target.round_id.is_(None), Target.unit_id == unit.id)
        session.execute(delete(Target).where(*whole))
    else:
        _write(session, contest_id, {unit.id: pair})
    detail = {"unit": unit.code, "before": before, "after": pair}
    audit.append(session, now, actor_id, "target.set", f"contest:{contest_id}", detail)


def import_file(session: Session, contest_id: int, content: bytes, now: datetime, *, actor_id: int) -> int:
    """Write the targets of a list, all or none; units that are not in it keep theirs. The caller commits.

    Returns:
        How many units have another target than before.

    Raises:
        BadTargets: every line that is wrong.
    """
    try:
        lines = tables.read(content, HEADINGS, frozenset(FIELDS))
    except tables.UnreadableTable as unreadable:
        raise BadTargets([Fault(0, unreadable.message)]) from unreadable
    wanted = _checked(session, lines)
    held = _held(session, contest_id, list(wanted))
    changed = {unit: pair for unit, pair in wanted.items() if held.get(unit) != pair}
    if changed:
        _write(session, contest_id, changed)
        found = session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(changed)))
        codes = {row.id: row.code for row in found}
        detail = {
            "units": [{"unit": codes[unit], "before": held.get(unit), "after": pair} for unit, pair in changed.items()]
        }
        audit.append(session, now, actor_id, "targets.imported", f"contest:{contest_id}", detail)
    return len(changed)


def export(session: Session, contest_id: int) -> bytes:
    """All units of today with their targets as CSV, for Excel to open: to look at, to fill in and to bring back."""
    rows = session.execute(
        select(Unit.code, Unit.name, Target.participants, Target.entries)
        .outerjoin(Target, (Target.unit_id == Unit.id) & (Target.contest_id == contest_id) & Target.round_id.is_(None))
        .where(Unit.valid_to.is_(None))
        .order_by(Unit.code)
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for code, name, participants, entries in rows:
        pair: list[int | None] = [participants, entries]  # units without a target have neither
        # As text: a spreadsheet would lose the zeros in front.
        writer.writerow([f'="{code}"', guarded(name), *("" if each is None else each for each in pair)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _checked(session: Session, lines: Sequence[Line]) -> dict[int, Pair]:
    ids = {row.code: row.id for row in session.execute(select(Unit.code, Unit.id).where(Unit.valid_to.is_(None)))}
    wanted: dict[int, Pair] = {}
    first: dict[str, int] = {}
    faults: list[Fault] = []
    for line in lines:
        code = _code_of(line.cells.get("unit_code", ""), ids)
        cells = line.cells.get("participants", ""), line.cells.get("entries", "")
        if code not in ids:
            faults.append(Fault(line.number, _l("There is no unit with the code “%(code)s”.", code=code)))
        elif code in first:
            faults.append(Fault(line.number, _l("This unit stands in line %(line)s already.", line=first[code])))
        elif any(cells):
            try:
                wanted[ids[code]] = _number("participants", cells[0]), _number("entries", cells[1])
            except Refusal as refusal:
                faults += [Fault(line.number, error.message) for error in refusal.errors]
        first.setdefault(code, line.number)
    if not wanted and not faults:
        faults.append(Fault(0, _l("No line of the file has a target.")))
    if faults:
        raise BadTargets(faults)
    return wanted


def _code_of(typed: str, known: Iterable[str]) -> str:
    """A code as it is stored: spreadsheets lose the zeros in front and keep the sign that was to save them."""
    code = typed.strip().removeprefix("=").strip('"').upper()
    return next((padded for padded in (code, code.zfill(2), code.zfill(5)) if padded in known), code)


def _number(field: str, typed: str) -> int:
    plain = typed.strip().replace(".", "").replace(",", "").replace(" ", "")
    if not plain.isascii() or not plain.isdecimal() or len(plain) > 9 or int(plain) > MOST:
        message = _l("“%(value)s” is no number of people or entries.", value=typed.strip())
        raise Refusal("invalid_request", errors=(FieldError(field, message),))
    return int(plain)


def _held(session: Session, contest_id: int, ids: Sequence[int]) -> dict[int, Pair]:
    found = session.execute(
        select(Target.unit_id, Target.participants, Target.entries).where(
            Target.contest_id == contest_id, Target.round_id.is_(None), Target.unit_id.in_(ids)
        )
    )
    return {row.unit_id: (row.participants, row.entries) for row in found}


def _write(session: Session, contest_id: int, pairs: dict[int, Pair]) -> None:
    statement = insert(Target)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Target.contest_id, Target.round_id, Target.unit_id],
            set_={"participants": statement.excluded.participants, "entries": statement.excluded.entries},
        ),
        [
            {"contest_id": contest_id, "round_id": None, "unit_id": unit, "participants": pair[0], "entries": pair[1]}
            for unit, pair in pairs.items()
        ],
    )
