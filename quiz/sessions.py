"""Signing in and out of the pages: what the signed cookie holds, and when the table is asked besides.

Quiz pages believe the cookie (the start of an attempt compares its epoch inside Redis); pages that show or change
one's own data ask the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import session
from flask_login import current_user, login_user, logout_user
from sqlalchemy.orm import Session

from quiz.extensions import db, login_manager
from quiz.services import accounts, units
from quiz.web import SignedIn

INVITED_BY = "invited_by"
"""The session's key of the code of whose link somebody came by, until they register."""
PAPER = "paper"
"""The session's key of the paper in hand: a reload finds it there even while PostgreSQL and Redis are away."""


@dataclass(frozen=True, slots=True)
class HomeUnit:
    """The unit of who is signed in, kept in the cookie too, so that the home page asks no table for it."""

    code: str
    name: str
    province_code: str | None
    province_name: str | None


def enter(account: accounts.Account) -> None:
    """Sign somebody in for as long as the cookie lasts."""
    home = _home_of(db.session(), account.unit_id) if account.unit_id else None
    # A session of its own: nothing of who used this phone before may stay in it.
    _forget_person()
    session.permanent = True
    if home is not None:
        session["unit"] = asdict(home)
    login_user(SignedIn(account.id, account.unit_id, account.auth_epoch, account.role, account.full_name))


def leave() -> None:
    logout_user()
    _forget_person()


def home_unit() -> HomeUnit | None:
    held = session.get("unit")
    return HomeUnit(**held) if held else None


def signed_in_checked(view: Callable[..., Any]) -> Callable[..., Any]:
    """For pages of one's own data: the session must still hold by the table, not only by its cookie."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if current_user.is_authenticated and not accounts.session_holds(
            db.session(), current_user.id, current_user.auth_epoch
        ):
            leave()
        if not current_user.is_authenticated:
            return login_manager.unauthorized()
        return view(*args, **kwargs)

    return checked


def safe_next(target: str | None) -> str | None:
    """A path of our own, or None: nobody is sent to a stranger's page after signing in."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or "\\" in target else target


def _home_of(db_session: Session, unit_id: int) -> HomeUnit:
    home = units.home_of(db_session, unit_id)
    province = units.find(db_session, home.province_code) if home.province_code else None
    return HomeUnit(home.code, home.name, home.province_code, province.name if province else None)


def _forget_person() -> None:
    language = session.get("language")
    session.clear()
    if language is not None:
        session["language"] = language
