"""What RQ runs: thin functions with plain arguments. The only module that job names point to.

Each opens the application's context, calls one plain function, and may run twice.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz import clock, create_app, logs
from quiz.extensions import Platform, db
from quiz.intake import work
from quiz.intake.boards import DIRTY
from quiz.models import Award, AwardList, Entry, KeyProposal, User
from quiz.services import audit, corrections, exclusions
from quiz.services import signals as signal_service
from quiz.services.awards import effects, lists
from scoring import boards, counting, finalize, ranks, regrade, signals, sweeper
from scoring.drain import BATCH, Drain

DRAIN_SECONDS = 60.0
LEASE_MS = 3_000
BOARDS_EVERY = 0.5
BOARDS_EVERY_BEHIND = 2.0
"""Seconds between two writings of the boards; with a backlog entries come first."""
GATHER_SECONDS = 0.2
SMALL = 2_000
"""A batch smaller than this is waited for: each costs a commit and some thirty round trips, however small it is."""
TREE_SECONDS = 60.0
QUEUES = ("urgent", "drain", "boards", "default")
"""In the order in which a worker looks at them."""
PATIENCE_SECONDS = 1.0
"""How long a job may wait before a lane asks itself whether there is another worker."""
WORK = ("finalize_round", "verify_log", "find_signals", "make_awards", "settle_disqualification")
"""What pages may ask for (quiz.intake.work), by the names of the functions here."""
WORK_HOLD_MS = 15_000
"""A job that died in the middle is handed on again after this; one that still runs keeps its second self out."""
SEARCH_HOLD_MS = 120_000
_FINALIZING, _VERIFYING, _SEARCHING = 82, 83, 84
"""Classes of the advisory locks that keep it out."""
log = logs.get_logger("scoring.jobs")

stopping = threading.Event()
"""Set when this process was asked to end: a job that works in turns ends after the present one."""


@functools.cache
def application() -> Flask:
    """The application of this process; a worker builds it before it forks."""
    return create_app()


def _platform(app: Flask) -> Platform:
    held: Platform = app.extensions["quiz80"]
    return held


# The queues, and who may put what on them


def queue(connection: Redis, name: str) -> Queue:
    return Queue(name, connection=connection, serializer=JSONSerializer)


def enqueue_once(connection: Redis, name: str, function: str, *args: int, hold_ms: int = 5_000) -> bool:
    """Enqueue a job unless the same one was enqueued within `hold_ms` and has not begun.

    No unique job ids: RQ keeps one taken for minutes after a kill -9. The mark only saves work.
    """
    mark = f"quiz80:queued:{function}:{':'.join(map(str, args))}"
    if not connection.set(mark, "1", nx=True, px=hold_ms):
        return False
    queue(connection, name).enqueue(f"scoring.jobs.{function}", *args, result_ttl=0, failure_ttl=3_600, job_timeout=600)
    return True


def _begun(connection: Redis, function: str, *args: int) -> None:
    connection.delete(f"quiz80:queued:{function}:{':'.join(map(str, args))}")


def worker_key(name: str) -> str:
    return f"quiz80:worker:{name}"


def lane_lease(lane: int) -> str:
    return f"quiz80:drain:lane:{lane}"


# The jobs


def drain_lane(lane: int, lanes: int) -> None:
    """Drain a lane of shards for a minute, then hand the lane on to a fresh job.

    A lane that stood aside for another job comes back with the scheduler's next tick.
    """
    app = application()
    held = _platform(app)
    _begun(held.queue, "drain_lane", lane, lanes)
    token = f"{os.getpid()}-{time.monotonic_ns()}"
    if not held.queue.set(lane_lease(lane), token, nx=True, px=LEASE_MS):
        return
    with app.app_context():
        running = _Lane(held, lane, lanes, token)
        running.run()
    if held.queue.get(lane_lease(lane)) == token.encode():
        held.queue.delete(lane_lease(lane))
    if not running.stands_aside:
        enqueue_once(held.queue, "drain", "drain_lane", lane, lanes)


class _Lane:
    """One minute of a lane: turns of the drain, the lease kept, boards written when there is time for them."""

    def __init__(self, held: Platform, lane: int, lanes: int, token: str) -> None:
        self._held = held
        self._lane, self._lanes, self._token = lane, lanes, token
        self._drain = Drain(db.engine, held.gateway.client, os.environ.get("QUIZ80_PROCESS", "worker"))
        self._tree: boards.Tree | None = None
        self._tree_until = 0.0
        self._boards_at = 0.0
        self._others = Others(held.queue, lanes)
        self.stands_aside = False

    def run(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until and not stopping.is_set() and self._keep_lease():
            cards = sweeper.drained_rounds(self._held.gateway.client, self._held.season.get(), clock.now())
            began = time.monotonic()
            result = self._drain.turn(cards, self._lane, self._lanes)
            if result.rounds:
                boards.mark_dirty(self._held.cache, result.rounds)
            self._write_boards(BOARDS_EVERY if result.read < BATCH // 2 else BOARDS_EVERY_BEHIND)
            if self._others.need_me(time.monotonic()):
                self.stands_aside = True
                break
            if result.read < SMALL:
                stopping.wait(max(0.0, GATHER_SECONDS - (time.monotonic() - began)))
        self._drain.finish()

    def _keep_lease(self) -> bool:
        connection = self._held.queue
        if connection.get(lane_lease(self._lane)) not in (self._token.encode(), None):
            return False
        connection.set(lane_lease(self._lane), self._token, px=LEASE_MS)
        return True

    def _write_boards(self, every: float) -> None:
        now = time.monotonic()
        if now < self._boards_at + every:
            return
        if self._held.cache.exists(DIRTY):
            if not boards.take_turn(self._held.cache, every):
                return
            if self._tree is None or now >= self._tree_until:
                self._tree = boards.load_tree(db.session())
                self._tree_until = now + TREE_SECONDS
            boards.refresh_dirty(db.session(), self._held.cache, self._tree, clock.now())
            db.session.rollback()
        ranks.refresh_dirty(db.session(), self._held.cache)
        self._boards_at = time.monotonic()


class Others:
    """Whether jobs of other queues wait for the worker that a lane holds."""

    def __init__(self, connection: Redis, lanes: int) -> None:
        self._connection = connection
        self._lanes = lanes
        self._look_at = 0.0
        self._waited = False

    def need_me(self, now: float) -> bool:
        """Something has waited at two looks in a row, and lanes hold every worker.

        Beside a worker that holds no lane a lane goes on: that one is at work, and entries shall not wait for it.
        """
        if now < self._look_at:
            return False
        waited_before, self._waited = self._waited, self._anything_waits()
        self._look_at = now + PATIENCE_SECONDS
        return self._waited and waited_before and self._lanes_hold_all()

    def _anything_waits(self) -> bool:
        return any(queue(self._connection, name).count for name in QUEUES if name != "drain")

    def _lanes_hold_all(self) -> bool:
        return len(list(self._connection.scan_iter(worker_key("*"), count=1_000))) <= self._lanes


def refresh_boards() -> None:
    """Write the boards that are marked dirty, then the ladders of ranks that are due."""
    app = application()
    held = _platform(app)
    _begun(held.queue, "refresh_boards")
    with app.app_context():
        boards.refresh_dirty(db.session(), held.cache, boards.load_tree(db.session()), clock.now())
        db.session.rollback()
        ranks.refresh_dirty(db.session(), held.cache)


def prime() -> None:
    """Give a Redis that lost its data everything that PostgreSQL knows: season, banks, attempts, bars, windows."""
    from quiz.services import season as season_service

    app = application()
    held = _platform(app)
    _begun(held.queue, "prime")
    with app.app_context():
        season_service.prime_all(db.session(), held.gateway.client, clock.now(), issuer=held.settings.issuer)
        boards.mark_dirty(held.cache, held.season.refresh().rounds)


def correct_key(proposal_id: int) -> None:
    """Take a proposed key through its present step: the dry run, or into force once it is approved."""
    app = application()
    held = _platform(app)
    _begun(held.queue, "correct_key", proposal_id)
    with app.app_context(), corrections.alone(db.engine, proposal_id) as mine:
        proposal = corrections.begin(db.session(), proposal_id) if mine else None
        db.session.commit()
        if proposal is not None:
            _CorrectionStep(held, proposal).run()


class _CorrectionStep:
    """One step of a proposal. Each may run twice: what is written is written with the step's own transaction."""

    def __init__(self, held: Platform, proposal: corrections.Begun) -> None:
        self._held, self._proposal = held, proposal

    def run(self) -> None:
        try:
            if self._proposal.state == "counting":
                self._count()
            elif self._proposal.state == "applying":
                self._apply()
            self._tell()
        except (corrections.Gone, Stopped) as reason:
            db.session.rollback()
            log.info("correction_stopped", proposal=self._proposal.id, reason=type(reason).__name__)
        else:
            corrections.forget_progress(self._held.queue, self._proposal.id)

    def _count(self) -> None:
        proposal, session = self._proposal, db.session()
        effect = regrade.rescore(session, proposal.round_id, proposal.version, progress=self._progress)
        kept = asdict(effect) | {"prizes": effects.of_correction(session, proposal.round_id)}
        session.rollback()
        corrections.counted(session, proposal.id, kept, clock.now())
        session.commit()

    def _apply(self) -> None:
        proposal, session, now = self._proposal, db.session(), clock.now()
        effect = regrade.apply(
            session,
            proposal.round_id,
            proposal.version,
            now,
            reason=proposal.reason,
            actor_id=proposal.approved_by,
            progress=self._progress,
        )
        counted = self._prizes(proposal.id)
        corrections.applied(session, proposal.id, asdict(effect) | {"prizes": counted}, now)
        effects.doubt(session, proposal.round_id, "key", now, actor_id=proposal.approved_by, reason=proposal.reason)
        session.commit()

    def _prizes(self, proposal_id: int) -> dict[str, Any] | None:
        """What the dry run said of prizes stays with the correction."""
        held = db.session().get(KeyProposal, proposal_id)
        return None if held is None or held.effect is None else held.effect.get("prizes")

    def _tell(self) -> None:
        """After the commit, and again if a worker died in between: neither boards nor pages keep what was before."""
        from quiz.services import season as season_service

        if self._proposal.state == "counting":
            return
        # What those concerned are told travels with the season.
        season_service.publish(db.session(), self._held.gateway.client)
        db.session.commit()
        boards.mark_dirty(self._held.cache, [self._proposal.round_id])
        corrections.done(db.session(), self._proposal.id)
        db.session.commit()

    def _progress(self, done: int, total: int) -> None:
        if stopping.is_set():
            raise Stopped
        corrections.still_there(db.session(), self._proposal.id)
        corrections.note_progress(self._held.queue, self._proposal.id, done, total, clock.now())


