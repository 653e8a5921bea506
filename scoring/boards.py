"""The write side of the boards: absolute values from the tallies, as finished documents.

Everything written here can be thrown away and made again; the tables are the truth. A document is replaced only if
its rows changed, so its ETag and `as_of` belong to its content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.clock import iso
from quiz.intake import boards as contract
from quiz.intake.boards import BoardDocument
from scoring import ranks

_LEASE = "quiz80:boards:writer"
_LEASE_MS = 10_000
_WRITTEN = "quiz80:boards:written"
_WRITTEN_MS = 3_000
"""For so long after the boards were written nobody but the lanes has to look after them."""


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
    """The units of today and of before, by id, with the board unit each belongs to."""

    nodes: dict[int, UnitNode] = field(default_factory=dict)
    successor: dict[int, int] = field(default_factory=dict)
    """Old unit → the unit of today that its history moves to as a whole."""

    def line(self, unit_id: int) -> list[int]:
        """The unit and its ancestors, from the leaf up, as of today."""
        found: list[int] = []
        current: int | None = self.successor.get(unit_id, unit_id)
        while current is not None and current in self.nodes:
            found.append(current)
            parent = self.nodes[current].parent_id
            current = None if parent is None else self.successor.get(parent, parent)
        return found


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
        row.unit_id: Counts(row.participants, row.entries, row.score_sum, row.participants if released else 0)
        for row in session.execute(
            text(
                "SELECT unit_id, sum(participants)::int AS participants, sum(entries)::int AS entries, "
                "sum(score_sum)::bigint AS score_sum FROM tally WHERE round_id = :round GROUP BY unit_id"
            ),
            {"round": round_id},
        )
    }
    targets = _targets(session, facts.contest_id, round_id)
    _write(cache, contract.round_scope(round_id), facts.number, tree, leaves, targets, now)
    if released and facts.finalized_at is None:
        ranks.mark_dirty(cache, round_id)


def refresh_contest(session: Session, cache: Redis, tree: Tree, contest_id: int, now: datetime) -> None:
    """Write the boards of a whole contest: people once over all rounds, averages over the released rounds."""
    leaves = {
        row.unit_id: Counts(row.participants, row.entries)
        for row in session.execute(
            text(
                "SELECT unit_id, sum(participants)::int AS participants, sum(entries)::int AS entries "
                "FROM contest_tally WHERE contest_id = :contest GROUP BY unit_id"
            ),
            {"contest": contest_id},
        )
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
    totals: dict[int, Counts] = {}
    for unit_id, counts in leaves.items():
        for ancestor in tree.line(unit_id):
            totals.setdefault(ancestor, Counts()).add(counts)
    groups = _groups(tree)
    held: dict[Any, Any] = cache.hgetall(contract.key_of(scope))
    documents: dict[str, BoardDocument] = {}
    for name, units in groups.items():
        rows = msgspec.json.encode(rank_rows(units, totals, targets))
        etag = contract.etag_of(rows)
        old = held.get(name.encode())
        if old is not None and old.startswith(etag.encode() + b"\n"):
            continue
        head = msgspec.json.encode({"as_of": iso(now), "round": number})
        documents[name] = BoardDocument(etag, head[:-1] + b',"rows":' + rows + b"}")
    contract.write_documents(cache, scope, documents)


def _groups(tree: Tree) -> dict[str, list[UnitNode]]:
    """The boards and the units on each; former units stand on none, their counts roll up to where they went."""
    current = [node for node in tree.nodes.values() if node.of_today]
    groups: dict[str, list[UnitNode]] = {contract.PROVINCES: [], contract.COMMUNES: []}
    for node in current:
        if node.kind in ("province", "union"):
            groups[contract.PROVINCES].append(node)
            groups.setdefault(contract.communes_of(node.code), [])
        elif node.kind == "commune":
            groups[contract.COMMUNES].append(node)
            if node.parent_id in tree.nodes:
                groups.setdefault(contract.communes_of(tree.nodes[node.parent_id].code), []).append(node)
    return groups


def rank_rows(
    units: Sequence[UnitNode], totals: Mapping[int, Counts], targets: Mapping[int, tuple[int, int]]
) -> list[dict[str, Any]]:
    """Rows of one board, ranked.

    Order: share of the participants' target, then participants, then entries; units without a target come after
    those with one. Units equal in all three share a rank and stand in the Vietnamese order of their names.
    """

    def key(node: UnitNode) -> tuple[int, float, int, int]:
        counts = totals.get(node.id, _NOTHING)
        target = targets.get(node.id, (0, 0))[0]
        share = counts.participants / target if target else 0.0
        return (0 if target else 1, -share, -counts.participants, -counts.entries)

    ordered = sorted(units, key=lambda node: (key(node), node.sort_key, node.code))
    rows = []
    rank, previous = 0, None
    for place, node in enumerate(ordered, 1):
        current = key(node)
        if current != previous:
            rank, previous = place, current
        rows.append(_row(rank, node, totals.get(node.id, _NOTHING), targets.get(node.id)))
    return rows


_NOTHING = Counts()


def _row(rank: int, node: UnitNode, counts: Counts, target: tuple[int, int] | None) -> dict[str, Any]:
    return {
        "rank": rank,
        "code": node.code,
        "name": node.name,
        "participants": counts.participants,
        "entries": counts.entries,
        "participants_target": target[0] if target else None,
        "entries_target": target[1] if target else None,
        "participants_pct": _percent(counts.participants, target[0] if target else 0),
        "entries_pct": _percent(counts.entries, target[1] if target else 0),
        "average_score": round(counts.score_sum / counts.scored, 2) if counts.scored else None,
    }


def _percent(reached: int, target: int) -> float | None:
    """Percent of the target to one decimal; no target, no percentage."""
    return round(100 * reached / target, 1) if target else None
