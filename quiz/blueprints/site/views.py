from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import current_user
from markupsafe import escape
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.wrappers import Response

from quiz import clock, shells
from quiz.extensions import csrf, db, platform
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.reading import Progress, read_progress
from quiz.intake.season import ContestCard, Notice, RoundCard
from quiz.logs import get_logger
from quiz.pages import THEME_COOKIE, THEMES, looks
from quiz.services import announcements, invitations, papers, rules_text
from quiz.services import today as contest_today
from quiz.services.board_pages import glance, names_of
from quiz.sessions import HomeUnit, home_unit, safe_next
from quiz.shells import Shells
from quiz.web import LANGUAGES

blueprint = Blueprint("site", __name__)
_shells = Shells()
_YEAR = 365 * 24 * 3600
NEWS_MS = 14 * 24 * 3_600_000
NEWS = 3
"""So many announcements stand on the home page, for so long."""
log = get_logger("quiz.site")


@blueprint.get("/")
def home() -> str:
    """Who is signed in comes from the cookie, everything else from memory and Redis; the tables are asked at most
    once, and only while there is news for the people of some round."""
    now = clock.to_ms(clock.now())
    season = platform().season.get()
    contest = papers.contest_of(season, None)
    today = contest_today.today(contest, now)
    unit = home_unit()
    progress = _progress(today.card, now) if today else None
    notices, invitation = _notices(contest, unit, now), escape(_invitation() or "")
    seen = glance(platform().boards, contest, unit.code if unit else None, unit.province_code if unit else None)

    def values() -> dict[str, Any]:
        return {
            "contest": contest,
            "today": today,
            "rules": contest_today.rules_of(today.card) if today else None,
            "now": now,
            "progress": progress,
            "notices": notices,
        }

    seen_as = looks()
    own = {
        "unit_part": _shells.part("site/_unit.html", (seen_as, seen), now, {"glance": seen}),
        "invitation": invitation,
        "invitation_shown": invitation.partition("://")[2],
    }
    if request.query_string or shells.has_messages() or (progress is not None and progress.open):
        # Seldom, and nobody else's: messages, the time that is left of a paper.
        return render_template("site/home.html", **values(), **own)
    used = None if progress is None else progress.used
    key = seen_as, season.version, used, tuple(notice.id for notice in notices)
    return _shells.page("site/home.html", key, now, values, own)


def _notices(contest: ContestCard, unit: HomeUnit | None, now: int) -> list[Notice]:
    """What the reader is told: all, the own unit or province, the rounds they took part in."""
    mine = {unit.code, unit.province_code} if unit else set()
    fresh = [
        notice
        for notice in contest.notices
        if now - notice.at < NEWS_MS and (notice.unit is None or notice.unit in mine)
    ]
    rounds = {notice.round for notice in fresh} - {None}
    played = _played(contest, rounds) if rounds else set()
    return [notice for notice in fresh if notice.round is None or notice.round in played][:NEWS]


def _played(contest: ContestCard, numbers: set[int | None]) -> set[int]:
    """Those of the rounds that who is signed in took part in; none while PostgreSQL is away: the page stands."""
    if not current_user.is_authenticated:
        return set()
    ids = {card.id: card.number for card in contest.rounds if card.number in numbers}
    try:
        return {ids[each] for each in announcements.took_part(db.session(), current_user.id, ids)}
    except (OperationalError, PoolTimeout):
        log.warning("notices_left_out")
        return set()


def _invitation() -> str | None:
    """The link by which who is signed in brings others; computed, no table is asked."""
    if not current_user.is_authenticated:
        return None
    code = invitations.code_of(platform().settings.secret_key, current_user.id)
    return url_for("site.invited", code=code, _external=True)


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


@blueprint.get("/waiting")
def waiting() -> Response:
    """The wait is over, or there was none: the door (quiz/door) answers here as long as there is one."""
    return redirect(safe_next(request.args.get("to")) or url_for("site.home"), 303)


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
    codes = sorted(rules_text.unit_codes(held))
    # Most rules name no unit, and their page asks no table.
    names = names_of(db.session(), codes) if codes else {}
    return render_template(
        "site/rules.html",
        contest=contest,
        card=card,
        rules=held,
        sentences=rules_text.sentences(held, names),
        prizes=rules_text.prizes(held),
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