class Stopped(Exception):
    """This process was asked to end; nothing is written, and the scheduler hands the step to another one."""


def finalize_round(round_id: int, actor_id: int) -> None:
    """Make a round final if nothing stands against it, and say how it went."""
    app = application()
    held = _platform(app)
    with app.app_context():
        session, now = db.session(), clock.now()
        if not session.scalar(select(func.pg_try_advisory_xact_lock(_FINALIZING, round_id))):
            return
        told = functools.partial(work.say, held.queue, "finalize_round", round_id)
        card = held.season.refresh().rounds.get(round_id)
        against = finalize.NotYet("not_scheduled")
        standing = against if card is None else finalize.obstacle(session, held.gateway.client, card, now)
        if standing is not None:
            told(work.Progress("refused", clock.to_ms(now), standing.reason))
        else:
            told(work.Progress("running", clock.to_ms(now)))
            _finalize(session, held, round_id, actor_id, now)
            told(work.Progress("done", clock.to_ms(clock.now())))
        session.rollback()
        work.taken(held.queue, "finalize_round", round_id)


def _finalize(session: Session, held: Platform, round_id: int, actor_id: int, now: datetime) -> None:
    from quiz.services import season as season_service

    if finalize.finalize_round(session, round_id, now):
        audit.append(session, now, actor_id, "round.finalized", f"round:{round_id}")
    session.commit()
    # Safe to repeat, and repeated if the job died before: the tables are final already then.
    season_service.publish(session, held.gateway.client)
    session.commit()
    boards.mark_dirty(held.cache, [round_id])


