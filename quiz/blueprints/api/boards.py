"""The boards, with an ETag each: who has the newest one is told so in a few bytes."""

from __future__ import annotations

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from quiz import clock
from quiz.application import Finished
from quiz.blueprints.api import blueprint, contest_slug, edge
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake.boards import BoardDocument
from quiz.intake.season import ContestCard, RoundCard
from quiz.services import boards, papers, units

_LEVELS: dict[str, boards.Level] = {"province": "province", "commune": "commune"}
_LIMIT = 100


@blueprint.get("/boards/units")
def unit_board() -> ResponseReturnValue:
    level = _LEVELS.get(request.args.get("level", "province"))
    if level is None:
        message = _l("Choose province or commune.")
        raise Refusal("invalid_request", errors=(FieldError("level", message),))
    contest, card = _scope()
    parent = request.args.get("parent")
    # Only a board below a unit asks the tables: to make a session takes a sixth of an answer.
    above = units.get(db.session(), parent) if parent is not None else None
    return _document(boards.unit_document(platform().boards, contest, card, level, above))


@blueprint.get("/boards/participants")
def people_board() -> ResponseReturnValue:
    limit = edge.whole_argument("limit", 1, boards.MAX_PEOPLE) or _LIMIT
    contest, card = _scope()
    unit, bracket = request.args.get("unit"), request.args.get("bracket")
    session = db.session()
    above = units.get(session, unit) if unit is not None else None
    found = boards.people_document(session, platform().cache, contest, card, above, limit, clock.now(), bracket)
    return _document(found)


def _scope() -> tuple[ContestCard, RoundCard | None]:
    season = platform().season.get()
    contest = papers.contest_of(season, contest_slug())
    number = edge.whole_argument("round", 1, 999)
    return contest, None if number is None else papers.round_of(season, contest.slug, number)


def _document(document: BoardDocument) -> ResponseReturnValue:
    etag = f'"{document.etag}"'
    # Shared by all who ask, and looked up again each time: a board is at most as old as its as_of says.
    head = [("ETag", etag), ("Cache-Control", "public, no-cache")]
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    if given == etag:
        return Finished(b"", 304, head)
    head.append(("Content-Type", edge.JSON))
    if given is None:
        return Finished(document.body, 200, head)
    # Any other spelling of the condition, a list or a weak tag, is Werkzeug's to read.
    return Response(document.body, headers=head).make_conditional(request)
