"""Units: loading the official files, looking units up, searching them.

Every unit that was before July 2025 is a row of its own that ended on that day, also where code and name went on:
its borders and its parent changed with hardly an exception (10 of 10,051 communes did not), and so one rule tells
all about a code: it names one unit at a time, and today's is the one without an end.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from quiz.errors import Refusal
from quiz.models import Unit, UnitChange
from quiz.services.vietnamese import fold, sort_key

CENTRAL_CODE = "TW"
CENTRAL_NAME = "Trung ương Đoàn"
REFORM = dt.date(2025, 7, 1)
"""The day 63 provinces became 34 and the districts went."""
ALWAYS = dt.date(1900, 1, 1)
"""Stands for "since before the contest's records"."""

FIRST_LEVEL = ("province", "union")
_DIVISIONS = ("Thành phố ", "Tỉnh ", "Phường ", "Xã ", "Thị trấn ", "Đặc khu ")


# Reading


@dataclass(frozen=True, slots=True)
class UnitView:
    """A unit as lists and forms show it; `parent_code` is None for provinces and unions."""

    id: int
    code: str
    name: str
    kind: str
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class Home:
    """Where a participant belongs; `province_code` is None below a union."""

    id: int
    code: str
    name: str
    kind: str
    province_code: str | None


def find(session: Session, code: str) -> Unit | None:
    """Today's unit of this code."""
    return session.scalar(select(Unit).where(Unit.code == _code(code), Unit.valid_to.is_(None)))


def get(session: Session, code: str) -> Unit:
    """Raises Refusal("unknown_unit")."""
    unit = find(session, code)
    if unit is None:
        raise Refusal("unknown_unit")
    return unit


def children(session: Session, parent_code: str | None = None, q: str = "") -> list[UnitView]:
    """Units below `parent_code`, or provinces and unions; with `q` those whose name or code it finds.

    Each word of `q` must occur in the name, with or without accents; names in which the words stand as typed, at the
    beginning of a word, come first. Otherwise provinces before unions, then by name in Vietnamese order.

    Raises:
        Refusal: unknown_unit.
    """
    parent = get(session, parent_code or CENTRAL_CODE)
    statement = (
        select(Unit.id, Unit.code, Unit.name, Unit.kind, Unit.search_text)
        .where(Unit.parent_id == parent.id, Unit.valid_to.is_(None))
        .order_by(Unit.kind, Unit.sort_key, Unit.code)
    )
    phrase = fold(q)
    if q.strip():
        named = [Unit.search_text.contains(word, autoescape=True) for word in phrase.split()]
        statement = statement.where(or_(Unit.code == _code(q), *([_all(named)] if named else [])))
    rows = session.execute(statement).all()
    if phrase:
        rows = sorted(rows, key=lambda row: f" {phrase}" not in f" {row.search_text}")
    below = None if parent.kind == "central" else parent.code
    return [UnitView(row.id, row.code, row.name, row.kind, below) for row in rows]


def home_of(session: Session, unit_id: int) -> Home:
    """The unit with the province it lies in, however deep."""
    unit = session.get_one(Unit, unit_id)
    above: Unit | None = unit
    while above is not None and above.kind not in FIRST_LEVEL:
        above = above.parent
    province = above.code if above is not None and above.kind == "province" else None
    return Home(unit.id, unit.code, unit.name, unit.kind, province)


def _code(typed: str) -> str:
    """A code as it is stored, or "", which is nobody's; PostgreSQL would choke on some of what can be typed."""
    tidy = typed.strip().upper()
    return tidy if tidy.isascii() and tidy.isalnum() else ""


def _all(conditions: Sequence[Any]) -> Any:
    first, *rest = conditions
    for condition in rest:
        first = first & condition
    return first


