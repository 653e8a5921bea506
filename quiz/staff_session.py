"""The session of staff: password first, then the second factor, then the tables are asked on every request."""

from __future__ import annotations

from typing import TypedDict

from flask import request, session

from quiz import clock
from quiz.extensions import db
from quiz.services import staff
from quiz.services.accounts import Account
from quiz.services.staff import Staff
from quiz.sessions import enter, leave

_PENDING, _KEY = "staff_pending", "staff"
_ASKED = "quiz80.staff"
PENDING_MS = 10 * 60_000
"""So long a right password waits for its second factor."""
SESSION_MS = 12 * 3_600_000
"""A working day; then both are asked again."""


class _Stamp(TypedDict):
    id: int
    epoch: int
    at: int


def password_was_right(account: Account) -> None:
    """Remember who it is until the second factor; nothing is open yet."""
    leave()
    session[_PENDING] = _stamp(account.id, account.auth_epoch)


def pending() -> int | None:
    """Whose second factor is awaited."""
    held = _held(_PENDING, PENDING_MS)
    return held["id"] if held else None


def second_factor_was_right(account: Account) -> bool:
    """Open the session; False if the account's sessions were ended meanwhile."""
    held = _held(_PENDING, PENDING_MS)
    if held is None or (held["id"], held["epoch"]) != (account.id, account.auth_epoch):
        return False
    enter(account)
    session[_KEY] = _stamp(account.id, account.auth_epoch)
    return True


def current() -> Staff | None:
    """Who of the staff is asking, by the tables as they are now; asked once a request."""
    if _ASKED not in request.environ:
        held = _held(_KEY, SESSION_MS)
        request.environ[_ASKED] = staff.find(db.session(), held["id"], held["epoch"]) if held else None
    found: Staff | None = request.environ[_ASKED]
    return found


def required() -> Staff:
    """For views that the guard has let somebody into."""
    member = current()
    if member is None:
        raise LookupError("no staff session: the endpoint's audience is not one of the staff")
    return member


def _stamp(user_id: int, epoch: int) -> _Stamp:
    return {"id": user_id, "epoch": epoch, "at": clock.to_ms(clock.now())}


def _held(key: str, lasts: int) -> _Stamp | None:
    """What the signed cookie holds, unless it is too old."""
    held: _Stamp | None = session.get(key)
    return held if held is not None and clock.to_ms(clock.now()) - held["at"] <= lasts else None
