"""Signals as staff judge them: listed, read with their evidence, dismissed or acted on, always by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from redis import Redis
from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session, joinedload

from quiz.errors import FieldError, Refusal
from quiz.intake.season import Season
from quiz.models import Bank, CountingRequest, Entry, Signal, SignalEntry, SignalScan, Unit, User
from quiz.services import audit, exclusions, people
from quiz.services.exclusions import EntryName
from quiz.services.staff import Staff

PAGE = 50
NAMES = 3
MAX_TRIES = 5
AFTER_CLOSE = timedelta(minutes=5)
"""After the last sheet can have come in, a round is looked through by itself."""
STATES = ("open", "dismissed", "acted")


# The list


@dataclass(frozen=True, slots=True)
class Wanted:
    round_id: int | None = None
    kind: str | None = None
    state: str | None = "open"
    before: tuple[int, int] | None = None
    """(strength, id) of the last one on the page before."""


@dataclass(frozen=True, slots=True)
class Line:
    signal: Signal
    names: list[str]
    """The first few of the people concerned."""
    people: int


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Line]
    older: tuple[int, int] | None


def page(session: Session, wanted: Wanted, size: int = PAGE) -> Page:
    """Signals that fit, the strongest first."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.round_id is not None:
        conditions.append(Signal.round_id == wanted.round_id)
    if wanted.kind:
        conditions.append(Signal.kind == wanted.kind)
    if wanted.state:
        conditions.append(Signal.state == wanted.state)
    if wanted.before is not None:
        strength, last = wanted.before
        conditions.append(or_(Signal.strength < strength, and_(Signal.strength == strength, Signal.id > last)))
    statement = select(Signal).options(joinedload(Signal.round)).where(*conditions)
    found = session.scalars(statement.order_by(Signal.strength.desc(), Signal.id).limit(size + 1)).all()
    shown = found[:size]
    names = _names(session, [each.id for each in shown])
    lines = [Line(each, names.get(each.id, []), int(each.evidence.get("people", 1))) for each in shown]
    return Page(lines, (shown[-1].strength, shown[-1].id) if len(found) > size else None)


def _names(session: Session, signals: Sequence[int]) -> dict[int, list[str]]:
    """The first names of each signal, not all of a hall's."""
    people_of = (
        select(SignalEntry.signal_id, SignalEntry.participant_id)
        .where(SignalEntry.signal_id.in_(signals))
        .distinct()
        .subquery()
    )
    nth = func.row_number().over(partition_by=people_of.c.signal_id, order_by=people_of.c.participant_id).label("nth")
    ordered = select(people_of, nth).subquery()
    rows = session.execute(
        select(ordered.c.signal_id, User.full_name)
        .join(User, User.id == ordered.c.participant_id)
        .where(ordered.c.nth <= NAMES)
        .order_by(ordered.c.signal_id, ordered.c.nth)
    )
    found: dict[int, list[str]] = {}
    for signal_id, name in rows:
        found.setdefault(signal_id, []).append(name)
    return found


def open_count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Signal).where(Signal.state == "open")) or 0


def scan_of(session: Session, round_id: int) -> SignalScan | None:
    return session.get(SignalScan, round_id)


# One of them


@dataclass(frozen=True, slots=True)
class Sheet:
    """An entry that a signal is about."""

    entry: Entry
    name: str
    unit: str | None
    barred: bool

    @property
    def key(self) -> str:
        return f"{self.entry.participant_id}.{self.entry.issuer}.{self.entry.attempt}"


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """A wrong answer that twins share."""

    question: str
    answer: list[str]
    share: float
    """Of those who were asked, how many answered so."""


@dataclass(frozen=True, slots=True)
class Case:
    signal: Signal
    sheets: list[Sheet]
    answers: list[SameAnswer]
    requests: Sequence[CountingRequest]
    decided_by: str | None


def case(session: Session, signal_id: int) -> Case:
    """A signal with everything that is needed to judge it. Raises Refusal("not_found")."""
    found = session.get(Signal, signal_id)
    if found is None:
        raise Refusal("not_found")
    rows = session.execute(
        select(Entry, User.full_name, Unit.name, User.barred_at.is_not(None))
        .join(
            SignalEntry,
            and_(
                SignalEntry.participant_id == Entry.participant_id,
                SignalEntry.issuer == Entry.issuer,
                SignalEntry.attempt == Entry.attempt,
            ),
        )
        .join(User, User.id == Entry.participant_id)
        .outerjoin(Unit, Unit.id == Entry.unit_id)
        .where(SignalEntry.signal_id == found.id, Entry.round_id == found.round_id)
        .order_by(Entry.received_at, Entry.participant_id)
    )
    requests = session.scalars(
        select(CountingRequest).where(CountingRequest.signal_id == found.id).order_by(CountingRequest.id)
    ).all()
    by = session.get(User, found.decided_by) if found.decided_by else None
    sheets = [Sheet(entry, name, unit, barred) for entry, name, unit, barred in rows]
    return Case(found, sheets, _same_answers(session, found), requests, by.full_name if by else None)


