"""A round of a million entries (BENCH_SCALE of them) looked through for signals, with some planted to be found.

Answers are drawn by lot, half of them right; 40 pairs of neighbours hand in the same sheet, 20 people are faster than
they can read, 10 devices have six people each.
"""

from __future__ import annotations

import resource
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from bench import lab as laboratory
from bench.lab import Lab
from bench.results import Figures
from bench.scale import sized
from quiz import clock
from quiz.models import Bank
from scoring import recount, signals

TWINS, QUICK, DEVICES, ON_ONE = 40, 20, 10, 6


def run() -> Figures:
    entries = sized(1_000_000, 5_000)
    with laboratory.lab() as lab:
        round_id = _round(lab, entries)
        steps: list[int] = []
        began, processor = time.monotonic(), time.process_time()
        figures = signals.find(lab.session, round_id, clock.now(), lambda done, _total: steps.append(done))
        lab.session.commit()
        seconds = time.monotonic() - began
        _check(figures)
        return {
            "signals_entries": entries,
            "signals_seconds": round(seconds, 1),
            "signals_own_processor_seconds": round(time.process_time() - processor, 1),
            "signals_progress_steps": len(steps),
            "signals_found": sum(figures[kind]["found"] for kind in ("speed", "twins", "device", "session")),
            "signals_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


def _round(lab: Lab, entries: int) -> int:
    contest = laboratory.add_contest(lab)
    laboratory.add_participants(lab, entries)
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
    card = laboratory.add_round(lab, contest, 1, opens=opens, closes=opens + timedelta(days=6))
    content = [
        {"id": str(place + 1), "text": f"Câu hỏi số {place + 1} về cuộc Tổng tuyển cử đầu tiên là câu nào?",
         "multiple": False, "topic": "", "difficulty": 2,
         "options": [{"id": name, "text": f"Phương án {name}: ngày 6 tháng 1 năm 1946"} for name in "abcd"]}
        for place in range(laboratory.QUESTIONS)
    ]  # fmt: skip
    lab.session.add(Bank(round_id=card.id, version=1, content=content, frozen_at=clock.now()))
    lab.session.flush()
    given = {"round": card.id, "count": entries, "opens": opens, "leaves": lab.leaves, "size": len(lab.leaves)}
    lab.session.execute(text(_DRAWN), given)
    planted = {"round": card.id, "twins": TWINS, "quick": QUICK, "devices": DEVICES, "each": ON_ONE}
    for statement in _PLANTED:
        lab.session.execute(text(statement), planted)
    recount.repair(lab.session, [card.id])
    lab.session.commit()
    lab.session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("VACUUM ANALYZE"))
    lab.session.commit()
    return card.id


def _check(figures: dict[str, dict[str, int]]) -> None:
    for kind, least in (("speed", QUICK), ("device", DEVICES), ("twins", TWINS)):
        if figures[kind]["found"] < least:
            raise RuntimeError(f"{least} signals of kind {kind} were planted, {figures[kind]['found']} found")


# Answer i is right by mask 1 << i % 4; the lot of each answer is a hash, so that every run has the same round.
_DRAWN = """
INSERT INTO entry (round_id, participant_id, issuer, attempt, unit_id, bank_version, key_version, kind, score, correct,
                   duration_ms, started_at, received_at, counted, questions, answers, merit)
SELECT CAST(:round AS int), i, 0, 1, (CAST(:leaves AS int[]))[1 + (i * 7919) % :size], 1, 1, 1, right_ones, right_ones,
       taken, at - taken * interval '1 ms', at, true, '\\x0000000100020003000400050006000700080009', answers,
       int4send(right_ones) || int8send(i)
FROM (
    SELECT i, sum((lot < 50)::int)::int AS right_ones,
           (60000 + (hashint8(i * 31) & 2147483647) % 300000)::int AS taken,
           CAST(:opens AS timestamptz)
               + ((hashint8(i * 29) & 2147483647)::bigint % 500000 + 400) * interval '1 s' AS at,
           string_agg(int2send((1 << CASE WHEN lot < 50 THEN q % 4 ELSE (q + 1 + lot % 3) % 4 END)::int2),
                      ''::bytea ORDER BY q) AS answers
    FROM generate_series(1::bigint, CAST(:count AS bigint)) i, generate_series(0, 9) q,
         LATERAL (SELECT (hashint8(i * 16 + q) & 2147483647) % 100 AS lot) drawn
    GROUP BY i
) made
"""
_PLANTED = (
    # Person 2n hands in what person 2n - 1 handed in, half a minute later, in the same commune; all of it wrong.
    """
    UPDATE entry SET answers = '\\x0002000400080001000200040008000100020004', correct = 0, score = 0
    WHERE round_id = :round AND participant_id <= 2 * :twins AND participant_id % 2 = 1
    """,
    """
    UPDATE entry e SET answers = o.answers, correct = o.correct, score = o.score, unit_id = o.unit_id,
        received_at = o.received_at + interval '30 s', started_at = o.started_at
    FROM entry o WHERE e.round_id = :round AND o.round_id = :round AND e.participant_id <= 2 * :twins
        AND e.participant_id % 2 = 0 AND o.participant_id = e.participant_id - 1
    """,
    """
    UPDATE entry SET duration_ms = 4000, started_at = received_at - interval '4 s'
    WHERE round_id = :round AND participant_id BETWEEN 1001 AND 1000 + :quick
    """,
    """
    UPDATE entry SET device = 'device' || participant_id % :devices
    WHERE round_id = :round AND participant_id BETWEEN 2001 AND 2000 + :devices * :each
    """,
)
