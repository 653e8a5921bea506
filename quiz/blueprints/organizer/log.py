"""The log: everything that staff did, with its verifier."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import render_template, request

from quiz import clock
from quiz.blueprints.organizer.blueprint import blueprint, number_asked
from quiz.extensions import db
from quiz.services import audit


@blueprint.get("/log")
def log() -> str:
    return _page()


@blueprint.post("/log/verify")
def verify_log() -> str:
    session = db.session()
    broken, head = audit.verify(session), audit.head(session)
    return _page(verified=True, broken=broken, head=head)


def _page(**shown: object) -> str:
    session, asked = db.session(), request.args
    wanted = audit.Wanted(
        actor_id=number_asked("actor"),
        action=asked.get("action") or None,
        subject=asked.get("subject", "").strip() or None,
        words=asked.get("q", ""),
        since=_day(asked.get("since")),
        until=_day(asked.get("until"), timedelta(days=1)),
        before=number_asked("before"),
    )
    page = audit.page(session, wanted)
    filters = {name: value for name, value in asked.items() if name != "before" and value}
    return render_template(
        "organizer/log.html", page=page, actions=audit.actions(session), wanted=wanted, filters=filters, **shown
    )


def _day(typed: str | None, later: timedelta = timedelta(0)) -> datetime | None:
    """Midnight of a day in Vietnam, as a date field sends it; nothing for what is no date."""
    try:
        return datetime.strptime(typed or "", "%Y-%m-%d").replace(tzinfo=clock.CONTEST_ZONE) + later
    except ValueError:
        return None
