"""The write side of the boards: absolute values from the tallies, as finished documents.

Everything written here can be thrown away and made again; the tables are the truth. A document is replaced only if
its rows changed, so its ETag and `as_of` belong to its content.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.clock import iso
from quiz.intake import boards as contract
from quiz.intake.boards import BoardDocument, UnitRow
from scoring import ranks
from scoring.memory import uncollected

_LEASE = "quiz80:boards:writer"
_LEASE_MS = 10_000
_WRITTEN = "quiz80:boards:written"
_WRITTEN_MS = 3_000
"""For so long after the boards were written nobody but the lanes has to look after them."""
_TURN = "quiz80:boards:turn"
"""Exists while a lane wrote the boards so recently that no other shall."""


@dataclass(slots=True)
class Counts:
    participants: int = 0
    entries: int = 0
    score_sum: int = 0
    scored: int = 0
    """Standings behind `score_sum`: the average score is a mean over them."""

    def add(self, other: Counts) -> None:
        self.participants += other.participants
        self.entries += other.entries
        self.score_sum += other.score_sum
        self.scored += other.scored


@dataclass(frozen=True, slots=True)
class UnitNode:
    id: int
    code: str
    name: str
    kind: str
    parent_id: int | None
    sort_key: str
    of_today: bool


@dataclass(slots=True)
class Tree:
    """The units of today and of before, by id, with the board unit each belongs to. Never changed once it is read."""

    nodes: dict[int, UnitNode] = field(default_factory=dict)
    successor: dict[int, int] = field(default_factory=dict)
    """Old unit → the unit of today that its history moves to as a whole."""
    _lines: dict[int, list[int]] = field(default_factory=dict)
    _groups: dict[str, list[UnitNode]] = field(default_factory=dict)

    def line(self, unit_id: int) -> list[int]:
        """The unit and its ancestors, from the leaf up, as of today."""
        found = self._lines.get(unit_id)
        if found is None:
            found = self._lines[unit_id] = self._find_line(unit_id)
        return found

    def _find_line(self, unit_id: int) -> list[int]:
        found: list[int] = []
        current: int | None = self.successor.get(unit_id, unit_id)
        while current is not None and current in self.nodes:
            found.append(current)
            parent = self.nodes[current].parent_id
            current = None if parent is None else self.successor.get(parent, parent)
        return found

    def groups(self) -> dict[str, list[UnitNode]]:
        """The boards and the units on each, in the order of their names.

        Former units stand on none, their counts roll up to where they went.
        """
        if not self._groups:
            self._groups = self._find_groups()
        return self._groups

    def _find_groups(self) -> dict[str, list[UnitNode]]:
        groups: dict[str, list[UnitNode]] = {contract.PROVINCES: [], contract.COMMUNES: []}
        for node in sorted(self.nodes.values(), key=lambda node: (node.sort_key, node.code)):
            if not node.of_today:
                continue
            if node.kind in ("province", "union"):
                groups[contract.PROVINCES].append(node)
                groups.setdefault(contract.communes_of(node.code), [])
            elif node.kind == "commune":
                groups[contract.COMMUNES].append(node)
                if node.parent_id in self.nodes:
                    groups.setdefault(contract.communes_of(self.nodes[node.parent_id].code), []).append(node)
        return groups


def load_tree(session: Session) -> Tree:
    """All units; a former unit that went somewhere whole is followed to where it went."""
    tree = Tree()
    for row in session.execute(text("SELECT id, code, name, kind, parent_id, sort_key, valid_to IS NULL FROM unit")):
        tree.nodes[row.id] = UnitNode(*row)
    whole = session.execute(
        text(
            "SELECT from_unit_id, min(to_unit_id) FROM unit_change WHERE part = 'whole' "
            "GROUP BY from_unit_id HAVING count(*) = 1"
        )
    )
    tree.successor = {row[0]: row[1] for row in whole}
    return tree


@uncollected()
def refresh_round(session: Session, cache: Redis, tree: Tree, round_id: int, now: datetime) -> None:
    """Write the boards of a round from its tallies; its ladder of ranks is due then, once ranks may be seen.

    Average scores stay null until the round's scores are released: with one participant in a commune the average is
    that person's score.
    """
    facts = session.execute(
        text("SELECT contest_id, number, rules, closes_at, finalized_at FROM round WHERE id = :round"),
        {"round": round_id},
    ).one()
    released = scores_released(facts.rules, facts.closes_at, now)
    leaves = {
        unit_id: Counts(participants, entries, score_sum, participants if released else 0)
        for unit_id, participants, entries, score_sum in session.execute(
            text(
                "SELECT unit_id, sum(participants)::int, sum(entries)::int, sum(score_sum)::bigint "
                "FROM tally WHERE round_id = :round GROUP BY unit_id"
            ),
            {"round": round_id},
        ).all()
    }
    targets = _targets(session, facts.contest_id, round_id)
    _write(cache, contract.round_scope(round_id), facts.number, tree, leaves, targets, now)
    if released and facts.finalized_at is None:
        ranks.mark_dirty(cache, round_id)


@uncollected()
def refresh_contest(session: Session, cache: Redis, tree: Tree, contest_id: int, now: datetime) -> None:
    """Write the boards of a whole contest: people once over all rounds, averages over the released rounds."""
    leaves = {
        unit_id: Counts(participants, entries)
        for unit_id, participants, entries in session.execute(
            text(
                "SELECT unit_id, sum(participants)::int, sum(entries)::int "
                "FROM contest_tally WHERE contest_id = :contest GROUP BY unit_id"
            ),
            {"contest": contest_id},
        ).all()
    }
    rounds = session.execute(
        text("SELECT id, rules, closes_at FROM round WHERE contest_id = :contest"), {"contest": contest_id}
    ).all()
    released = [row.id for row in rounds if scores_released(row.rules, row.closes_at, now)]
    for row in session.execute(
        text(
            "SELECT unit_id, sum(score_sum)::bigint AS score_sum, sum(participants)::int AS scored "
            "FROM tally WHERE round_id = ANY(:rounds) GROUP BY unit_id"
        ),
        {"rounds": released},
    ):
        leaves.setdefault(row.unit_id, Counts()).add(Counts(score_sum=row.score_sum, scored=row.scored))
    targets = _targets(session, contest_id, None)
    _write(cache, contract.contest_scope(contest_id), None, tree, leaves, targets, now)


def rebuild_all(session: Session, cache: Redis, now: datetime) -> int:
    """Write every board of every contest from the tables; returns how many rounds."""
    tree = load_tree(session)
    rounds = session.scalars(text("SELECT id FROM round WHERE scheduled_at IS NOT NULL ORDER BY id")).all()
    for round_id in rounds:
        refresh_round(session, cache, tree, round_id, now)
    for contest_id in session.scalars(text("SELECT id FROM contest ORDER BY id")).all():
        refresh_contest(session, cache, tree, contest_id, now)
    return len(rounds)


def refresh_dirty(session: Session, cache: Redis, tree: Tree, now: datetime) -> list[int]:
    """Write the boards of all rounds marked dirty, and of their contests; returns the rounds.

    The mark is taken off before the tallies are read: what moves meanwhile marks the round again.
    """
    # One writer at a time: of two, the one that read first could write last.
    if not cache.set(_LEASE, "1", nx=True, px=_LEASE_MS):
        return []
    rounds = sorted(int(member) for member in cache.spop(contract.DIRTY, 1_000) or ())
    try:
        for round_id in rounds:
            refresh_round(session, cache, tree, round_id, now)
        contests = session.scalars(
            text("SELECT DISTINCT contest_id FROM round WHERE id = ANY(:rounds)"), {"rounds": rounds}
        ).all()
        for contest_id in contests:
            refresh_contest(session, cache, tree, contest_id, now)
    except BaseException:
        mark_dirty(cache, rounds)
        raise
    finally:
        cache.delete(_LEASE)
    cache.set(_WRITTEN, "1", px=_WRITTEN_MS)
    return rounds


def take_turn(cache: Redis, seconds: float) -> bool:
    """Whether the caller may write the boards now; for so many seconds no other lane may.

    However many lanes move the same rounds, their boards are written as often as if there were one.
    """
    return bool(cache.set(_TURN, "1", nx=True, px=int(seconds * 1000)))


def is_due(cache: Redis) -> bool:
    """Whether rounds moved and no lane is at writing their boards."""
    return bool(cache.exists(contract.DIRTY)) and not cache.exists(_WRITTEN)


def mark_dirty(cache: Redis, rounds: Iterable[int]) -> None:
    members = [str(round_id) for round_id in rounds]
    if members:
        cache.sadd(contract.DIRTY, *members)


def scores_released(rules: Mapping[str, Any], closes_at: datetime, now: datetime) -> bool:
    """Whether scores of a round may be seen: at once, or after its close (`release.score` of the rules)."""
    release = rules.get("release") or {}
    return release.get("score", "after_close") == "at_once" or now >= closes_at


def _targets(session: Session, contest_id: int, round_id: int | None) -> dict[int, tuple[int, int]]:
    rows = session.execute(
        text(
            "SELECT unit_id, participants, entries FROM target "
            "WHERE contest_id = :contest AND round_id IS NOT DISTINCT FROM :round"
        ),
        {"contest": contest_id, "round": round_id},
    )
    return {row.unit_id: (row.participants, row.entries) for row in rows}


def _write(
    cache: Redis,
    scope: str,
    number: int | None,
    tree: Tree,
    leaves: Mapping[int, Counts],
    targets: Mapping[int, tuple[int, int]],
    now: datetime,
) -> None:
    totals: defaultdict[int, Counts] = defaultdict(Counts)
    for unit_id, counts in leaves.items():
        for ancestor in tree.line(unit_id):
            totals[ancestor].add(counts)
    held: dict[Any, Any] = cache.hgetall(contract.key_of(scope))
    documents: dict[str, BoardDocument] = {}
    head = msgspec.json.encode({"as_of": iso(now), "round": number})
    for name, units in _unranked(tree.groups(), totals, targets).items():
        rows = msgspec.json.encode(rank_rows(units))
        etag = contract.etag_of(rows)
        old = held.get(name.encode())
        if old is not None and old.startswith(etag.encode() + b"\n"):
            continue
        documents[name] = BoardDocument(etag, head[:-1] + b',"rows":' + rows + b"}")
    contract.write_documents(cache, scope, documents)


class Unranked(NamedTuple):
    """A unit's row without its rank; made once for a unit, however many boards it is on."""

    order: tuple[int, float, int, int]
    """Smaller is better."""
    shown: tuple[Any, ...]
    """The fields of its `UnitRow` after the rank."""


