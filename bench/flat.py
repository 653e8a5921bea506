"""With a whole contest stored (7.4 million entries of 2.1 million people in 23 rounds): is anything slower?

Two stacks, one empty and one full, take turns; ratios are medians of pairs. On the full one: the pages of the boards,
my rank, the recount of everything, and scoring the largest round, a million entries, again.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any
from unittest import mock

import psycopg
from sqlalchemy import func, select, text

from bench import drain as draining
from bench import lab as laboratory
from bench import load, pages, stored, submit
from bench.lab import Lab
from bench.results import Figures, middle
from bench.scale import sized
from deploy import stack
from quiz import clock
from quiz.extensions import db
from quiz.intake.season import RoundCard
from quiz.models import KeyVersion, Standing
from quiz.services.ranks import rank_of
from scoring import ranks, recount

PAIRS = 5


def run() -> Figures:
    load.ensure_wrk()
    with laboratory.lab() as empty, laboratory.lab() as full:
        cards = {lab.var: stored.season(lab, full=lab is full) for lab in (empty, full)}
        drains, submits = [], []
        statements: set[int] = set()
        for pair in range(PAIRS):
            speeds = {}
            for lab in (empty, full) if pair % 2 else (full, empty):
                with lab.app.app_context():
                    *speeds[lab is full], sent = _pair(lab, cards[lab.var], pair)
                    statements.add(sent)
            drains.append(speeds[True][0] / speeds[False][0])
            submits.append(speeds[True][1] / speeds[False][1])
            print(f"  full / empty: drain {drains[-1]:.2f}, hand-in {submits[-1]:.2f}", flush=True)
            if len(statements) > 1:
                raise RuntimeError(f"the same batches took different numbers of statements: {sorted(statements)}")
            statements.clear()
        with full.app.app_context():
            return {
                "flat_drain_ratio": round(median(drains), 3),
                "flat_submit_ratio": round(median(submits), 3),
                **_of_the_full(full),
            }


def _pair(lab: Lab, card: RoundCard, pair: int) -> tuple[float, float, int]:
    """(entries drained a second, sheets taken a second, statements that the drain sent)."""
    entries = sized(60_000, 5_000)
    # People who took part before, in no order: their standings in the contest are spread over its whole table.
    draining.fill(lab, card, entries, first=pair * entries, among=stored.PEOPLE)
    with _statements() as sent:
        drained = draining.timed(lab, card, entries)[0]
    seconds = sized(4, 2)
    first = 10_000_000 + pair * seconds * submit.PER_S
    with laboratory.web(lab, ready="/api/v1/contest") as (ours, _):
        prefix = submit.sheets(lab, card, range(first, first + seconds * submit.PER_S))
        taken = submit.replay(ours, prefix, seconds).per_s
    submit.drain_all(lab, card)
    return drained, taken, len(sent)


@contextlib.contextmanager
def _statements() -> Iterator[list[None]]:
    """One item for each statement that psycopg is given meanwhile."""
    sent: list[None] = []
    execute, copy = psycopg.Cursor.execute, psycopg.Cursor.copy

    def executed(self: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(None)
        return execute(self, *args, **kwargs)

    def copied(self: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(None)
        return copy(self, *args, **kwargs)

    with mock.patch.multiple(psycopg.Cursor, execute=executed, copy=copied):
        yield sent


def _of_the_full(lab: Lab) -> Figures:
    session = lab.session
    rounds = list(session.scalars(text("SELECT id FROM round ORDER BY id")))
    largest, entries = stored.largest_round(lab)
    began = time.monotonic()
    differences = recount.check(session, rounds)
    recounted = time.monotonic() - began
    if differences:
        raise RuntimeError(f"the recount differs: {differences[:3]}")
    figures = {**pages.measure(lab, largest), **_my_rank(lab, largest), **_rescored(lab, largest)}
    return {
        "stored_entries": session.scalar(text("SELECT count(*) FROM entry")),
        "recount_seconds": round(recounted, 1),
        "rescore_entries": entries,
        **figures,
    }


def _my_rank(lab: Lab, round_id: int) -> Figures:
    """The median of asking for the rank of a hundred people spread over a round that is not final."""
    began = time.monotonic()
    ranks.write_ladder(lab.session, round_id)
    lab.session.commit()
    written = time.monotonic() - began
    standings = lab.session.scalars(
        select(Standing).where(Standing.round_id == round_id).order_by(text("hashint8(person_id)")).limit(100)
    ).all()
    times = []
    for standing in standings:
        began = time.perf_counter()
        found = rank_of(lab.session, round_id, standing.merit)
        times.append((time.perf_counter() - began) * 1000)
        better = select(func.count()).where(Standing.round_id == round_id, Standing.merit > standing.merit)
        if found != 1 + lab.session.execute(better).scalar_one():
            raise RuntimeError("a rank by the ladder is not the rank by a plain count")
    return {
        "my_rank_ms": middle(times, 2),
        "my_rank_max_ms": round(max(times), 2),
        "my_rank_standings": lab.session.scalar(select(func.count()).where(Standing.round_id == round_id)),
        "rank_ladder_seconds": round(written, 2),
    }


def _rescored(lab: Lab, round_id: int) -> Figures:
    """One question of the key corrected, by the command that an operator types: its dry run, then applied."""
    number = lab.session.scalar(text("SELECT number FROM round WHERE id = :id"), {"id": round_id})
    key = [{"accept": [1 << (place % 4)], "void": place == 0} for place in range(laboratory.QUESTIONS)]
    lab.session.add(KeyVersion(round_id=round_id, bank_version=1, version=2, key=key, created_at=clock.now()))
    lab.session.commit()
    dry, would = _command(lab, "rescore", "--round", str(number), "--key-version", "2", "--dry-run")
    applied, did = _command(lab, "rescore", "--round", str(number), "--key-version", "2", "--reason", "benchmark")
    if _first_number(would) != _first_number(did) or not _first_number(did):
        raise RuntimeError(f"the dry run said {would!r}, applied it was {did!r}")
    if recount.check(lab.session, [round_id]):
        raise RuntimeError("after scoring again the recount differs")
    db.session.rollback()
    return {
        "rescore_changed_entries": _first_number(did),
        "rescore_seconds": round(dry, 1),
        "rescore_apply_seconds": round(applied, 1),
    }


def _command(lab: Lab, *arguments: str) -> tuple[float, str]:
    """(seconds of `flask …` from its start to its end, the last line it printed)."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=stack.ROOT,
        env=lab.stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"flask {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout.strip().splitlines()[-1]


def _first_number(line: str) -> int:
    return int(line.split(maxsplit=1)[0])
