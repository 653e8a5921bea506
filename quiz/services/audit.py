"""The audit log: who did what, when and why; append-only, each row's hash covering the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, text
from sqlalchemy.orm import Session

from quiz.models import AuditEvent, User

_GENESIS = bytes(32)
_PAGE = 1_000
_LOCK = 81
"""Advisory lock: rows are appended one after the other, or two of them would name the same predecessor."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that is not what was written: `problem` is changed, moved or missing."""

    id: int
    problem: str


def append(
    session: Session,
    now: datetime,
    actor_id: int | None,
    action: str,
    subject: str,
    detail: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Write a row in the caller's transaction, so that an act and its trace stand or fall together.

    Args:
        action: a constant name such as `round.moved`.
        subject: what it was done to, such as `round:7`.
        detail: JSON; never a phone number, a password or an answer.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = session.execute(select(AuditEvent.id, AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)).one_or_none()
    event = AuditEvent(
        id=1 if last is None else last.id + 1,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=subject,
        detail=detail or {},
        reason=reason,
        previous_hash=_GENESIS if last is None else last.hash,
    )
    event.hash = hash_of(event)
    session.add(event)
    session.flush()
    return event


def verify(session: Session, progress: Callable[[int, int], None] | None = None) -> Broken | None:
    """Walk the whole chain; the first row that breaks it, or None.

    A cut-off tail can't be seen from inside: compare `head` with a copy kept elsewhere (docs/operations.md).

    Args:
        progress: called now and then with (rows walked, rows there were at the start); may raise to stop.
    """
    previous, expected = _GENESIS, 1
    total = _last_id(session) or 0
    for event in _all(session):
        if progress is not None and expected % _PAGE == 1:
            progress(expected - 1, total)
        if event.id != expected:
            return Broken(expected, "missing")
        if event.previous_hash != previous:
            return Broken(event.id, "moved")
        if event.hash != hash_of(event):
            return Broken(event.id, "changed")
        previous, expected = event.hash, expected + 1
    return None


def head(session: Session) -> tuple[int, str] | None:
    """(id, hash) of the last row: what to write down outside to prove later that nothing was cut off."""
    last = session.execute(select(AuditEvent.id, AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)).one_or_none()
    return None if last is None else (last.id, last.hash.hex())


# Reading it

PAGE = 50
REACH = 100_000
"""So many rows are looked through for a text at once; the page then offers to look further back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the log is asked for; None: anything."""

    actor_id: int | None = None
    action: str | None = None
    subject: str | None = None
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Only rows older than this id: paging that is as quick on the last page as on the first."""


@dataclass(frozen=True, slots=True)
class Line:
    event: AuditEvent
    actor_name: str | None


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Line]
    older: int | None
    """`before` of the next page; None: nothing older is there."""


def page(session: Session, wanted: Wanted, size: int = PAGE) -> Page:
    """The newest lines that fit, with who did it."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.before is not None:
        conditions.append(AuditEvent.id < wanted.before)
    if wanted.actor_id is not None:
        conditions.append(AuditEvent.actor_id == wanted.actor_id)
    if wanted.action:
        conditions.append(AuditEvent.action == wanted.action)
    if wanted.subject:
        conditions.append(AuditEvent.subject == wanted.subject)
    if wanted.since is not None:
        conditions.append(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditEvent.at < wanted.until)
    floor = None
    if wanted.words.strip() or wanted.since or wanted.until:
        # Neither texts nor times are indexed: a bounded stretch of the log is read, newest first.
        newest = wanted.before if wanted.before is not None else (_last_id(session) or 0) + 1
        floor = max(newest - REACH, 1)
        conditions.append(AuditEvent.id >= floor)
        if words := wanted.words.strip():
            in_detail = cast(AuditEvent.detail, Text).icontains(words, autoescape=True)
            conditions.append(or_(AuditEvent.reason.icontains(words, autoescape=True), in_detail))
    statement = select(AuditEvent, User.full_name).outerjoin(User, User.id == AuditEvent.actor_id)
    found = session.execute(statement.where(*conditions).order_by(AuditEvent.id.desc()).limit(size + 1)).all()
    lines = [Line(event, name) for event, name in found[:size]]
    if len(found) > size:
        return Page(lines, lines[-1].event.id)
    return Page(lines, floor if floor is not None and floor > 1 else None)


def actions(session: Session) -> list[str]:
    """Names of everything that was ever done: one index probe for each, whatever the length of the log."""
    named: list[str] = []
    while (following := _next_action(session, named[-1] if named else "")) is not None:
        named.append(following)
    return named


def _next_action(session: Session, after: str) -> str | None:
    query = select(AuditEvent.action).where(AuditEvent.action > after).order_by(AuditEvent.action).limit(1)
    return session.scalar(query)


def _last_id(session: Session) -> int | None:
    return session.scalar(select(func.max(AuditEvent.id)))


def hash_of(event: AuditEvent) -> bytes:
    """SHA-256 over the previous hash and the row as canonical JSON."""
    row = {
        "id": event.id,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor_id,
        "action": event.action,
        "subject": event.subject,
        "detail": event.detail,
        "reason": event.reason,
    }
    canonical = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(event.previous_hash + canonical).digest()


def _all(session: Session) -> Iterator[AuditEvent]:
    """All rows in order, a page at a time: a season's log is long, and the walk may stop half way."""
    after = 0
    query = select(AuditEvent).order_by(AuditEvent.id).limit(_PAGE)
    while page := session.scalars(query.where(AuditEvent.id > after)).all():
        yield from page
        after = page[-1].id
