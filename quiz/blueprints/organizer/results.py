"""What runs now, and what is over: the two entrances to a round while it is open and after its close."""

from __future__ import annotations

from flask import render_template, request

from quiz import clock
from quiz.blueprints.organizer.blueprint import Answer, blueprint
from quiz.errors import PROBLEMS
from quiz.extensions import db, platform
from quiz.services import live as service
from quiz.services import results as result_service

_REFRESH_SECONDS = 5


@blueprint.get("/live")
def live() -> Answer:
    """The open round in figures that follow; several contests may have one open each."""
    held, now = platform(), clock.now()
    season = held.season.get()
    cards = service.open_now(season, now)
    asked = request.args.get("round", type=int)
    card = next((each for each in cards if each.id == asked), cards[0] if cards else None)
    seen = None
    if card is not None:
        seen = service.look(db.session(), held.boards, held.gateway.client, held.queue, card, now)
    return render_template(
        "organizer/live.html",
        live=seen,
        cards=cards,
        slugs={contest.id: contest.slug for contest in season.contests.values()},
        following=min((each.opens for each in season.rounds.values() if each.opens > clock.to_ms(now)), default=None),
        now=now,
        every=_REFRESH_SECONDS,
        problems={code: PROBLEMS[code].title for code in service.WATCHED},
    )


@blueprint.get("/results")
def results() -> str:
    """The rounds of the current contest that are over, the newest first, each with what is to be done next."""
    return render_template("organizer/results.html", rounds=result_service.rounds(db.session(), clock.now()))
