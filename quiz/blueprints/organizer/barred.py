"""Who works for a contest and who is kept out of it: the list, numbers pasted, people picked."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, number_asked, refused, status
from quiz.blueprints.organizer.calendar import contest_of
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.models import Contest
from quiz.services import contest_bars, member_kinds, people

FOUND = 20


@blueprint.get("/contests/<slug>/barred")
def barred(slug: str) -> Answer:
    return _page(contest_of(slug))


def _page(contest: Contest, refusal: Refusal | None = None) -> Answer:
    session, words = db.session(), request.args.get("q", "").strip()
    rows, following = contest_bars.listed(session, contest, number_asked("after") or 0)
    found = people.search(session, staff_session.required(), words, size=FOUND).rows if words else []
    return render_template(
        "organizer/barred.html",
        contest=contest,
        rows=rows,
        following=following,
        count=contest_bars.counted(session, contest),
        functions=member_kinds.FUNCTIONS,
        words=words,
        found=found,
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/contests/<slug>/barred")
def bar_from_contest(slug: str) -> Answer:
    contest, session, form = contest_of(slug), db.session(), request.form
    try:
        picked = form.get("user", "")
        if picked.isascii() and picked.isdecimal() and len(picked) < 19:
            users = [int(picked)]
        else:
            users = contest_bars.users_of(session, form.get("phones", ""))
        count = contest_bars.add(
            session,
            contest,
            users,
            form.get("function") or None,
            form.get("reason", ""),
            clock.now(),
            staff_session.required().id,
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _page(contest_of(slug), refusal)
    _spread(contest)
    flash(ngettext("%(num)d person is written down.", "%(num)d people are written down.", count), "green")
    return redirect(url_for("organizer.barred", slug=slug), 303)


@blueprint.post("/contests/<slug>/barred/<int:user_id>/remove")
def unbar_from_contest(slug: str, user_id: int) -> Response:
    contest, session = contest_of(slug), db.session()
    contest_bars.remove(session, contest, user_id, clock.now(), staff_session.required().id)
    session.commit()
    _spread(contest)
    flash(_("Taken off the list."), "green")
    return redirect(url_for("organizer.barred", slug=slug), 303)


def _spread(contest: Contest) -> None:
    held = platform()
    contest_bars.spread(db.session(), held.gateway.client, held.season.get(), contest.id)