def _unranked(
    groups: Mapping[str, Sequence[UnitNode]], totals: Mapping[int, Counts], targets: Mapping[int, tuple[int, int]]
) -> dict[str, list[Unranked]]:
    """For each board its units' rows, in the order of the names."""
    made = {
        node.id: _unranked_row(node, totals.get(node.id, _NOTHING), targets.get(node.id))
        for board in (contract.PROVINCES, contract.COMMUNES)
        for node in groups[board]
    }
    return {name: [made[node.id] for node in units] for name, units in groups.items()}


def _unranked_row(node: UnitNode, counts: Counts, target: tuple[int, int] | None) -> Unranked:
    """Order: share of the participants' target, then participants, then entries; units without a target come after
    those with one."""
    people, entries = target or (0, 0)
    order = (0, -counts.participants / people) if people else (1, 0.0)
    return Unranked(
        (*order, -counts.participants, -counts.entries),
        (
            node.code,
            node.name,
            counts.participants,
            counts.entries,
            people if target else None,
            entries if target else None,
            _percent(counts.participants, people),
            _percent(counts.entries, entries),
            round(counts.score_sum / counts.scored, 2) if counts.scored else None,
        ),
    )


def rank_rows(units: Sequence[Unranked]) -> list[UnitRow]:
    """Rows of one board, ranked. Units that are equal in order share a rank and stay as they come in: by name."""
    rows = []
    rank, previous = 0, None
    for place, unit in enumerate(sorted(units, key=_ORDER), 1):
        if unit.order != previous:
            rank, previous = place, unit.order
        rows.append(UnitRow(rank, *unit.shown))
    return rows


_ORDER = operator.attrgetter("order")
_NOTHING = Counts()


def _percent(reached: int, target: int) -> float | None:
    """Percent of the target to one decimal; no target, no percentage."""
    return round(100 * reached / target, 1) if target else None
