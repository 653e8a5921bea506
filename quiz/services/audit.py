"""The audit log: who did what, when and why; append-only, each row's hash covering the row before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quiz.models import AuditEvent

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


def verify(session: Session) -> Broken | None:
    """Walk the whole chain; the first row that breaks it, or None.

    A cut-off tail can't be seen from inside: compare `head` with a copy kept elsewhere (docs/operations.md).
    """
    previous, expected = _GENESIS, 1
    for event in _all(session):
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
