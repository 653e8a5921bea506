"""Appeals: the queue with its deadlines, answers alone or together, the words for answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import LARGEST, Answer, blueprint, number_asked, refused, status
from quiz.errors import Refusal
from quiz.extensions import db
from quiz.models import Appeal
from quiz.models.appeal import KINDS
from quiz.services import appeals as service
from quiz.services import exclusions, people

STATES = ("open", "accepted", "rejected")
_FAR = 253_402_300_000_000
"""Milliseconds; later than any deadline."""


@blueprint.get("/appeals")
def appeals() -> Answer:
    return _queue_page()


def _queue_page(refusal: Refusal | None = None) -> Answer:
    session, asked, now = db.session(), request.args, clock.now()
    state = asked.get("state", "open")
    number = number_asked("round")
    wanted = service.Wanted(
        state=state if state in STATES else None,
        kind=asked.get("kind") if asked.get("kind") in KINDS else None,
        round_id=number if number is not None and number < 2**31 else None,
        question_id=asked.get("question") or None,
        words=asked.get("q", ""),
        after=_after(),
    )
    filters = {name: value for name, value in asked.items() if name not in ("after", "template") and value}
    return render_template(
        "organizer/appeals.html",
        page=service.page(session, wanted, now),
        wanted=wanted,
        filters=filters,
        kinds=KINDS,
        groups=[] if filters else service.groups(session),
        counts=service.waiting_counts(session, now),
        templates=service.templates(session),
        words=_words(),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


def _after() -> tuple[datetime, int] | None:
    """ "ms-id", as the link to the next page has it."""
    due, _dash, last = request.args.get("after", "").partition("-")
    if not (due.isascii() and due.isdecimal() and last.isascii() and last.isdecimal()):
        return None
    return clock.from_ms(min(int(due[:18]), _FAR)), min(int(last[:18]), LARGEST)


def _words() -> str:
    """The answer to begin with: what was typed, or the words that were chosen."""
    if request.form:
        return request.form.get("answer", "")
    chosen = number_asked("template")
    return next((each.body for each in service.templates(db.session()) if each.id == chosen), "")


@blueprint.post("/appeals/answer")
def answer_appeals() -> Answer:
    """Several with one answer."""
    session, form = db.session(), request.form
    ticked = [int(typed) for typed in form.getlist("appeals") if typed.isascii() and typed.isdecimal()]
    ticked = [each for each in ticked if each <= LARGEST]
    try:
        answered = service.answer(
            session,
            ticked,
            form.get("verdict", ""),
            form.get("answer", ""),
            clock.now(),
            staff_session.required().id,
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _queue_page(refusal)
    flash(ngettext("%(num)d appeal answered.", "%(num)d appeals answered.", len(answered)), "green")
    return redirect(_onward(answered), 303)


def _onward(answered: list[Appeal]) -> str:
    """Accepted appeals about one question go on to the correction of its key."""
    first = answered[0]
    same = {(each.round_id, each.question_id) for each in answered}
    if first.state == "accepted" and first.question_id is not None and len(same) == 1:
        return _correction(first)
    return url_for("organizer.appeals", **_asked())


def _asked() -> dict[str, Any]:
    """The filters of the address, to come back to the same list."""
    return {name: value for name, value in request.args.items() if name in ("state", "kind", "round", "question", "q")}


def _correction(about: Appeal) -> str:
    made = about.round
    return url_for("organizer.key", slug=made.contest.slug, number=made.number, question=about.question_id)


@blueprint.get("/appeals/<int:appeal_id>")
def appeal(appeal_id: int) -> Answer:
    return _appeal_page(appeal_id)


def _appeal_page(appeal_id: int, refusal: Refusal | None = None) -> Answer:
    session = db.session()
    shown = service.get(session, appeal_id)
    entry = service.entry_of(session, shown)
    return render_template(
        "organizer/appeal.html",
        appeal=shown,
        entry=entry,
        person=people.person(session, staff_session.required(), shown.participant_id),
        question=service.question_of(session, shown),
        others=service.open_about(session, shown),
        can_be_counted=not entry.counted and entry.excluded_reason not in exclusions.BY_RULE,
        templates=service.templates(session),
        words=_words(),
        now=clock.now(),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/appeals/<int:appeal_id>")
def answer_appeal(appeal_id: int) -> Answer:
    session, form = db.session(), request.form
    asked = service.get(session, appeal_id)
    together = service.open_about(session, asked) if form.get("together") == "yes" else []
    try:
        answered = service.answer(
            session,
            [appeal_id, *together],
            form.get("verdict", ""),
            form.get("answer", ""),
            clock.now(),
            staff_session.required().id,
            count_again=form.get("count_again") == "yes",
        )
        session.commit()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        session.rollback()
        return _appeal_page(appeal_id, refusal)
    flash(ngettext("%(num)d appeal answered.", "%(num)d appeals answered.", len(answered)), "green")
    first = answered[0]
    if first.state == "accepted" and first.question_id is not None:
        flash(_("Correct the key now: the question is open below, and the appeals are linked with what you propose."))
        return redirect(_correction(first), 303)
    return redirect(url_for("organizer.appeal", appeal_id=appeal_id), 303)


# Words for answers


@blueprint.get("/appeals/templates")
def appeal_templates() -> Answer:
    return _templates_page()


def _templates_page(refusal: Refusal | None = None) -> Answer:
    return render_template(
        "organizer/appeal_templates.html",
        templates=service.templates(db.session()),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/appeals/templates")
def make_appeal_template() -> Answer:
    return _keep(None)


@blueprint.post("/appeals/templates/<int:template_id>")
def change_appeal_template(template_id: int) -> Answer:
    return _keep(template_id)


def _keep(template_id: int | None) -> Answer:
    session, form = db.session(), request.form
    if template_id is not None and template_id >= LARGEST:
        raise Refusal("not_found")
    try:
        service.keep_template(
            session,
            template_id,
            form.get("title", ""),
            form.get("body", ""),
            form.get("verdict", ""),
            clock.now(),
            staff_session.required().id,
            retire="retire" in form,
        )
        session.commit()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        session.rollback()
        return _templates_page(refusal)
    flash(_("Kept."), "green")
    return redirect(url_for("organizer.appeal_templates"), 303)
