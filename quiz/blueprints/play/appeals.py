"""Appealing from the own result page; state and answer stand there too."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from quiz import clock
from quiz.blueprints.play.blueprint import blueprint, desk
from quiz.errors import PROBLEMS, Refusal
from quiz.extensions import db
from quiz.services import appeals, entries
from quiz.sessions import signed_in_checked

Answer = str | Response | tuple[str, int]


@blueprint.get("/entries/<receipt>/appeal")
@signed_in_checked
def appeal(receipt: str) -> Answer:
    return _page(receipt)


def _page(receipt: str, refusal: Refusal | None = None) -> Answer:
    session, held, now = db.session(), desk(), clock.now()
    view = entries.find(session, held, current_user.id, receipt, clock.to_ms(now))
    entry = entries.stored(session, held, current_user.id, receipt)
    page = render_template(
        "play/appeal.html",
        entry=view,
        chances=appeals.chances(session, view.card, entry, now) if entry else [],
        told=appeals.of_entry(session, entry) if entry else [],
        form=request.form,
        asked=request.args.get("question"),
        least=appeals.LEAST,
        most=appeals.MOST,
        problem=PROBLEMS[refusal.code] if refusal else None,
        errors={error.field: error.message for error in refusal.errors} if refusal else {},
    )
    return (page, PROBLEMS[refusal.code].status) if refusal else page


@blueprint.post("/entries/<receipt>/appeal")
@signed_in_checked
def appeal_now(receipt: str) -> Answer:
    session, held, form = db.session(), desk(), request.form
    now = clock.now()
    view = entries.find(session, held, current_user.id, receipt, clock.to_ms(now))
    entry = entries.stored(session, held, current_user.id, receipt)
    if entry is None:
        raise Refusal("unknown_receipt")
    try:
        appeals.make(
            session,
            view.card,
            entry,
            form.get("kind", ""),
            form.get("text", ""),
            now,
            question_id=form.get("question"),
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _page(receipt, refusal)
    flash(_("Your appeal is with the organizers. The answer will stand here."), "green")
    return redirect(url_for("play.entry", receipt=receipt) + "#appeals", 303)
