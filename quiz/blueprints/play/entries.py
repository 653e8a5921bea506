"""The receipt with what may be shown of the result, and all entries of who is signed in. These ask the tables."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, jsonify, render_template
from flask_login import current_user

from quiz import clock
from quiz.blueprints.play.blueprint import blueprint, desk
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.services import appeals, entries, invitations, papers
from quiz.services.awards import reading
from quiz.services.today import rules_of
from quiz.sessions import signed_in_checked

TOLD_FOR = timedelta(days=21)
"""So long the home page tells winners of their prize; the history tells it for good."""


@blueprint.get("/entries/<receipt>")
@signed_in_checked
def entry(receipt: str) -> str:
    now = clock.to_ms(clock.now())
    session, held = db.session(), desk()
    view = entries.find(session, held, current_user.id, receipt, now)
    row = entries.stored(session, held, current_user.id, receipt)
    return render_template(
        "play/entry.html",
        entry=view,
        rules=rules_of(view.card),
        now=now,
        code=invitations.code_of(platform().settings.secret_key, current_user.id),
        chances=appeals.chances(session, view.card, row, clock.from_ms(now)) if row else [],
        told=appeals.of_entry(session, row) if row else [],
    )


@blueprint.get("/entries/<receipt>/state")
def state(receipt: str) -> tuple[Response, int] | Response:
    """Asked by the device that still keeps the sheet; 404 makes it hand in again."""
    if not current_user.is_authenticated:
        raise Refusal("login_required")
    try:
        view = entries.find(db.session(), desk(), current_user.id, receipt, clock.to_ms(clock.now()))
    except Refusal:
        return jsonify(state="unknown"), 404
    return jsonify(state=view.state)


@blueprint.get("/entries")
@signed_in_checked
def history() -> str:
    held, now = desk(), clock.now()
    contest = papers.contest_of(held.seasons.get(), None)
    views = entries.history(db.session(), held, current_user.id, contest, clock.to_ms(now))
    prizes = reading.of_person(db.session(), current_user.id)
    appealed = appeals.states_of(db.session(), current_user.id)
    return render_template("play/history.html", contest=contest, views=views, prizes=prizes, now=now, appealed=appealed)


@blueprint.get("/entries/last")
@signed_in_checked
def last() -> str:
    """The last result and the weeks in a row: a part of the home page, fetched apart so that home asks no table."""
    held, now = desk(), clock.now()
    contest = papers.contest_of(held.seasons.get(), None)
    views = entries.history(db.session(), held, current_user.id, contest, clock.to_ms(now))
    weeks = {view.card.number for view in views}
    prizes = [own for own in reading.of_person(db.session(), current_user.id) if now - own.announced_at < TOLD_FOR]
    last = views[0] if views else None
    return render_template("play/_last.html", last=last, streak=_streak(weeks), prizes=prizes, now=now)


def _streak(weeks: set[int]) -> int:
    """Weeks in a row up to the last one that was taken."""
    week, count = max(weeks, default=0), 0
    while week - count in weeks:
        count += 1
    return count
