"""A key corrected in a round with a million entries (BENCH_SCALE of them), by the job that the pages ask for.

Three questions change at once: one gets another right option, one takes two, one is right for everybody. Scheduler and
workers run as in production; the proposal goes through the services that the pages call, its progress is read where
they read it. Cancelled, in the middle and at the end, no row differs; applied, everything equals a count from scratch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bench import lab as laboratory
from bench import stored
from bench.lab import Lab
from bench.results import Figures
from bench.scale import sized
from quiz import clock
from quiz.intake.season import RoundCard
from quiz.models import Bank, KeyProposal, Round
from quiz.services import corrections
from quiz.services.corrections import Answer
from quiz.services.demo import prizes
from scoring import recount, regrade

PROPOSER, APPROVER = 1, 2
CHANGES = {"1": Answer(("b",)), "2": Answer(("b", "c")), "3": Answer(void=True)}
TABLES = ("entry", "standing", "tally", "contest_standing", "contest_tally", "counting_event", "key_version", "round")
LONGEST = 300.0


def run() -> Figures:
    entries = sized(1_000_000, 5_000)
    with laboratory.lab() as lab:
        card = _round(lab, entries)
        before = _checksums(lab)
        with laboratory.scoring(lab):
            cancelled_at = _cancelled_while_counting(lab, card)
            _same(before, _checksums(lab), "cancelled while it was counted")
            proposal, dry, seen = _counted(lab, card)
            corrections.cancel(lab.session, proposal, clock.now(), actor_id=APPROVER, reason="benchmark")
            lab.session.commit()
            _same(before, _checksums(lab), "cancelled after the dry run")
            proposal, again, _ = _counted(lab, card)
            effect = _effect(lab, proposal)
            applied = _applied(lab, card, proposal)
        _check(lab, card, effect)
        return {
            "correction_entries": entries,
            "correction_changed_entries": effect["entries"],
            "correction_dry_run_seconds": round(max(dry, again), 1),
            "correction_apply_seconds": round(applied, 1),
            "correction_progress_steps": seen,
            "correction_cancelled_at_percent": cancelled_at,
        }


def _round(lab: Lab, entries: int) -> RoundCard:
    contest = laboratory.add_contest(lab)
    laboratory.add_participants(lab, entries)
    opens = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
    card = laboratory.add_round(lab, contest, 1, opens=opens, closes=opens + timedelta(days=6))
    content = [
        {"id": str(place + 1), "text": f"Question {place + 1}", "multiple": False, "topic": "", "difficulty": 2,
         "options": [{"id": name, "text": name.upper()} for name in "abcd"]}
        for place in range(laboratory.QUESTIONS)
    ]  # fmt: skip
    lab.session.add(Bank(round_id=card.id, version=1, content=content, frozen_at=clock.now()))
    # With prizes: the dry run then also says which of them would change hands.
    held = lab.session.get_one(Round, card.id)
    held.rules = {**held.rules, **prizes.RULES}
    stored.fill(lab, card.id, opens, entries, entries)
    recount.repair(lab.session, [card.id])
    lab.session.commit()
    lab.session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("VACUUM ANALYZE"))
    lab.session.commit()
    laboratory.publish(lab, contest, [card])
    return card


# The steps of a proposal


def _propose(lab: Lab, card: RoundCard) -> int:
    made = corrections.propose(
        lab.session,
        lab.session.get_one(Round, card.id),
        CHANGES,
        clock.now(),
        actor_id=PROPOSER,
        reason="benchmark",
        notice=("Key corrected", "Three questions."),
    )
    lab.session.commit()
    return made.id


def _counted(lab: Lab, card: RoundCard) -> tuple[int, float, int]:
    """(the proposal, seconds from the click to its numbers, how many different places of its bar were seen)."""
    began = time.monotonic()
    proposal, seen = _propose(lab, card), set[int]()

    def ready() -> bool:
        progress = corrections.progress(lab.platform.queue, proposal)
        if progress is not None:
            seen.add(progress.done)
        return _state(lab, proposal) == "counted"

    _await(ready, "the dry run")
    return proposal, time.monotonic() - began, len(seen)


def _cancelled_while_counting(lab: Lab, card: RoundCard) -> int:
    """At how many percent it was cancelled."""
    proposal = _propose(lab, card)
    _await(lambda: corrections.progress(lab.platform.queue, proposal) is not None, "the first progress")
    progress = corrections.progress(lab.platform.queue, proposal)
    corrections.cancel(lab.session, proposal, clock.now(), actor_id=APPROVER, reason="benchmark")
    lab.session.commit()
    _await(lambda: corrections.is_idle(lab.session, proposal), "the end of the cancelled dry run")
    lab.session.rollback()
    return progress.percent if progress is not None else 100


def _applied(lab: Lab, card: RoundCard, proposal: int) -> float:
    began = time.monotonic()
    corrections.approve(lab.session, proposal, str(card.number), clock.now(), actor_id=APPROVER)
    lab.session.commit()
    _await(lambda: _state(lab, proposal) == "done", "the new scores")
    return time.monotonic() - began


def _state(lab: Lab, proposal: int) -> str:
    lab.session.rollback()
    return lab.session.get_one(KeyProposal, proposal, populate_existing=True).state


def _effect(lab: Lab, proposal: int) -> dict[str, Any]:
    return lab.session.get_one(KeyProposal, proposal, populate_existing=True).effect or {}


def _await(ready: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + LONGEST
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} did not come within {LONGEST:.0f} s")
        # What is awaited happens in other processes, which tell nobody.
        time.sleep(0.05)


# What must hold


def _checksums(lab: Lab) -> dict[str, tuple[int, int]]:
    """Table → (rows, sum of their hashes)."""
    lab.session.rollback()
    found = {}
    for table in TABLES:
        row = lab.session.execute(
            text(f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table} t")
        ).one()
        found[table] = (int(row[0]), int(row[1]))
    lab.session.rollback()
    return found


def _same(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], when: str) -> None:
    differing = [table for table in before if before[table] != after[table]]
    if differing:
        raise RuntimeError(f"{when}, these tables differ: {differing}")


def _check(lab: Lab, card: RoundCard, effect: dict[str, Any]) -> None:
    """Every score by the new key, counted another way; standings and tallies as counted from the entries."""
    lab.session.rollback()
    wrong = lab.session.scalar(text(_WRONG), {"round": card.id})
    if wrong:
        raise RuntimeError(f"{wrong} entries have another score than the new key gives")
    if differences := recount.check(lab.session, [card.id]):
        raise RuntimeError(f"the recount differs: {differences[:3]}")
    version = lab.session.get_one(Round, card.id, populate_existing=True).key_version
    if regrade.rescore(lab.session, card.id, version).entries:
        raise RuntimeError("scoring once more under the same key would change something")
    lab.session.rollback()
    if effect["prizes"] is None:
        raise RuntimeError("the dry run did not look at the prizes")
    if not effect["up"] or not effect["down"]:
        raise RuntimeError("the correction was meant to let some gain and some lose")


_RIGHT = [
    "(b(0) = 2)::int",
    "(b(1) IN (2, 4))::int",
    "1",
    *(f"(b({place}) = {1 << place % 4})::int" for place in range(3, 10)),
]
_WRONG = f"SELECT count(*) FROM entry WHERE round_id = :round AND score <> {' + '.join(_RIGHT)}".replace(
    "b(", "get_byte(answers, 1 + 2 * "
)
