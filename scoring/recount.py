"""Counting from scratch: what standings and tallies must be, from the entries alone (promise 3).

`check` compares and changes nothing; `repair` writes. Both are SQL over a whole round: the same rules as the drain's
statement, stated once more from the other end, so that one proves the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from scoring import ordering
from scoring.storing import LOCK_CLASS


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what the entries say; `table` and what identifies it."""

    table: str
    row: str
    kept: str
    counted: str


STANDING_COLUMNS = "participant_id, issuer, attempt, score, correct, prediction, duration_ms, received_at, merit"
_OF_ENTRY = ", ".join(f"e.{name}" for name in STANDING_COLUMNS.split(", "))
_LIMIT = 1_000


def check(session: Session, rounds: Sequence[int]) -> list[Difference]:
    """Differences of these rounds and of their contests; empty when everything equals a count from the entries."""
    found: list[Difference] = []
    for round_id in rounds:
        found += _compare(session, "standing", "person_id", standings_sql(session, round_id), _KEPT_STANDINGS, round_id)
        found += _compare(session, "tally", "unit_id", _TALLIES, _KEPT_TALLIES, round_id)
    for contest_id in _contests(session, rounds):
        found += _compare(session, "contest_standing", "person_id", _CONTEST_STANDINGS, _KEPT_CONTEST, contest_id)
        found += _compare(session, "contest_tally", "unit_id", _CONTEST_TALLIES, _KEPT_CONTEST_TALLIES, contest_id)
    return found


def repair(session: Session, rounds: Sequence[int]) -> None:
    """Write standings and tallies of these rounds, and of their contests, from the entries. The caller commits."""
    for round_id in rounds:
        session.execute(text("SELECT pg_advisory_xact_lock(:c, :r)"), {"c": LOCK_CLASS, "r": round_id})
        session.execute(text("DELETE FROM tally WHERE round_id = :id"), {"id": round_id})
        session.execute(
            text("CREATE TEMP TABLE recounted ON COMMIT DROP AS " + standings_sql(session, round_id)),
            {"id": round_id},
        )
        session.execute(text("DELETE FROM standing WHERE round_id = :id"), {"id": round_id})
        session.execute(
            text(
                f"INSERT INTO standing (round_id, person_id, unit_id, entries, {STANDING_COLUMNS}) "
                f"SELECT :id, person_id, unit_id, entries, {STANDING_COLUMNS} FROM recounted"
            ),
            {"id": round_id},
        )
        session.execute(text("DROP TABLE recounted"))
        session.execute(
            text(
                "INSERT INTO tally (round_id, unit_id, shard, participants, entries, score_sum) "
                "SELECT round_id, unit_id, person_id % (SELECT shards FROM round WHERE id = :id), count(*), "
                "sum(entries), sum(score) FROM standing WHERE round_id = :id GROUP BY 1, 2, 3"
            ),
            {"id": round_id},
        )
    for contest_id in _contests(session, rounds):
        session.execute(text("DELETE FROM contest_standing WHERE contest_id = :id"), {"id": contest_id})
        session.execute(text("DELETE FROM contest_tally WHERE contest_id = :id"), {"id": contest_id})
        session.execute(
            text(
                "INSERT INTO contest_standing (contest_id, person_id, unit_id, entries, rounds, score) "
                "SELECT :id, person_id, unit_id, entries, rounds, score FROM (" + _CONTEST_STANDINGS + ") counted"
            ),
            {"id": contest_id},
        )
        session.execute(
            text(
                "INSERT INTO contest_tally (contest_id, unit_id, shard, participants, entries, standings, score_sum) "
                "SELECT contest_id, unit_id, person_id % 16, count(*), sum(entries), sum(rounds), sum(score) "
                "FROM contest_standing WHERE contest_id = :id GROUP BY 1, 2, 3"
            ),
            {"id": contest_id},
        )


def _contests(session: Session, rounds: Sequence[int]) -> list[int]:
    return list(
        session.scalars(
            text("SELECT DISTINCT contest_id FROM round WHERE id = ANY(:rounds) ORDER BY 1"), {"rounds": list(rounds)}
        )
    )


