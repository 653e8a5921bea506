"""The hours of a round, changed after its creation with a preview; and a scheduled round taken back to a draft."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.blueprints.organizer.calendar import contest_of, invalid, open_hours, publish_season, round_of
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.services import season
from quiz.services.season import windows as service

_PATH = "/contests/<slug>/rounds/<int:number>"
_HOURS = ("all", "some")


@blueprint.get(f"{_PATH}/hours")
def hours(slug: str, number: int) -> Answer:
    return _hours_page(slug, number)


def _hours_page(slug: str, number: int, change: service.Change | None = None, refusal: Refusal | None = None) -> Answer:
    contest = contest_of(slug)
    made = round_of(contest, number)
    return render_template(
        "organizer/hours.html",
        contest=contest,
        round=made,
        phase=made.phase(clock.now()).value,
        windows=service.windows_of(made),
        change=change,
        form=request.form,
        days=request.form.getlist("days"),
        **refused(refusal),
    ), status(refusal)


@blueprint.post(f"{_PATH}/hours")
def change_hours(slug: str, number: int) -> Answer:
    """Show what other hours do, then write them."""
    form, session, now = request.form, db.session(), clock.now()
    made, change = round_of(contest_of(slug), number), None
    try:
        if form.get("hours_kind") not in _HOURS:
            raise invalid("days", _("Choose when the round is open."))
        asked = open_hours()
        change = service.preview(made, asked, now)
        if "go" not in form:
            return _hours_page(slug, number, change)
        service.change(
            session,
            made,
            asked,
            now,
            actor_id=staff_session.required().id,
            reason=form.get("reason", ""),
            notice=(form.get("title", ""), form.get("body", "")),
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _hours_page(slug, number, change, refusal)
    gained = season.copy_times(session, platform().gateway, [made.id])
    session.commit()
    words = _("The hours are changed.")
    if gained:
        words += " " + ngettext("%(num)d open paper gained time.", "%(num)d open papers gained time.", gained)
    flash(words, "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)


@blueprint.get(f"{_PATH}/unschedule")
def back_to_draft(slug: str, number: int) -> Answer:
    return _draft_page(slug, number)


def _draft_page(slug: str, number: int, refusal: Refusal | None = None) -> Answer:
    contest = contest_of(slug)
    return render_template(
        "organizer/unschedule.html",
        contest=contest,
        round=round_of(contest, number),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post(f"{_PATH}/unschedule")
def unschedule(slug: str, number: int) -> Answer:
    form, session = request.form, db.session()
    made = round_of(contest_of(slug), number)
    try:
        service.unschedule(
            session,
            made,
            form.get("typed", ""),
            clock.now(),
            actor_id=staff_session.required().id,
            reason=form.get("reason", ""),
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _draft_page(slug, number, refusal)
    publish_season()
    flash(_("The round is a draft again: participants don't see it any more."), "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)
