"""Units: the tree with what each part of it shall reach, and who answers for it."""

from __future__ import annotations

from flask import Response as Download
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.wrappers import Response

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake import boards
from quiz.models import Contest, Round
from quiz.services import people, targets
from quiz.services import units as unit_service

SHOWN = 200
"""Of the bad lines on a page."""


def _contest() -> Contest:
    """Targets are those of the current contest."""
    found = db.session.scalar(select(Contest).where(Contest.is_current))
    if found is None:
        raise Refusal("not_found")
    return found


@blueprint.get("/units")
def units() -> Answer:
    return _units_page()


def _units_page(
    refusal: Refusal | None = None, faults: list[targets.Fault] | None = None, parent: str | None = None
) -> Answer:
    session, words = db.session(), request.args.get("q", "")
    contest = session.scalar(select(Contest).where(Contest.is_current))
    parent = parent or request.args.get("parent") or None
    above = None if parent is None else unit_service.get(session, parent)
    shown = render_template(
        "organizer/units.html",
        contest=contest,
        above=above,
        words=words,
        rows=[] if contest is None else targets.listing(session, contest.id, parent, words),
        target=None if contest is None or above is None else targets.of_unit(session, contest.id, above.id),
        staff_of=[] if above is None else people.officers_of(session, above.id),
        faults=(faults or [])[:SHOWN],
        bad=len(faults or []),
        form=request.form,
        **refused(refusal),
    )
    return shown, 422 if faults else status(refusal)


@blueprint.post("/units/<code>")
def set_target(code: str) -> Answer:
    session, form, contest = db.session(), request.form, _contest()
    unit = unit_service.get(session, code)
    try:
        targets.set_one(
            session,
            contest.id,
            code,
            form.get("participants", ""),
            form.get("entries", ""),
            clock.now(),
            actor_id=staff_session.required().id,
        )
        session.commit()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        session.rollback()
        return _units_page(refusal, parent=code)
    _boards_follow(contest.id)
    flash(_("The target of %(name)s is written.", name=unit.name), "green")
    return redirect(url_for("organizer.units", parent=unit.code), 303)


@blueprint.post("/units")
def import_targets() -> Answer:
    session, contest, file = db.session(), _contest(), request.files.get("file")
    if file is None or not file.filename:
        return _units_page(Refusal("invalid_request", errors=(FieldError("file", _("Choose a file.")),)))
    try:
        changed = targets.import_file(
            session, contest.id, file.read(), clock.now(), actor_id=staff_session.required().id
        )
        session.commit()
    except targets.BadTargets as bad:
        session.rollback()
        return _units_page(faults=list(bad.faults))
    _boards_follow(contest.id)
    flash(ngettext("%(num)d unit has a new target.", "%(num)d units have new targets.", changed), "green")
    return redirect(url_for("organizer.units"), 303)


@blueprint.get("/units/targets.csv")
def targets_file() -> Response:
    contest = _contest()
    answer = Download(targets.export(db.session(), contest.id), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{contest.slug}-targets.csv")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _boards_follow(contest_id: int) -> None:
    """After the commit: the boards show shares of targets; writing one round's writes the contest's too."""
    newest = select(Round.id).where(Round.contest_id == contest_id, Round.scheduled_at.is_not(None))
    round_id = db.session.scalar(newest.order_by(Round.number.desc()).limit(1))
    if round_id is not None:
        platform().cache.sadd(boards.DIRTY, str(round_id))