def _same_answers(session: Session, found: Signal) -> list[SameAnswer]:
    answers: Sequence[Mapping[str, Any]] = found.evidence.get("answers", [])
    if not answers:
        return []
    content = session.scalars(
        select(Bank.content).where(Bank.round_id == found.round_id, Bank.version == found.evidence["bank"])
    ).one()
    return [_same_answer(content[each["place"]], each) for each in answers]


def _same_answer(question: Mapping[str, Any], given: Mapping[str, Any]) -> SameAnswer:
    chosen = [option["text"] for bit, option in enumerate(question["options"]) if given["mask"] >> bit & 1]
    return SameAnswer(question["text"], chosen, given["share"])


# Deciding. Nothing here is done by anybody but a person, and each decision has its reason in the log.


def dismiss(session: Session, signals: Sequence[int], reason: str, now: datetime, actor_id: int) -> int:
    """Nothing is done about these; returns how many were open. The caller commits.

    Raises:
        Refusal: invalid_request without a reason or without any signal.
    """
    why = _reason(reason)
    if not signals:
        raise Refusal("invalid_request", errors=(FieldError("signals", _l("Tick at least one signal.")),))
    wanted = select(Signal).where(Signal.id.in_(signals), Signal.state == "open").order_by(Signal.id).with_for_update()
    found = session.scalars(wanted).all()
    for each in found:
        _decide(session, each, "dismissed", why, now, actor_id, {})
    return len(found)


def exclude(
    session: Session, signal_id: int, entries: Sequence[EntryName], reason: str, now: datetime, actor_id: int
) -> None:
    """Take entries of a signal out of the count. The caller commits.

    Raises:
        Refusal: not_found; invalid_request without reason, without entries, or for entries of something else.
    """
    found = _undismissed(session, signal_id)
    own = {(each.participant_id, each.issuer, each.attempt) for each in found.entries}
    if not entries or not own >= set(entries):
        raise Refusal("invalid_request", errors=(FieldError("entries", _l("Tick at least one entry.")),))
    asked = exclusions.ask(session, found.round_id, entries, reason, now, actor_id, signal_id=found.id)
    detail = {"act": "exclude", "entries": asked.entries}
    _decide(session, found, "acted", asked.reason, now, actor_id, detail)


def bar(
    session: Session,
    intake: Redis,
    season: Season,
    asker: Staff,
    signal_id: int,
    participant_id: int,
    reason: str,
    now: datetime,
) -> None:
    """Bar somebody whom a signal is about. Commits.

    Raises:
        Refusal: not_found; invalid_request without reason or for somebody else.
    """
    found = _undismissed(session, signal_id)
    if participant_id not in {each.participant_id for each in found.entries}:
        raise Refusal("invalid_request", errors=(FieldError("participant", _l("Choose one of these people.")),))
    _decide(session, found, "acted", _reason(reason), now, asker.id, {"act": "bar", "participant": participant_id})
    people.bar(session, intake, season, asker, participant_id, reason, now)


def _decide(
    session: Session, found: Signal, state: str, reason: str, now: datetime, actor_id: int, detail: dict[str, Any]
) -> None:
    found.state, found.decided_at, found.decided_by, found.reason = state, now, actor_id, reason
    detail = {"kind": found.kind, "round": found.round_id, "evidence": found.evidence} | detail
    audit.append(session, now, actor_id, f"signal.{state}", f"signal:{found.id}", detail, reason)


def _undismissed(session: Session, signal_id: int) -> Signal:
    found = session.get(Signal, signal_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise Refusal("not_found")
    if found.state == "dismissed":
        raise Refusal("invalid_request", errors=(FieldError("signal", _l("This signal was dismissed already.")),))
    return found


def _reason(typed: str) -> str:
    if not typed.strip():
        raise Refusal("invalid_request", errors=(FieldError("reason", _l("Write the reason; it stands in the log.")),))
    return typed.strip()


# What workers ask


def waiting(session: Session, now: datetime) -> int | None:
    """A round that has closed and was never looked through; the one that closed first."""
    # Grace and the late window are of the round's rules: until they are over sheets come in.
    found: int | None = session.scalar(
        text(
            "SELECT r.id FROM round r LEFT JOIN signal_scan s ON s.round_id = r.id "
            "WHERE r.scheduled_at IS NOT NULL AND s.at IS NULL AND coalesce(s.tries, 0) < :tries "
            "AND r.closes_at + make_interval(secs => coalesce((r.rules->>'grace_seconds')::int, 30) "
            "    + 60 * coalesce((r.rules->'late'->>'accept_minutes')::int, 0)) < :ended "
            "ORDER BY r.closes_at, r.id LIMIT 1"
        ),
        {"tries": MAX_TRIES, "ended": now - AFTER_CLOSE},
    )
    return found


def begin(session: Session, round_id: int) -> None:
    """Count the try. The caller commits."""
    scan = session.get(SignalScan, round_id, with_for_update=True, populate_existing=True)
    if scan is None:
        scan = SignalScan(round_id=round_id, tries=0, figures={})
        session.add(scan)
    scan.tries += 1


def done(session: Session, round_id: int, figures: dict[str, Any], now: datetime) -> None:
    """In the transaction of what was found. The caller commits."""
    scan = session.get_one(SignalScan, round_id)
    scan.at, scan.figures, scan.tries = now, figures, 0
