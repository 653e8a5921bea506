"""With a whole contest stored (7.4 million entries of 2.1 million people in 23 rounds): is anything slower?

Two stacks, one empty and one full, take turns; ratios are medians of pairs. On the full one: my rank, the recount of
everything, and scoring a round again.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import select, text

from bench import drain as draining
from bench import lab as laboratory
from bench import load, stored, submit
from bench.lab import Lab
from bench.results import Figures, middle
from bench.scale import sized
from quiz import clock
from quiz.extensions import db
from quiz.intake.season import RoundCard
from quiz.models import KeyVersion, Standing
from quiz.services import entries as entry_service
from scoring import recount, regrade

ROUNDS = 23
PAIRS = 5


def run() -> Figures:
    load.ensure_wrk()
    with laboratory.lab() as empty, laboratory.lab() as full:
        cards = {lab.var: _season(lab, full=lab is full) for lab in (empty, full)}
        drains, submits = [], []
        for pair in range(PAIRS):
            speeds = {}
            for lab in (empty, full) if pair % 2 else (full, empty):
                with lab.app.app_context():
                    speeds[lab is full] = _pair(lab, cards[lab.var], pair)
            drains.append(speeds[True][0] / speeds[False][0])
            submits.append(speeds[True][1] / speeds[False][1])
            print(f"  full / empty: drain {drains[-1]:.2f}, hand-in {submits[-1]:.2f}", flush=True)
        with full.app.app_context():
            return {
                "flat_drain_ratio": round(median(drains), 3),
                "flat_submit_ratio": round(median(submits), 3),
                **_of_the_full(full),
            }


def _season(lab: Lab, *, full: bool) -> RoundCard:
    with lab.app.app_context():
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        if full:
            began = time.monotonic()
            count = _store_rounds(lab, contest)
            print(f"  {count:,} entries stored in {time.monotonic() - began:.0f} s", flush=True)
        laboratory.publish(lab, contest, [card])
        return card


def _store_rounds(lab: Lab, contest: int) -> int:
    """Past rounds of the size of a real contest's, written as the drain would have left them."""
    entries, people = sized(7_400_000, 23_000) // ROUNDS, sized(2_100_000, 10_000)
    laboratory.add_participants(lab, people)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7 * (ROUNDS + 1))
    rounds = []
    for number in range(1, ROUNDS + 1):
        opens = start + timedelta(days=7 * (number - 1))
        card = laboratory.add_round(lab, contest, number + 1, opens=opens, closes=opens + timedelta(days=6))
        stored.fill(lab, card.id, opens, entries, people)
        rounds.append(card.id)
    recount.repair(lab.session, rounds)
    lab.session.commit()
    lab.session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("VACUUM ANALYZE"))
    lab.session.commit()
    return entries * ROUNDS


def _pair(lab: Lab, card: RoundCard, pair: int) -> tuple[float, float]:
    """(entries drained a second, sheets taken a second)."""
    entries = sized(100_000, 5_000)
    draining.fill(lab, card, entries, first=3_000_000 + pair * entries)
    drained = draining.timed(lab, card, entries)[0]
    seconds = sized(6, 2)
    first = 10_000_000 + pair * seconds * submit.PER_S
    with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
        prefix = submit.sheets(lab, card, range(first, first + seconds * submit.PER_S))
        taken = submit.replay(ours, prefix, seconds).per_s
    submit.drain_all(lab, card)
    return drained, taken


def _of_the_full(lab: Lab) -> Figures:
    session = lab.session
    rounds = list(session.scalars(text("SELECT id FROM round ORDER BY id")))
    largest = session.execute(text("SELECT round_id, count(*) FROM entry GROUP BY 1 ORDER BY 2 DESC LIMIT 1")).one()
    began = time.monotonic()
    differences = recount.check(session, rounds)
    recounted = time.monotonic() - began
    if differences:
        raise RuntimeError(f"the recount differs: {differences[:3]}")
    figures = _rescored(lab, largest[0])
    return {
        "stored_entries": session.scalar(text("SELECT count(*) FROM entry")),
        "recount_seconds": round(recounted, 1),
        "my_rank_ms": _rank_ms(lab, largest[0]),
        "rescore_entries": largest[1],
        **figures,
    }


def _rank_ms(lab: Lab, round_id: int) -> float:
    """The median of asking for the rank of a hundred people spread over a round that is not final."""
    standings = lab.session.scalars(
        select(Standing).where(Standing.round_id == round_id).order_by(text("hashint8(person_id)")).limit(100)
    ).all()
    times = []
    for standing in standings:
        began = time.perf_counter()
        entry_service._counted_rank(lab.session, standing)
        times.append((time.perf_counter() - began) * 1000)
    return middle(times, 2)


def _rescored(lab: Lab, round_id: int) -> Figures:
    """One question of the key corrected: dry run, then applied."""
    key = [{"accept": [1 << (place % 4)], "void": place == 0} for place in range(laboratory.QUESTIONS)]
    lab.session.add(KeyVersion(round_id=round_id, bank_version=1, version=2, key=key, created_at=clock.now()))
    lab.session.commit()
    began = time.monotonic()
    regrade.rescore(lab.session, round_id, 2)
    lab.session.rollback()
    dry = time.monotonic() - began
    began = time.monotonic()
    regrade.apply(lab.session, round_id, 2, clock.now(), reason="benchmark", actor_id=None)
    lab.session.commit()
    applied = time.monotonic() - began
    if recount.check(lab.session, [round_id]):
        raise RuntimeError("after scoring again the recount differs")
    db.session.rollback()
    return {"rescore_dry_run_seconds": round(dry, 1), "rescore_seconds": round(applied, 1)}
