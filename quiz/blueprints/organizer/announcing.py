"""Announcements: written to everybody, to a province or to the people of a round; listed, searched, taken back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, number_asked, refused, status
from quiz.blueprints.organizer.calendar import contest_of
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.services import announcements as notices
from quiz.services import season, units

_MOST_DIGITS = 4


@blueprint.get("/contests/<slug>/announcements")
def announcements(slug: str) -> Answer:
    return _page(slug)


def _page(slug: str, refusal: Refusal | None = None) -> Answer:
    made, session = contest_of(slug), db.session()
    words = request.args.get("q", "")
    return render_template(
        "organizer/announcements.html",
        contest=made,
        page=notices.page(session, made.id, words, number_asked("before")),
        words=words,
        first_level=units.children(session),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/contests/<slug>/announcements")
def announce(slug: str) -> Answer:
    made, form, session = contest_of(slug), request.form, db.session()
    audience, number = form.get("audience", "all"), form.get("round", "")
    is_number = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
    try:
        notices.make(
            session,
            made.id,
            form.get("title", ""),
            form.get("body", ""),
            clock.now(),
            staff_session.required().id,
            unit_code=form.get("unit") or None if audience == "unit" else None,
            round_number=int(number) if audience == "round" and is_number else None,
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _page(slug, refusal)
    _tell()
    flash(_("The announcement is out."), "green")
    return redirect(url_for("organizer.announcements", slug=slug), 303)


@blueprint.post("/contests/<slug>/announcements/<int:announcement_id>/retract")
def retract_announcement(slug: str, announcement_id: int) -> Answer:
    session, made = db.session(), contest_of(slug)
    actor, reason = staff_session.required().id, request.form.get("reason", "")
    try:
        notices.retract(session, made.id, announcement_id, clock.now(), actor, reason)
        session.commit()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        session.rollback()
        return _page(slug, refusal)
    _tell()
    flash(_("Taken back. Nobody reads it any more."), "green")
    return redirect(url_for("organizer.announcements", slug=slug), 303)


def _tell() -> None:
    """After the commit: web processes learn of it within a second."""
    season.publish(db.session(), platform().gateway.client)
    db.session.commit()
