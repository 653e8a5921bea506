"""The log: everything that staff did, with its verifier."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import blueprint, number_asked
from quiz.extensions import db, platform
from quiz.intake import work
from quiz.services import audit

VERIFY = "verify_log"


@blueprint.post("/log/verify")
def verify_log() -> Response:
    """Ask for it; a worker walks the log, and the page shows how far it is."""
    work.ask(platform().queue, work.Work(VERIFY, 0, staff_session.required().id), clock.to_ms(clock.now()))
    return redirect(url_for("organizer.log") + "#verified", 303)


@blueprint.get("/log")
def log() -> str:
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
        "organizer/log.html",
        page=page,
        actions=audit.actions(session),
        wanted=wanted,
        filters=filters,
        verified=work.progress_of(platform().queue, VERIFY, 0),
    )


def _day(typed: str | None, later: timedelta = timedelta(0)) -> datetime | None:
    """Midnight of a day in Vietnam, as a date field sends it; nothing for what is no date."""
    try:
        return datetime.strptime(typed or "", "%Y-%m-%d").replace(tzinfo=clock.CONTEST_ZONE) + later
    except ValueError:
        return None