def standings_sql(session: Session, round_id: int, *, persons: str | None = None) -> str:
    """SELECT that makes the standings of a round from its entries.

    The home unit is the one the standing has, else of the person's first attempt; which entry is the standing is the
    round's rule.

    Args:
        persons: a relation of person_id, a name of our own, never from outside; only these are counted.
    """
    only = (
        f"AND e.participant_id IN (SELECT person_id FROM {persons} UNION ALL "
        f"SELECT id FROM users WHERE person_id <> id AND person_id IN (SELECT person_id FROM {persons}))"
        if persons
        else ""
    )
    which = session.scalar(text("SELECT rules->>'which' FROM round WHERE id = :id"), {"id": round_id}) or "best"
    return f"""
    SELECT DISTINCT ON (person_id) person_id, coalesce(s_unit_id, first_unit_id) AS unit_id, entries,
           {STANDING_COLUMNS}
    FROM (
        SELECT coalesce(u.person_id, e.participant_id) AS person_id, {_OF_ENTRY},
               count(*) OVER person AS entries, s.unit_id AS s_unit_id,
               first_value(e.unit_id) OVER (person ORDER BY e.attempt, e.issuer) AS first_unit_id
        FROM entry e LEFT JOIN users u ON u.id = e.participant_id AND u.person_id <> u.id
        LEFT JOIN standing s ON s.round_id = :id AND s.person_id = coalesce(u.person_id, e.participant_id)
        WHERE e.round_id = :id AND e.counted {only}
        WINDOW person AS (PARTITION BY coalesce(u.person_id, e.participant_id))
    ) counted
    ORDER BY person_id, {ordering.first_in_sql(which)}
    """


_KEPT_STANDINGS = f"SELECT person_id, unit_id, entries, {STANDING_COLUMNS} FROM standing WHERE round_id = :id"
_TALLIES = (
    "SELECT unit_id, count(*) AS participants, sum(entries) AS entries, sum(score) AS score_sum "
    "FROM standing WHERE round_id = :id GROUP BY unit_id"
)
# A tally may go back to nothing; that it once existed is no difference.
_KEPT_TALLIES = (
    "SELECT unit_id, sum(participants) AS participants, sum(entries) AS entries, sum(score_sum) AS score_sum "
    "FROM tally WHERE round_id = :id GROUP BY unit_id HAVING sum(entries) <> 0 OR sum(participants) <> 0"
)
_CONTEST_STANDINGS = """
SELECT s.person_id, coalesce(min(c.unit_id), (array_agg(s.unit_id ORDER BY s.received_at))[1]) AS unit_id,
       sum(s.entries) AS entries, count(*) AS rounds, sum(s.score) AS score
FROM standing s JOIN round r ON r.id = s.round_id
LEFT JOIN contest_standing c ON c.contest_id = :id AND c.person_id = s.person_id
WHERE r.contest_id = :id GROUP BY s.person_id
"""
_KEPT_CONTEST = "SELECT person_id, unit_id, entries, rounds, score FROM contest_standing WHERE contest_id = :id"
_CONTEST_TALLIES = (
    "SELECT unit_id, count(*) AS participants, sum(entries) AS entries, sum(rounds) AS standings, "
    "sum(score) AS score_sum FROM contest_standing WHERE contest_id = :id GROUP BY unit_id"
)
_KEPT_CONTEST_TALLIES = (
    "SELECT unit_id, sum(participants) AS participants, sum(entries) AS entries, sum(standings) AS standings, "
    "sum(score_sum) AS score_sum FROM contest_tally WHERE contest_id = :id "
    "GROUP BY unit_id HAVING sum(entries) <> 0 OR sum(participants) <> 0"
)


def _compare(session: Session, table: str, key: str, counted: str, kept: str, identifier: int) -> list[Difference]:
    rows = session.execute(
        text(
            f"SELECT coalesce(k.{key}, c.{key}) AS row, k::text AS kept, c::text AS counted "
            f"FROM ({kept}) k FULL JOIN ({counted}) c ON c.{key} = k.{key} "
            f"WHERE k::text IS DISTINCT FROM c::text LIMIT {_LIMIT}"
        ),
        {"id": identifier},
    )
    return [
        Difference(table, f"{identifier}/{row.row}", row.kept or "nothing", row.counted or "nothing") for row in rows
    ]
