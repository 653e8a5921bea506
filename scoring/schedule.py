"""`python -m scoring.schedule`: a tick every second that hands on what has stopped moving.

Two schedulers do no harm (everything is safe to repeat), but a lease lets one of them rest. A part that is away is
logged and asked again at the next tick; the others go on.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from quiz import clock, logs, metrics
from quiz.extensions import Platform, db
from quiz.intake import boards as board_contract
from quiz.intake import keys, primer, work
from quiz.intake.errors import IntakeUnavailable
from quiz.services import corrections, exclusions, live, signals
from scoring import boards, jobs, ranks, sweeper

TICK_SECONDS = 1.0
LEASE = "quiz80:scheduler"
LEASE_MS = 3_000
log = logs.get_logger("scoring.schedule")


class Scheduler:
    def __init__(self, held: Platform) -> None:
        self._held = held
        self._token = f"{os.getpid()}-{time.monotonic_ns()}"
        self._closed: set[int] | None = None
        """Rounds seen closed at the last tick: one that joins them has its scores released."""

    def tick(self, now: datetime) -> None:
        """Do every duty once; a duty whose part is away does not stop the others."""
        if not self._leads():
            return
        duties = (self._prime, self._settle, self._drain, self._boards, self._corrections, self._counting)
        for duty in (*duties, self._signals, self._work, self._forget, self._sample):
            try:
                duty(now)
            except (RedisError, OSError, SQLAlchemyError, IntakeUnavailable) as error:
                log.warning("duty_failed", duty=duty.__name__.strip("_"), error=error)

    def _leads(self) -> bool:
        connection = self._held.queue
        try:
            if connection.set(LEASE, self._token, nx=True, px=LEASE_MS):
                return True
            if connection.get(LEASE) != self._token.encode():
                return False
            connection.set(LEASE, self._token, px=LEASE_MS)
        except RedisError as error:
            log.warning("scheduler_lease_failed", error=error)
            return False
        return True

    def _prime(self, now: datetime) -> None:
        intake = self._held.gateway.client
        primed = bool(intake.exists(keys.SEASON)) and all(
            primer.is_primed(intake, card) for card in sweeper.live_rounds(self._held.season.get(), now)
        )
        if not primed:
            jobs.enqueue_once(self._held.queue, "urgent", "prime")

    def _settle(self, now: datetime) -> None:
        cards = sweeper.live_rounds(self._held.season.get(), now)
        sweeper.settle_overdue(self._held.gateway, self._held.signer, cards, now)

    def _drain(self, _now: datetime) -> None:
        lanes = self._held.settings.drain_lanes
        for lane in range(lanes):
            if not self._held.queue.exists(jobs.lane_lease(lane)):
                jobs.enqueue_once(self._held.queue, "drain", "drain_lane", lane, lanes)

    def _boards(self, now: datetime) -> None:
        season = self._held.season.get()
        closed = {card.id for card in season.rounds.values() if card.closes <= clock.to_ms(now)}
        stale = closed - self._closed if self._closed is not None else set()
        stale |= {
            card.id
            for card in season.rounds.values()
            if card.scheduled is not None
            and not self._held.cache.exists(board_contract.key_of(board_contract.round_scope(card.id)))
        }
        self._closed = closed
        boards.mark_dirty(self._held.cache, stale)
        if boards.is_due(self._held.cache) or ranks.is_due(self._held.cache):
            jobs.enqueue_once(self._held.queue, "boards", "refresh_boards")

    def _corrections(self, _now: datetime) -> None:
        """Proposed keys whose step no worker is at: asked for a moment ago, or left by a worker that died."""
        session = db.session()
        try:
            waiting = [each for each in corrections.waiting(session) if corrections.is_idle(session, each)]
        finally:
            session.rollback()
        for proposal_id in waiting:
            jobs.enqueue_once(self._held.queue, "default", "correct_key", proposal_id)

    def _counting(self, _now: datetime) -> None:
        """Entries that staff took out of the count or put back."""
        session = db.session()
        try:
            waiting = list(exclusions.waiting(session))
        finally:
            session.rollback()
        for request_id in waiting:
            jobs.enqueue_once(self._held.queue, "default", "count_again", request_id)

    def _signals(self, now: datetime) -> None:
        """A closed round that was never looked through; one at a time: nobody waits for it."""
        session = db.session()
        try:
            round_id = signals.waiting(session, now)
        finally:
            session.rollback()
        if round_id is not None:
            jobs.enqueue_once(self._held.queue, "default", "find_signals", round_id, 0, hold_ms=jobs.SEARCH_HOLD_MS)

    def _work(self, _now: datetime) -> None:
        """Hand on what pages asked for; it stays asked until it is done, so a job that dies is handed on again."""
        for asked in work.asked(self._held.queue):
            if asked.name in jobs.WORK:
                arguments = (asked.argument, asked.actor_id)
                jobs.enqueue_once(self._held.queue, "default", asked.name, *arguments, hold_ms=jobs.WORK_HOLD_MS)

    def _forget(self, now: datetime) -> None:
        for card in sweeper.forget_final(self._held.gateway.client, self._held.season.get(), now):
            log.info("round_forgotten", round=card.id)

    def _sample(self, now: datetime) -> None:
        """What organizers watch while a round is open."""
        live.sample(self._held.gateway.client, self._held.queue, self._held.cache, self._held.season.get(), now)


def main() -> None:
    os.environ["QUIZ80_PROCESS"] = "scheduler"
    app = jobs.application()
    cache = app.extensions["quiz80"].cache
    beat = metrics.Beat([lambda: metrics.publish(cache, "scheduler")])
    beat.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler = Scheduler(app.extensions["quiz80"])
    with app.app_context():
        run(scheduler.tick, stop)
    beat.stop()


def run(tick: Callable[[datetime], None], stop: threading.Event) -> None:
    """Tick every second until told to stop; a slow tick is followed by the next at once, never by two."""
    while not stop.is_set():
        began = time.monotonic()
        tick(clock.now())
        stop.wait(max(0.0, TICK_SECONDS - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