def verify_log(_which: int, _actor_id: int) -> None:
    """Walk the whole audit log and say whether it is what was written."""
    app = application()
    held = _platform(app)
    with app.app_context():
        session = db.session()
        if not session.scalar(select(func.pg_try_advisory_xact_lock(_VERIFYING, 0))):
            return

        def told(state: work.State, done: int, total: int, **found: Any) -> None:
            at = clock.to_ms(clock.now())
            work.say(held.queue, "verify_log", 0, work.Progress(state, at, done=done, total=total, found=found))

        def progress(done: int, total: int) -> None:
            if stopping.is_set():
                raise Stopped
            told("running", done, total)

        try:
            broken = audit.verify(session, progress)
        except Stopped:
            session.rollback()
            return
        last, seal = audit.head(session) or (0, "")
        told("done", last, last, broken=None if broken is None else asdict(broken), last=last, seal=seal)
        session.rollback()
        work.taken(held.queue, "verify_log", 0)


def make_awards(list_id: int, _actor_id: int) -> None:
    """Choose the winners of a list that a page asked for."""
    app = application()
    held = _platform(app)
    with app.app_context():
        session = db.session()
        lists.fill(session, list_id, clock.now())
        session.commit()
        work.say(held.queue, "make_awards", list_id, work.Progress("done", clock.to_ms(clock.now())))
        work.taken(held.queue, "make_awards", list_id)


