"""A contest whose rounds are over but for one, written into the tables by SQL as the drain would have left them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bench import lab as laboratory
from bench.lab import Lab
from bench.scale import sized
from quiz.intake.season import RoundCard
from scoring import recount

ROUNDS = 23
PEOPLE = sized(2_100_000, 25_000)


def fill(lab: Lab, round_id: int, opens: datetime, entries: int, people: int) -> None:
    """Entries of a round, of people among the first `people`; standings and tallies are the caller's to recount.

    Every third person has a second attempt. Each paper has the first ten questions of the bank, with so many right as
    chance says, and the option after the right one chosen at the others.
    """
    lab.session.execute(
        text(_STORED),
        {
            "round": round_id,
            "count": entries,
            "people": people,
            "opens": opens,
            "leaves": lab.leaves,
            "size": len(lab.leaves),
        },
    )


_STORED = """
INSERT INTO entry (round_id, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, score, correct,
                   duration_ms, started_at, received_at, counted, questions, answers, merit)
SELECT CAST(:round AS int), person, 0, attempt, (CAST(:leaves AS int[]))[1 + (person * 7919) % :size],
       1, 1, 1, score, score,
       60000 + lag % 400000, CAST(:opens AS timestamptz) + (lag - 60000) * interval '1 ms',
       CAST(:opens AS timestamptz) + lag * interval '1 ms', true,
       '\\x0000000100020003000400050006000700080009',
       substring('\\x0001000200040008000100020004000800010002'::bytea FOR 2 * score)
         || substring('\\x0002000400080001000200040008000100020004'::bytea FROM 2 * score + 1),
       int4send(score) || int8send(0)
         || int8send(9223372036854775807 - (extract(epoch FROM CAST(:opens AS timestamptz)) * 1000)::bigint - lag)
FROM (
    SELECT 1 + (i % (CAST(:count AS bigint) * 3 / 4) * 7919 + CAST(:round AS bigint) * 104729)
               % CAST(:people AS bigint) AS person,
           (1 + i / (CAST(:count AS bigint) * 3 / 4))::int AS attempt,
           (hashint8(i * 23 + CAST(:round AS int)) & 2147483647) % 11 AS score,
           60000 + ((hashint8(i * 29 + CAST(:round AS int)) & 2147483647)::bigint % 500000000) AS lag
    FROM generate_series(0::bigint, CAST(:count AS bigint) - 1) i
) made
ON CONFLICT DO NOTHING
"""


def season(lab: Lab, *, full: bool) -> RoundCard:
    """A contest with an open round, which is returned; `full`: after `ROUNDS` stored ones."""
    with lab.app.app_context():
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        past: list[RoundCard] = []
        if full:
            began = time.monotonic()
            past = _store_rounds(lab, contest)
            count = lab.session.scalar(text("SELECT count(*) FROM entry"))
            print(f"  {count:,} entries stored in {time.monotonic() - began:.0f} s", flush=True)
        laboratory.publish(lab, contest, [*past, card])
        return card


def _store_rounds(lab: Lab, contest: int) -> list[RoundCard]:
    """Past rounds of the size of a real contest's, written as the drain would have left them.

    The last one has a million entries, the others share the rest evenly.
    """
    largest = sized(1_000_000, 3_000)
    sizes = [(sized(7_400_000, 23_000) - largest) // (ROUNDS - 1)] * (ROUNDS - 1) + [largest]
    laboratory.add_participants(lab, PEOPLE)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7 * (ROUNDS + 1))
    cards = []
    for number in range(1, ROUNDS + 1):
        opens = start + timedelta(days=7 * (number - 1))
        card = laboratory.add_round(lab, contest, number + 1, opens=opens, closes=opens + timedelta(days=6))
        fill(lab, card.id, opens, sizes[number - 1], PEOPLE)
        cards.append(card)
    recount.repair(lab.session, [card.id for card in cards])
    lab.session.commit()
    lab.session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("VACUUM ANALYZE"))
    lab.session.commit()
    return cards


def largest_round(lab: Lab) -> tuple[int, int]:
    """Its id, and how many entries it has."""
    found = lab.session.execute(text("SELECT round_id, count(*) FROM entry GROUP BY 1 ORDER BY 2 DESC LIMIT 1")).one()
    return found[0], found[1]
