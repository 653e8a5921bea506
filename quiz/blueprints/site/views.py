from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session
from flask_login import current_user
from werkzeug.wrappers import Response

from quiz import clock
from quiz.extensions import csrf, platform
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.reading import Progress, read_progress
from quiz.intake.season import RoundCard
from quiz.pages import THEME_COOKIE, THEMES
from quiz.services import papers, rules_text
from quiz.services import today as contest_today
from quiz.services.board_pages import glance
from quiz.sessions import home_unit, safe_next
from quiz.web import LANGUAGES

blueprint = Blueprint("site", __name__)
_YEAR = 365 * 24 * 3600


@blueprint.get("/")
def home() -> str:
    """No query: who is signed in comes from the cookie, everything else from memory and Redis."""
    now = clock.to_ms(clock.now())
    contest = papers.contest_of(platform().season.get(), None)
    today = contest_today.today(contest, now)
    unit = home_unit()
    return render_template(
        "site/home.html",
        contest=contest,
        today=today,
        rules=contest_today.rules_of(today.card) if today else None,
        now=now,
        unit=unit,
        glance=glance(platform().boards, contest, unit.code if unit else None, unit.province_code if unit else None),
        progress=_progress(today.card, now) if today else None,
    )


def _progress(card: RoundCard, now: int) -> Progress | None:
    """None: nobody is signed in, or intake can't say; the page then leaves the attempts out and stands."""
    if not current_user.is_authenticated:
        return None
    try:
        return read_progress(platform().gateway, card, current_user.id, now)
    except IntakeUnavailable:
        return None


@blueprint.get("/now")
def now() -> Response:
    """Nothing but the Date of its answer: a device whose clocks disagree asks before it ends a paper."""
    return Response(status=204, headers={"Cache-Control": "no-store"})


@blueprint.get("/rounds")
def rounds() -> str:
    contest = papers.contest_of(platform().season.get(), None)
    now = clock.to_ms(clock.now())
    return render_template("site/rounds.html", contest=contest, today=contest_today.today(contest, now), now=now)


@blueprint.get("/rounds/<int:number>")
def rules(number: int) -> str:
    season = platform().season.get()
    contest, card = papers.contest_of(season, None), papers.round_of(season, None, number)
    held = contest_today.rules_of(card)
    return render_template(
        "site/rules.html",
        contest=contest,
        card=card,
        rules=held,
        sentences=rules_text.sentences(held),
        releases=rules_text.releases(held, card.closes),
        now=clock.to_ms(clock.now()),
    )


@blueprint.get("/privacy")
def privacy() -> str:
    return render_template("site/privacy.html")


@blueprint.post("/preferences")
@csrf.exempt  # Nothing but colours and language: not worth a session for everybody who only looks.
def preferences() -> Response:
    response = redirect(safe_next(request.form.get("back")) or "/", 303)
    if (language := request.form.get("language")) in LANGUAGES:
        session["language"] = language
        session.permanent = True
    theme = request.form.get("theme")
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR, samesite="Lax")
    elif theme == "auto":
        response.delete_cookie(THEME_COOKIE)
    return response
