"""The boards as pages. Everybody looks at the same few when a round ends: each is rendered once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.orm import Session

from quiz import clock, shells
from quiz.extensions import db, platform
from quiz.intake.boards import UnitRow
from quiz.intake.season import ContestCard, RoundCard
from quiz.models import Unit
from quiz.pages import looks
from quiz.services import board_pages, boards, papers, releases, today
from quiz.services import units as unit_service
from quiz.services.boards import MAX_PEOPLE
from quiz.sessions import home_unit
from quiz.shells import Shells

blueprint = Blueprint("boards", __name__, url_prefix="/boards")
_shells = Shells()


def _wanted() -> tuple[ContestCard, RoundCard | None]:
    """The contest and the week that is asked for; without one, the whole contest."""
    season = platform().season.get()
    contest = papers.contest_of(season, None)
    number = request.args.get("round", "")
    return contest, papers.round_of(season, None, int(number)) if number.isdecimal() else None


def _page_number() -> int:
    text = request.args.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 6 else 1


def _page(template: str, as_of: str, values: Callable[[], Mapping[str, Any]], own: Mapping[str, Markup]) -> str:
    """A board's page for who asks.

    Args:
        as_of: the board's; one that changed is another page.
        values: the same for all of one unit, language and colours who ask for the same address.
        own: parts that are nobody else's.
    """
    if shells.has_messages():
        return render_template(template, **values(), **own)
    key = looks(), request.full_path, home_unit(), as_of, platform().season.get().version
    return _shells.page(template, key, clock.to_ms(clock.now()), values, own)


@blueprint.get("")
def units() -> str:
    """Provinces and unions, or with `parent` the communes of one province."""
    contest, card = _wanted()
    board, above = _unit_board(contest, card, request.args.get("parent", "").strip().upper() or None)

    def values() -> dict[str, Any]:
        mine = home_unit()
        own = {mine.code, mine.province_code} if mine else set()
        return {
            "contest": contest,
            "card": card,
            "board": board,
            "above": above,
            "page": board_pages.page_of(board.rows, request.args.get("q", ""), _page_number()),
            "own": next((row for row in board.rows if row.code in own), None),
            "mine": mine,
            "now": clock.to_ms(clock.now()),
        }

    return _page("boards/units.html", board.as_of, values, {})


def _unit_board(
    contest: ContestCard, card: RoundCard | None, parent: str | None
) -> tuple[boards.UnitBoard, UnitRow | Unit | None]:
    """A board and the unit that it lies below. No table is asked for a province: it stands in its own board."""
    reader = platform().boards
    provinces = boards.unit_board(reader, contest, card)
    if parent is None:
        return provinces, None
    row = next((row for row in provinces.rows if row.code == parent), None)
    if row is not None:
        return boards.communes_board(reader, contest, card, parent), row
    above = unit_service.get(db.session(), parent)
    return boards.unit_board(reader, contest, card, "commune", above), above


@blueprint.get("/people")
def people() -> str:
    contest, card = _wanted()
    session, now = db.session(), clock.now()
    unit = request.args.get("unit", "").strip().upper() or None
    above = unit_service.get(session, unit) if unit else None
    bracket = request.args.get("bracket", "").strip() or None
    board = boards.people_board(session, platform().cache, contest, card, above, MAX_PEOPLE, now, bracket)

    def values() -> dict[str, Any]:
        return {
            "contest": contest,
            "card": card,
            "board": board,
            "above": above,
            "brackets": today.rules_of(card).brackets if card else (),
            "bracket": bracket,
            "page": board_pages.page_of(board.rows, request.args.get("q", ""), _page_number()),
            "released": card is None or releases.score_is_out(card, clock.to_ms(now)),
            "mine": home_unit(),
            "now": clock.to_ms(now),
        }

    own_row = _own_row(session, card, clock.to_ms(now)) if card is not None and bracket is None else Markup()
    return _page("boards/people.html", board.as_of, values, {"own_row": own_row})


def _own_row(session: Session, card: RoundCard, now_ms: int) -> Markup:
    """Where who is signed in stands, with their whole name; empty for who does not stand there."""
    own = None
    if current_user.is_authenticated:
        own = board_pages.own_standing(session, card, current_user.id, now_ms)
    return Markup(render_template("boards/_own.html", own=own)) if own else Markup()  # noqa: S704 - escaped there
