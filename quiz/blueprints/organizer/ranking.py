"""The ranking of a round for those who must answer for it: each place with what puts it above the next."""

from __future__ import annotations

from flask import render_template, request

from quiz import clock
from quiz.blueprints.organizer.blueprint import blueprint
from quiz.blueprints.organizer.calendar import contest_of, round_of
from quiz.extensions import db
from quiz.services import rules_text, why

LINES = 50


@blueprint.get("/contests/<slug>/rounds/<int:number>/ranking")
def ranking(slug: str, number: int) -> str:
    contest, session = contest_of(slug), db.session()
    shown = round_of(contest, number)
    after = min(max(request.args.get("after", 0, int), 0), why.MOST_LINES - LINES)
    bracket = request.args.get("bracket") or None
    lines = why.ranking(session, shown, LINES, after, bracket)
    return render_template(
        "organizer/ranking.html",
        contest=contest,
        round=shown,
        phase=shown.phase(clock.now()).value,
        brackets=rules_text.bracket_names(shown.rules),
        bracket=bracket,
        rules=rules_text.stored(shown.rules),
        lines=lines,
        following=after + LINES if len(lines) == LINES and after + LINES < why.MOST_LINES else None,
    )