def settle_disqualification(award_id: int, actor_id: int) -> None:
    """Take the entries of who was disqualified from a prize out of the count, or back once that was taken back."""
    app = application()
    held = _platform(app)
    with app.app_context():
        session, now = db.session(), clock.now()
        award = session.get(Award, award_id)
        if award is not None and award.state == "disqualified" and award.person_id is not None:
            round_id = _settle(session, award, award.person_id, now, actor_id)
            session.commit()
            boards.mark_dirty(held.cache, [round_id])
        work.say(held.queue, "settle_disqualification", award_id, work.Progress("done", clock.to_ms(clock.now())))
        work.taken(held.queue, "settle_disqualification", award_id)


def _settle(session: Session, award: Award, person: int, now: datetime, actor_id: int) -> int:
    """In one transaction: the entries, the counts, and the doubt about lists that would be others by now."""
    made = session.get_one(AwardList, award.list_id)
    mark = f"award {award.id}: {award.reason}"
    out = award.lifted_at is None
    rows = session.execute(
        select(Entry.participant_id, Entry.issuer, Entry.attempt)
        .join(User, User.id == Entry.participant_id)
        .where(Entry.round_id == made.round_id, User.person_id == person)
        .where(Entry.counted if out else Entry.excluded_reason == mark)
    )
    entries = [(row.participant_id, row.issuer, row.attempt) for row in rows]
    if entries:
        event = counting.event_of(
            "disqualification", made.contest_id, made.round_id, person, award.reason, actor_id, now,
            award=award.id, entries=len(entries), counted=not out,
        )  # fmt: skip
        counting.set_counted(session, made.round_id, entries, mark if out else None, event)
        action = "entries.excluded" if out else "entries.counted_again"
        detail = {"person": person, "entries": len(entries), "award": award.id}
        audit.append(session, now, actor_id, action, f"round:{made.round_id}", detail, award.reason)
        effects.doubt(session, made.round_id, "exclusion", now, actor_id=actor_id, reason=award.reason)
    return made.round_id


def find_signals(round_id: int, _actor_id: int = 0) -> None:
    """Look through a round for what is odd, for people to judge; by itself after the close, or because staff asked."""
    app = application()
    held = _platform(app)
    with app.app_context():
        session = db.session()
        lock = select(func.pg_try_advisory_lock(_SEARCHING, round_id))
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
            if not guard.scalar(lock):
                return
            try:
                _search(session, held, round_id)
            finally:
                session.rollback()
                guard.execute(select(func.pg_advisory_unlock(_SEARCHING, round_id)))


def _search(session: Session, held: Platform, round_id: int) -> None:
    now = clock.now()

    def progress(done: int, total: int) -> None:
        if stopping.is_set():
            raise Stopped
        running = work.Progress("running", clock.to_ms(clock.now()), done=done, total=total)
        work.say(held.queue, "find_signals", round_id, running)

    signal_service.begin(session, round_id)
    session.commit()
    try:
        progress(0, 0)
        figures = signals.find(session, round_id, now, progress)
    except Stopped:
        return
    signal_service.done(session, round_id, figures, now)
    session.commit()
    work.say(held.queue, "find_signals", round_id, work.Progress("done", clock.to_ms(clock.now())))
    work.taken(held.queue, "find_signals", round_id)


def count_again(request_id: int) -> None:
    """Take entries out of the count, or put them back, as staff asked; counted once, however often it runs."""
    app = application()
    held = _platform(app)
    with app.app_context():
        session, now = db.session(), clock.now()
        begun = exclusions.begin(session, request_id)
        session.commit()
        asked = exclusions.take(session, request_id) if begun else None
        if asked is None:
            session.rollback()
            return
        event = counting.event_of(
            "exclusion", asked.contest_id, asked.round_id, None, asked.reason, asked.by, now,
            entries=[list(name) for name in asked.entries], counted=asked.counted,
        )  # fmt: skip
        reason = None if asked.counted else asked.reason
        counting.set_counted(session, asked.round_id, asked.entries, reason, event)
        exclusions.done(session, asked, now)
        effects.doubt(session, asked.round_id, "exclusion", now, actor_id=asked.by, reason=asked.reason)
        session.commit()
        boards.mark_dirty(held.cache, [asked.round_id])


def worker_alive(connection: Redis, name: str, at: datetime) -> None:
    """The heartbeat that readiness asks for: RQ's own listing keeps dead workers for minutes."""
    try:
        connection.set(worker_key(name), at.isoformat(), ex=15)
    except RedisError as error:
        log.warning("worker_heartbeat_failed", worker=name, error=error)
