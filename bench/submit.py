"""Handing in and drawing papers through gunicorn, taking turns with a bare Flask endpoint under the same settings.

Nothing is drained meanwhile; afterwards everything is, and receipts = entries = tallies is checked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil
from sqlalchemy import text

from bench import lab as laboratory
from bench import load, papers
from bench.lab import Lab
from bench.load import Load, Split
from bench.results import Figures, middle
from bench.scale import sized
from quiz.extensions import db
from quiz.intake.season import RoundCard
from scoring import recount
from scoring.drain import Drain

RUNS = 5
WARM = 2_000
PER_S = 9_000
"""More than any machine of two cores answers: so many requests are prepared for each second."""


def run() -> Figures:
    load.ensure_wrk()
    seconds = sized(6, 2)
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = laboratory.open_round(lab, contest)
        laboratory.publish(lab, contest, [card])
        count = seconds * PER_S
        with (
            laboratory.web(lab, "bench.bare:app", ready="/") as (bare, bare_master),
            laboratory.web(lab, ready="/api/v1/contest") as (ours, master),
        ):
            load.repeat(bare + "/", 1)
            load.replay_all(ours, sheets(lab, card, range(1, WARM)))
            redis = psutil.Process(lab.servers.redis.pid)
            bares, submits, drawn, splits = [], [], [], []
            bare_us: list[float] = []
            submit_us: list[float] = []
            redis_us: list[float] = []
            paper_us: list[float] = []
            for number in range(RUNS):
                first = WARM + number * 2 * count
                bares.append(_spent(bare_us, Split(bare_master), functools.partial(load.repeat, bare + "/", seconds)))
                prefix = sheets(lab, card, range(first, first + count))
                split, redis_split = Split(master), Split(redis, alone=True)
                submits.append(_spent(submit_us, split, functools.partial(replay, ours, prefix, seconds)))
                redis_us.append(sum(redis_split.seconds()) / submits[-1].requests * 1e6)
                splits.append(split.text())
                prefix = starts(lab, card, range(first + count, first + 2 * count))
                drawn.append(_spent(paper_us, Split(master), functools.partial(replay, ours, prefix, seconds)))
                print(
                    f"  bare {bares[-1].per_s:,.0f}/s ({bare_us[-1]:.0f} us), "
                    f"hand-in {submits[-1].per_s:,.0f}/s (p99 {submits[-1].p99_ms:.0f} ms, workers {splits[-1]}, "
                    f"{submit_us[-1]:.0f} us + {redis_us[-1]:.0f} us in Redis), "
                    f"paper {drawn[-1].per_s:,.0f}/s ({paper_us[-1]:.0f} us)",
                    flush=True,
                )
            memory = max(laboratory.rss_mb(worker) for worker in master.children())
        check(lab, card)
        return {
            "bare_flask_per_s": middle([one.per_s for one in bares], 0),
            "submit_per_s": middle([one.per_s for one in submits], 0),
            "submit_ratio": _ratio(submits, bares),
            "submit_p50_ms": middle([one.p50_ms for one in submits]),
            "submit_p99_ms": middle([one.p99_ms for one in submits]),
            "bare_flask_cpu_us": middle(bare_us),
            "submit_cpu_us": middle(submit_us),
            "submit_redis_cpu_us": middle(redis_us),
            "paper_cpu_us": middle(paper_us),
            "submit_worker_split_pct": " ".join(splits),
            "paper_per_s": middle([one.per_s for one in drawn], 0),
            "paper_ratio": _ratio(drawn, bares),
            "paper_p99_ms": middle([one.p99_ms for one in drawn]),
            "submit_web_rss_mb": round(memory, 1),
        }


def _ratio(ours: list[Load], bares: list[Load]) -> float:
    """Median of the ratios within each turn: what slows the machine down slows both."""
    return round(median(one.per_s / bare.per_s for one, bare in zip(ours, bares, strict=True)), 3)


def _spent(spent: list[float], split: Split, drive: Callable[[], Load]) -> Load:
    """Drive a load; notes the web workers' processor time for a request, which another program disturbs least."""
    seen = drive()
    spent.append(sum(split.seconds()) / seen.requests * 1e6)
    return seen


def sheets(lab: Lab, card: RoundCard, people: range) -> Path:
    prefix = lab.var / "sheets"
    load.write_requests(prefix, papers.sheets(lab, card, people))
    return prefix


def starts(lab: Lab, card: RoundCard, people: range) -> Path:
    prefix = lab.var / "starts"
    load.write_requests(prefix, papers.starts(lab, card, people))
    return prefix


def replay(address: str, prefix: Path, seconds: float) -> Load:
    seen = load.replay(address, prefix, seconds)
    if seen.bad_status or seen.broken:
        raise RuntimeError(f"{seen.bad_status} answers were refusals, {seen.broken} connections broke")
    return seen


def check(lab: Lab, card: RoundCard) -> None:
    """Drain what is left and prove that receipts = entries = tallies, to the unit."""
    dead = drain_all(lab, card)
    receipts = count_receipts(lab, card)
    entries, tallied = lab.session.execute(
        text(
            "SELECT (SELECT count(*) FROM entry WHERE round_id = :id), "
            "(SELECT coalesce(sum(entries), 0) FROM tally WHERE round_id = :id)"
        ),
        {"id": card.id},
    ).one()
    lab.session.rollback()
    differences = recount.check(lab.session, [card.id])
    if dead or differences or not receipts == entries == tallied:
        raise RuntimeError(f"{receipts} receipts, {entries} entries, {tallied} tallied, {dead} dead: {differences[:3]}")
    print(f"  receipts = entries = tallies = {receipts:,}", flush=True)


def drain_all(lab: Lab, card: RoundCard) -> int:
    """Drain the round in this process until nothing is left; returns how many messages were unreadable."""
    drain = Drain(db.engine, lab.platform.gateway.client, "bench")
    dead = 0
    while (result := drain.turn([card], 0, 1, block_ms=1)).read:
        dead += result.dead
    return dead


def count_receipts(lab: Lab, card: RoundCard) -> int:
    """Attempts whose record says that they were handed in."""
    from quiz.intake import keys

    client = lab.platform.gateway.client
    found = 0
    for shard in range(card.shards):
        for name, record in client.hscan_iter(keys.attempts(card.id, shard), count=5_000):
            found += b":" in name and record[1] == 2
    return found
