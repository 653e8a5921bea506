"""PostgreSQL is away for ten minutes (BENCH_SCALE of them) at full intake: how long until nothing waits any more?

Sheets come in as fast as the web takes them, before, during and after; PostgreSQL is killed, and started again when
the time is over. Two lanes drain: what one of them has to wait for longer than ten milliseconds is counted.
"""

from __future__ import annotations

import time
from collections import Counter

from msgspec.structs import replace
from sqlalchemy import text

from bench import lab as laboratory
from bench import load, submit
from bench.lab import Lab
from bench.results import Figures
from bench.scale import sized
from quiz.extensions import db
from quiz.intake.season import RoundCard
from scoring import sweeper

LANES = 2
WORKERS = 3
WARM = 2_000
MEASURED_SECONDS = 3
PATIENCE = 0.5
"""Catching up may take so many times the outage before this gives up; the goal is 0.4."""
LIMIT_MS = 2 * 60 * 60 * 1000
"""For a paper: the last of millions is handed in half an hour after it was drawn."""
SETTLING_SECONDS = 30
LOCK_WAIT_MS = 10
LOG_LINES, LOG_COLUMNS = 4, 200
"""Of what PostgreSQL logs about a wait: what for, who holds it, where."""


def run() -> Figures:
    load.ensure_wrk()
    outage = sized(600, 10)
    with laboratory.lab() as lab:
        contest = laboratory.add_contest(lab)
        card = replace(laboratory.open_round(lab, contest), limit=LIMIT_MS)
        laboratory.publish(lab, contest, [card])
        _log_lock_waits()
        # No connection of this process lives through the outage, nor through the minutes of preparing for it.
        db.session.remove()
        db.engine.dispose()
        lab.stack.environment["QUIZ80_DRAIN_LANES"] = str(LANES)
        with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
            people = _warm(lab, card, ours)
            per_s = _intake_per_s(lab, card, ours, people)
            count = round(per_s * (outage * (1 + PATIENCE) + SETTLING_SECONDS))
            prefix = submit.sheets(lab, card, range(people.stop, people.stop + count))
            with laboratory.scoring(lab, WORKERS):
                intake = load.Replay(ours, prefix)
                _await_drained(lab, card, per_s, seconds=SETTLING_SECONDS)
                lab.servers.postgres.kill9()
                time.sleep(outage)
                waiting = _backlog(lab, card)
                lab.servers.postgres.start()
                caught_up = _await_drained(lab, card, per_s, seconds=outage * PATIENCE)
                seen = intake.stop()
        submit.check(lab, card)
        if seen.bad_status or seen.broken:
            raise RuntimeError(f"{seen.bad_status} answers were refusals, {seen.broken} connections broke")
        waits = _lock_waits(lab)
        return {
            "catch_up_outage_seconds": outage,
            "catch_up_backlog": waiting,
            "catch_up_seconds": round(caught_up, 1),
            "catch_up_of_outage": round(caught_up / outage, 2),
            "catch_up_intake_per_s": round(seen.per_s),
            "catch_up_lock_waits": waits["lock"],
            "catch_up_extension_waits": waits["extension"],
            "catch_up_deadlocks": waits["deadlock"],
        }


def _log_lock_waits() -> None:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER SYSTEM SET deadlock_timeout = '{LOCK_WAIT_MS}ms'"))
        connection.execute(text("SELECT pg_reload_conf()"))


def _lock_waits(lab: Lab) -> Counter[str]:
    """What PostgreSQL logged: waits for a lock, waits for a file that another appends pages to, deadlocks.

    Each is shown, because the log goes with the lab. The second kind of lock is held for a moment and not until the
    commit, so it stands for no order in which two workers could get in each other's way.
    """
    lines = lab.servers.postgres.log.read_text(encoding="utf-8", errors="replace").splitlines()
    found: Counter[str] = Counter()
    for number, line in enumerate(lines):
        if "deadlock detected" in line:
            found["deadlock"] += 1
        elif "still waiting for" in line:
            found["extension" if "on extension of relation" in line else "lock"] += 1
        else:
            continue
        print("  " + "\n  ".join(said[:LOG_COLUMNS] for said in lines[number : number + LOG_LINES]), flush=True)
    return found


def _warm(lab: Lab, card: RoundCard, address: str) -> range:
    """People who have not handed in yet, after some did."""
    load.replay_all(address, submit.sheets(lab, card, range(1, WARM)))
    return range(WARM, WARM + MEASURED_SECONDS * submit.PER_S)


def _intake_per_s(lab: Lab, card: RoundCard, address: str, people: range) -> float:
    return submit.replay(address, submit.sheets(lab, card, people), MEASURED_SECONDS).per_s


def _backlog(lab: Lab, card: RoundCard) -> int:
    return sweeper.backlog(lab.platform.gateway.client, [card])[card.id]


def _await_drained(lab: Lab, card: RoundCard, per_s: float, *, seconds: float) -> float:
    """Seconds until no more waits than comes in within one second."""
    began = time.monotonic()
    while (waiting := _backlog(lab, card)) > per_s:
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"{waiting} entries still wait after {seconds:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began
