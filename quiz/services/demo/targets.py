"""What each unit shall reach: handed down from the whole contest to provinces and unions, and on to the communes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from quiz.models import Contest, Round, Target, Unit
from quiz.services.demo.chance import allocate, dice

CONTEST = (10_000, 30_000)
"""Participants and entries: the real targets, scaled to the demo's people."""
OPEN_ROUND = (4_200, 9_000)
_UNION_AS_COMMUNES = 24
"""The six unions together count as one larger province."""


@dataclass(frozen=True, slots=True)
class _Node:
    unit_id: int
    code: str
    leaves: Sequence[_Node] = ()


def add_targets(session: Session, contest: Contest, open_round: Round) -> int:
    """Targets of the contest and of the open round for every unit of today; the caller commits."""
    central, first_level = _tree(session)
    rows = []
    for made, total in ((None, CONTEST), (open_round, OPEN_ROUND)):
        for unit_id, (participants, entries) in _hand_down(central, first_level, total).items():
            rows.append(
                {
                    "contest_id": contest.id,
                    "round_id": None if made is None else made.id,
                    "unit_id": unit_id,
                    "participants": participants,
                    "entries": entries,
                }
            )
    session.execute(insert(Target), rows)
    return len(rows)


def _tree(session: Session) -> tuple[int, list[_Node]]:
    units = session.execute(
        select(Unit.id, Unit.code, Unit.kind, Unit.parent_id).where(Unit.valid_to.is_(None)).order_by(Unit.code)
    ).all()
    below: dict[int, list[_Node]] = {}
    for unit in units:
        if unit.kind == "commune":
            below.setdefault(unit.parent_id, []).append(_Node(unit.id, unit.code))
    central = next(unit.id for unit in units if unit.kind == "central")
    first = [_Node(u.id, u.code, below.get(u.id, ())) for u in units if u.kind in ("province", "union")]
    return central, first


def _hand_down(central: int, first_level: Sequence[_Node], total: tuple[int, int]) -> Mapping[int, tuple[int, int]]:
    targets = {central: total}
    sizes = [float(len(node.leaves) or _UNION_AS_COMMUNES) for node in first_level]
    floors = [max(1, len(node.leaves)) for node in first_level]
    targets |= _split(first_level, total, sizes, floors, "provinces", 0.25)
    for node in first_level:
        if node.leaves:
            ones = [1] * len(node.leaves)
            targets |= _split(node.leaves, targets[node.unit_id], [1.0] * len(ones), ones, node.code, 0.6)
    return targets


def _split(
    nodes: Sequence[_Node], total: tuple[int, int], sizes: list[float], floors: list[int], what: str, spread: float
) -> dict[int, tuple[int, int]]:
    """Split people, then entries: at least one a person, so that no unit is asked for less entries than people."""
    throw = dice("targets", what)
    people = allocate(total[0], [size * throw.lognormvariate(0, spread) for size in sizes], floors)
    entries = allocate(total[1], [count * throw.lognormvariate(0, 0.1) for count in people], people)
    return {node.unit_id: (some, more) for node, some, more in zip(nodes, people, entries, strict=True)}