# Loading


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in the tables after a load, and what of the files could not be used."""

    units: int
    added: int
    changes: int
    unnamed: tuple[str, ...]
    """Codes in the file of changes that no unit of that time has: nothing can be said about them."""


def load(session: Session) -> Loaded:
    """Bring the tables in line with the official files; running it again changes nothing. The caller commits."""
    before = session.scalar(select(func.count()).select_from(Unit)) or 0
    _upsert(session, [_central()], {})
    current = list(_read("units.csv")) + list(_read("attached_unions.csv"))
    old = list(_read("units_before_2025-07-01.csv"))
    for first_level in (True, False):
        known = _ids(session)
        rows = [_row(line, current=True) for line in current if (line["kind"] in FIRST_LEVEL) == first_level]
        rows += [_row(line, current=False) for line in old if (line["kind"] in FIRST_LEVEL) == first_level]
        _upsert(session, rows, known)
    unnamed = _load_changes(session, _ids(session))
    return Loaded(
        units=session.scalar(select(func.count()).select_from(Unit)) or 0,
        added=(session.scalar(select(func.count()).select_from(Unit)) or 0) - before,
        changes=session.scalar(select(func.count()).select_from(UnitChange)) or 0,
        unnamed=unnamed,
    )


_Ids = dict[tuple[str, bool], int]
"""(code, still is) → id."""


def _read(name: str) -> Iterator[dict[str, str]]:
    with (resources.files("quiz") / "data" / "units" / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _central() -> dict[str, Any]:
    line = {"code": CENTRAL_CODE, "name": CENTRAL_NAME, "kind": "central", "division": "", "parent_code": ""}
    return _row(line, current=True)


def _row(line: dict[str, str], *, current: bool) -> dict[str, Any]:
    name, kind = line["name"], line["kind"]
    division = f"{line['division']}, {line['district']}" if line.get("district") else line["division"]
    dated = kind in ("province", "commune")
    return {
        "code": line["code"],
        "name": name,
        "kind": kind,
        "division": division,
        "parent": None if kind == "central" else (line["parent_code"] or CENTRAL_CODE),
        "valid_from": REFORM if current and dated else ALWAYS,
        "valid_to": None if current else REFORM,
        "search_text": fold(name),
        "sort_key": _sort_key(name),
    }


def _sort_key(name: str) -> str:
    """An Giang stands under A, as Bắc Ninh under B, whatever one is a province of and the other a city."""
    division = next((start for start in _DIVISIONS if name.startswith(start)), "")
    return sort_key(name.removeprefix(division)) + "00" + sort_key(division)


def _ids(session: Session) -> _Ids:
    rows = session.execute(select(Unit.code, Unit.valid_to, Unit.id))
    return {(code, valid_to is None): unit_id for code, valid_to, unit_id in rows}


def _upsert(session: Session, rows: Iterable[dict[str, Any]], known: _Ids) -> None:
    values = [_with_parent_id(row, known) for row in rows]
    statement = insert(Unit)
    same = ("name", "kind", "division", "parent_id", "valid_to", "search_text", "sort_key")
    statement = statement.on_conflict_do_update(
        index_elements=[Unit.code, Unit.valid_from], set_={name: statement.excluded[name] for name in same}
    )
    session.execute(statement, values)


def _with_parent_id(row: dict[str, Any], known: _Ids) -> dict[str, Any]:
    parent = row.pop("parent")
    if parent is None:
        return {**row, "parent_id": None}
    still = row["valid_to"] is None or parent == CENTRAL_CODE
    return {**row, "parent_id": known[parent, still]}


def _load_changes(session: Session, known: _Ids) -> tuple[str, ...]:
    values, unnamed = [], []
    for line in _read("unit_changes.csv"):
        old, new = known.get((line["from_code"], False)), known[line["to_code"], True]
        if old is None:
            unnamed.append(line["from_code"])
            continue
        date = dt.date.fromisoformat(line["date"])
        values.append({"date": date, "from_unit_id": old, "to_unit_id": new, "part": line["part"]})
    session.execute(insert(UnitChange).on_conflict_do_nothing(), values)
    return tuple(sorted(set(unnamed)))


def subtree(session: Session, unit_id: int) -> list[int]:
    """Ids of a unit and of everything below it."""
    tree = select(Unit.id).where(Unit.id == unit_id).cte(recursive=True)
    below = aliased(Unit)
    tree = tree.union_all(select(below.id).join(tree, below.parent_id == tree.c.id))
    return list(session.scalars(select(tree.c.id)))
