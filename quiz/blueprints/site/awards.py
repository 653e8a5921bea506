"""Announced winners, the lots that anyone can check, and the links by which people bring others."""

from __future__ import annotations

from flask import Response, redirect, render_template, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from quiz.blueprints.site.views import blueprint
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.services import papers
from quiz.services.awards import lots, reading
from quiz.sessions import INVITED_BY


@blueprint.get("/awards")
def awards() -> str:
    contest = papers.contest_of(platform().season.get(), None)
    held = db.session()
    return render_template(
        "site/awards.html",
        contest=contest,
        announced=reading.announced(held, contest.id),
        lots=lots.of_contest(held, contest.id),
    )


@blueprint.get("/awards/lots/<int:lot_id>")
def lot(lot_id: int) -> str:
    """Everything that is needed to check a lot outside of the project."""
    found = lots.public(db.session(), _id(lot_id))
    held = reading.public_places(db.session(), found.award_list) if lots.winners_are_public(found) else []
    return render_template(
        "site/lot.html",
        lot=found,
        round=found.award_list.round,
        titles=reading.titles(found.award_list.rules),
        order=lots.drawn_order(found.ids.split(), found.seed)[: len(found.places) + 5] if found.seed else [],
        names=dict(lots.named(found, held)),
    )


@blueprint.get("/awards/lots/<int:lot_id>/list.txt")
def lot_file(lot_id: int) -> Response:
    found = lots.public(db.session(), _id(lot_id))
    return _download(found.ids.encode(), f"lot-{found.id}.txt", "text/plain; charset=us-ascii")


@blueprint.get("/awards/lot_check.py")
def lot_script() -> Response:
    return _download(lots.SCRIPT.read_bytes(), lots.SCRIPT.name, "text/x-python; charset=utf-8")


@blueprint.get("/moi/<code>")
def invited(code: str) -> Answer:
    """Somebody came by another's link; who registers from here was brought by them."""
    if current_user.is_authenticated:
        return redirect(url_for("site.home"))
    if len(code) <= 20:
        session[INVITED_BY] = code
        session.permanent = True
    return redirect(url_for("account.register"))


def _id(number: int) -> int:
    if number >= 2**62:
        raise Refusal("not_found")
    return number


def _download(content: bytes, name: str, media_type: str) -> Response:
    answer = Response(content, content_type=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
