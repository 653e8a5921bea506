from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_login import current_user

from quiz import clock
from quiz.extensions import db, platform
from quiz.intake.season import ContestCard, RoundCard
from quiz.services import board_pages, boards, papers, releases, today
from quiz.services import units as unit_service
from quiz.services.boards import MAX_PEOPLE
from quiz.sessions import home_unit

blueprint = Blueprint("boards", __name__, url_prefix="/boards")


def _wanted() -> tuple[ContestCard, RoundCard | None]:
    """The contest and the week that is asked for; without one, the whole contest."""
    season = platform().season.get()
    contest = papers.contest_of(season, None)
    number = request.args.get("round", "")
    return contest, papers.round_of(season, None, int(number)) if number.isdecimal() else None


def _page_number() -> int:
    text = request.args.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 6 else 1


@blueprint.get("")
def units() -> str:
    """Provinces and unions, or with `parent` the communes of one province."""
    contest, card = _wanted()
    parent = request.args.get("parent", "").strip().upper() or None
    mine = home_unit()
    above = unit_service.get(db.session(), parent) if parent else None
    level: boards.Level = "commune" if parent else "province"
    board = boards.unit_board(platform().boards, contest, card, level, above)
    own = {mine.code, mine.province_code} if mine else set()
    return render_template(
        "boards/units.html",
        contest=contest,
        card=card,
        board=board,
        above=above,
        page=board_pages.page_of(board.rows, request.args.get("q", ""), _page_number()),
        own=next((row for row in board.rows if row.code in own), None),
        mine=mine,
        now=clock.now(),
    )


@blueprint.get("/people")
def people() -> str:
    contest, card = _wanted()
    now = clock.now()
    unit = request.args.get("unit", "").strip().upper() or None
    session = db.session()
    above = unit_service.get(session, unit) if unit else None
    bracket = request.args.get("bracket", "").strip() or None
    board = boards.people_board(session, platform().cache, contest, card, above, MAX_PEOPLE, now, bracket)
    page = board_pages.page_of(board.rows, request.args.get("q", ""), _page_number())
    own = None
    if card is not None and bracket is None and current_user.is_authenticated:
        own = board_pages.own_standing(session, card, current_user.id, clock.to_ms(now))
    return render_template(
        "boards/people.html",
        contest=contest,
        card=card,
        board=board,
        above=above,
        brackets=today.rules_of(card).brackets if card else (),
        bracket=bracket,
        page=page,
        names=board_pages.names_of(session, [row.unit_code for row in page.rows]),
        own=own,
        released=card is None or releases.score_is_out(card, clock.to_ms(now)),
        mine=home_unit(),
        now=now,
    )
