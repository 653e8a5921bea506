"""Handing in and drawing papers through gunicorn, taking turns with a bare Flask endpoint under the same settings.

Nothing is drained meanwhile; afterwards everything is, and receipts = entries = tallies is checked.
"""

from __future__ import annotations

from statistics import median

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
            laboratory.web(lab, "bench.bare:app", ready="/") as (bare, _),
            laboratory.web(lab, ready="/api/v1/contest") as (ours, master),
        ):
            load.repeat(bare + "/", 1)
            _hand_in(lab, card, ours, range(1, WARM), 1, short=True)
            bares, submits, drawn, splits = [], [], [], []
            for number in range(RUNS):
                first = WARM + number * 2 * count
                bares.append(load.repeat(bare + "/", seconds))
                split = Split(master)
                submits.append(_hand_in(lab, card, ours, range(first, first + count), seconds))
                splits.append(split.text())
                drawn.append(_draw(lab, card, ours, range(first + count, first + 2 * count), seconds))
                print(
                    f"  bare {bares[-1].per_s:,.0f}/s, hand-in {submits[-1].per_s:,.0f}/s "
                    f"(p99 {submits[-1].p99_ms:.0f} ms, workers {splits[-1]}), paper {drawn[-1].per_s:,.0f}/s",
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
            "submit_worker_split_pct": " ".join(splits),
            "paper_per_s": middle([one.per_s for one in drawn], 0),
            "paper_ratio": _ratio(drawn, bares),
            "paper_p99_ms": middle([one.p99_ms for one in drawn]),
            "submit_web_rss_mb": round(memory, 1),
        }


def _ratio(ours: list[Load], bares: list[Load]) -> float:
    """Median of the ratios within each turn: what slows the machine down slows both."""
    return round(median(one.per_s / bare.per_s for one, bare in zip(ours, bares, strict=True)), 3)


def _hand_in(lab: Lab, card: RoundCard, address: str, people: range, seconds: float, *, short: bool = False) -> Load:
    prefix = lab.var / "sheets"
    load.write_requests(prefix, papers.sheets(lab, card, people))
    seen = load.replay_all(address, prefix) if short else load.replay(address, prefix, seconds)
    return _sound(seen)


def _draw(lab: Lab, card: RoundCard, address: str, people: range, seconds: float) -> Load:
    prefix = lab.var / "starts"
    load.write_requests(prefix, papers.starts(lab, card, people))
    return _sound(load.replay(address, prefix, seconds))


def _sound(seen: Load) -> Load:
    if seen.bad_status or seen.broken:
        raise RuntimeError(f"{seen.bad_status} answers were refusals, {seen.broken} connections broke")
    return seen


def check(lab: Lab, card: RoundCard) -> None:
    """Drain what is left and prove that receipts = entries = tallies, to the unit."""
    drain = Drain(db.engine, lab.platform.gateway.client, "lane-0", "bench")
    dead = 0
    while (result := drain.turn([card], 0, 1, block_ms=1)).read:
        dead += result.dead
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


def count_receipts(lab: Lab, card: RoundCard) -> int:
    """Attempts whose record says that they were handed in."""
    from quiz.intake import keys

    client = lab.platform.gateway.client
    found = 0
    for shard in range(card.shards):
        for name, record in client.hscan_iter(keys.attempts(card.id, shard), count=5_000):
            found += b":" in name and record[1] == 2
    return found
