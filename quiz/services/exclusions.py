"""Entries taken out of the count or put back by people: asked for here, counted by a worker (scoring.counting)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from quiz.errors import FieldError, Refusal
from quiz.models import CountingRequest, Entry, Round
from quiz.services import audit

MAX_TRIES = 5
BY_RULE = ("late", "after_final")
"""Reasons that the rules gave, not people: what is out by them stays out."""
EntryName = tuple[int, int, int]
"""(participant, issuer, attempt)"""


def ask(
    session: Session,
    round_id: int,
    entries: Sequence[EntryName],
    reason: str,
    now: datetime,
    actor_id: int,
    *,
    counted: bool = False,
    signal_id: int | None = None,
    appeal_id: int | None = None,
) -> CountingRequest:
    """Have entries taken out of the count, or put back (`counted`); those that are so already are left alone.

    The caller commits; the scheduler hands it on within a second.

    Raises:
        Refusal: invalid_request, if nothing is left to do or the reason is missing.
    """
    if not reason.strip():
        raise Refusal("invalid_request", errors=(FieldError("reason", _l("Write the reason; it stands in the log.")),))
    chosen = tuple_(Entry.participant_id, Entry.issuer, Entry.attempt).in_(list(entries))
    statement = select(Entry.participant_id, Entry.issuer, Entry.attempt).where(Entry.round_id == round_id, chosen)
    if counted:
        statement = statement.where(Entry.counted.is_(False), Entry.excluded_reason.not_in(BY_RULE))
    else:
        statement = statement.where(Entry.counted)
    names = [list(row) for row in session.execute(statement.order_by(Entry.participant_id, Entry.attempt))]
    if not names:
        message = _l("None of these entries can be changed: look at their state.")
        raise Refusal("invalid_request", errors=(FieldError("entries", message),))
    made = CountingRequest(
        round_id=round_id,
        entries=names,
        counted=counted,
        reason=reason.strip(),
        signal_id=signal_id,
        appeal_id=appeal_id,
        asked_at=now,
        asked_by=actor_id,
    )
    session.add(made)
    session.flush()
    return made


def last_exclusion(session: Session, round_id: int, entry: EntryName) -> datetime | None:
    """When people last took this entry out of the count; None: they never did."""
    return session.scalar(
        select(CountingRequest.done_at)
        .where(
            CountingRequest.round_id == round_id,
            CountingRequest.counted.is_(False),
            CountingRequest.done_at.is_not(None),
            CountingRequest.entries.contains([list(entry)]),
        )
        .order_by(CountingRequest.id.desc())
        .limit(1)
    )


# What workers ask


@dataclass(frozen=True, slots=True)
class Asked:
    id: int
    contest_id: int
    round_id: int
    entries: list[EntryName]
    counted: bool
    reason: str
    by: int


def waiting(session: Session) -> Sequence[int]:
    return session.scalars(
        select(CountingRequest.id)
        .where(CountingRequest.done_at.is_(None), CountingRequest.tries < MAX_TRIES)
        .order_by(CountingRequest.id)
    ).all()


def begin(session: Session, request_id: int) -> bool:
    """Count the try; False if there is nothing left to do. The caller commits."""
    held = session.get(CountingRequest, request_id, with_for_update=True, populate_existing=True)
    if held is None or held.done_at is not None or held.tries >= MAX_TRIES:
        return False
    held.tries += 1
    return True


def take(session: Session, request_id: int) -> Asked | None:
    """The request, held by this transaction alone; None if another worker has done it meanwhile."""
    held = session.get_one(CountingRequest, request_id, with_for_update=True, populate_existing=True)
    if held.done_at is not None:
        return None
    contest = session.get_one(Round, held.round_id).contest_id
    names = [(each[0], each[1], each[2]) for each in held.entries]
    return Asked(held.id, contest, held.round_id, names, held.counted, held.reason, held.asked_by)


def done(session: Session, asked: Asked, now: datetime) -> None:
    """In the transaction that counted: the request is done, and the log knows. The caller commits."""
    session.get_one(CountingRequest, asked.id).done_at = now
    action = "entries.counted_again" if asked.counted else "entries.excluded"
    detail = {"entries": [list(name) for name in asked.entries], "request": asked.id}
    audit.append(session, now, asked.by, action, f"round:{asked.round_id}", detail, asked.reason)
