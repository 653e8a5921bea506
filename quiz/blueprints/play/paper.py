"""From the start to the hand-in. No table is asked here: the cookie says who, the paper says what, Redis decides.

The script of these pages speaks to the API; these views are what works without it, and they keep what was typed
whatever happens.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required
from markupsafe import escape
from werkzeug.wrappers import Response

from quiz import clock, shells, wording
from quiz.blueprints.play import stepping
from quiz.blueprints.play.blueprint import blueprint, desk
from quiz.blueprints.play.pieces import pieces_of
from quiz.blueprints.play.prediction import typed_prediction
from quiz.errors import PROBLEMS, Refusal
from quiz.extensions import csrf, db
from quiz.intake.calls import Starter
from quiz.intake.errors import IntakeUnavailable, InvalidPaper, LoginRequired, PaperExpired
from quiz.intake.reading import Draft, HandedIn, OpenAttempt, read_attempt, read_draft
from quiz.intake.season import RoundCard
from quiz.intake.signing import SignedPaper
from quiz.pages import looks
from quiz.services import papers
from quiz.services.papers import Desk, Sheet
from quiz.services.today import rules_of
from quiz.sessions import PAPER, leave
from quiz.shells import Shells

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
RETRY_AFTER = "5"
DEVICE = "device"
DEVICE_SECONDS = 180 * 24 * 3600
"""A season; then the browser forgets it."""
_shells = Shells()
_DEVICE = re.compile(r"[\w-]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on the sheet when it is rendered."""

    answers: dict[str, list[str]]
    prediction: str = ""
    seq: int = 0


@blueprint.post("/rounds/<int:number>/start")
@login_required
def start(number: int) -> Response:
    held = desk()
    card = papers.round_of(held.seasons.get(), None, number)
    device, is_new = device_of(request.cookies.get(DEVICE))
    who = Starter(current_user.id, current_user.unit_id, current_user.auth_epoch, device, channel="web")
    try:
        started = papers.start(held, card, who, clock.to_ms(clock.now()), db.session)
    except LoginRequired:
        leave()
        flash(_("This session was ended on another device. Sign in again to go on."), "info")
        return redirect(url_for("account.sign_in", next=url_for("site.home")), 303)
    session[PAPER] = started.token
    session.pop(stepping.STEPS, None)
    response = redirect(url_for("play.paper"), 303)
    if is_new:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(DEVICE, device, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=secure)
    return response


def device_of(held: str | None) -> tuple[str, bool]:
    """The device's random name, and whether it is new: it tells devices apart and says nothing of whose they are."""
    if held is not None and _DEVICE.fullmatch(held):
        return held, False
    return secrets.token_urlsafe(9), True


@blueprint.get("/paper")
@login_required
def paper() -> Answer:
    """The paper in hand, as often as it is asked for; once it was handed in, its receipt."""
    held = desk()
    try:
        signed = papers.read_paper(held, session.get(PAPER), current_user.id)
    except InvalidPaper:
        return redirect(url_for("site.home"))
    card = held.seasons.get().rounds.get(signed.paper.round_id)
    if card is None:
        return redirect(url_for("site.home"))
    if not signed.paper.questions:
        return stepping.page(held, signed)
    known = True
    try:
        record = read_attempt(held.gateway, card, signed.paper.participant, signed.paper.attempt)
        draft = read_draft(held.gateway, card, signed.paper.participant, signed.paper.attempt)
    except IntakeUnavailable:
        # The paper itself needs no Redis, and the phone has the answers: better this page than none.
        record, draft, known = None, None, False
    if isinstance(record, HandedIn):
        return redirect(_receipt_page(f"{held.signer.identity(signed)}-{record.proof}"))
    now = clock.to_ms(clock.now())
    if known and record is None and now > signed.paper.deadline + card.grace + card.late:
        session.pop(PAPER, None)
        flash(PROBLEMS["paper_expired"].detail, "info")
        return redirect(url_for("site.home"))
    deadline = record.deadline if isinstance(record, OpenAttempt) else signed.paper.deadline
    return _sheet(held, card, signed, _drafted(held, card, signed, draft), deadline=deadline)


@blueprint.post("/paper")
@csrf.exempt  # The paper is itself a secret of this person, and a session that ended meanwhile must not cost a sheet.
def paper_sent() -> Answer:
    """Hand in, or keep the sheet: the form's own buttons, for browsers without the script."""
    held = desk()
    holder = current_user.id if current_user.is_authenticated else None
    signed = papers.read_paper(held, request.form.get("paper"), holder)
    card = held.seasons.get().rounds.get(signed.paper.round_id)
    if card is None:
        raise InvalidPaper
    if not signed.paper.questions:
        return stepping.sent(held, signed, holder)
    shown = Shown(_answers(signed), request.form.get("prediction", "").strip())
    try:
        sheet = Sheet(request.form["paper"], shown.answers, typed_prediction(card, shown.prediction))
        return _take(held, sheet, holder)
    except Refusal as refusal:
        return _sheet(held, card, signed, shown, refusal=refusal), PROBLEMS[refusal.code].status
    except PaperExpired:
        return _sheet(held, card, signed, shown, refusal=Refusal("paper_expired")), 410
    except IntakeUnavailable:
        page = _sheet(held, card, signed, shown, refusal=Refusal("intake_unavailable"))
        return page, 503, {"Retry-After": RETRY_AFTER}


def _take(held: Desk, sheet: Sheet, holder: int | None) -> Response:
    now = clock.to_ms(clock.now())
    if "keep" in request.form:
        papers.keep_draft(held, sheet, now, holder, now)
        flash(_("Kept on the server. Hand it in before the time is over."), "green")
        return redirect(url_for("play.paper"), 303)
    receipt = papers.hand_in(held, sheet, None, holder, now, db.session)
    session.pop(PAPER, None)
    return redirect(_receipt_page(receipt.text), 303)


def _receipt_page(receipt: str) -> str:
    return url_for("play.entry", receipt=receipt)


def _answers(signed: SignedPaper) -> dict[str, list[str]]:
    """The ticked options of the paper's questions; a form has nothing else to say about them."""
    names = (str(place + 1) for place in signed.paper.questions)
    ticked = {name: request.form.getlist(f"q{name}") for name in names}
    return {name: options for name, options in ticked.items() if options}


def _drafted(held: Desk, card: RoundCard, signed: SignedPaper, draft: Draft | None) -> Shown:
    if draft is None:
        return Shown({})
    bank = held.seasons.bank(card, signed.paper.bank)
    answers = papers.ids_of(bank, signed.paper.questions, papers.turns_of(card, signed.paper), draft.masks)
    return Shown(answers, "" if draft.prediction is None else str(draft.prediction), draft.seq)


def _sheet(
    held: Desk,
    card: RoundCard,
    signed: SignedPaper,
    shown: Shown,
    *,
    deadline: int | None = None,
    refusal: Refusal | None = None,
) -> str:
    paper = signed.paper
    pieces = pieces_of(held, card, paper.bank)
    due = paper.deadline if deadline is None else deadline
    own = {
        "token": escape(request.form.get("paper") or session.get(PAPER)),
        "sheet_id": escape(f"{paper.issuer}.{paper.round_id}.{paper.participant}.{paper.attempt}"),
        "participant": escape(paper.participant),
        "deadline": escape(due),
        "until": escape(wording.clock_time(due)),
        "seq": escape(shown.seq),
        "prediction": escape(shown.prediction),
        "sections": pieces.sections(paper.questions, papers.turns_of(card, paper), shown.answers),
        "tiles": pieces.tiles(paper.questions),
    }
    count = len(paper.questions)

    def values() -> dict[str, Any]:
        return {
            "card": card,
            "count": count,
            "rules": rules_of(card),
            "problem": PROBLEMS[refusal.code] if refusal else None,
            "errors": {error.field: error.message for error in refusal.errors} if refusal else {},
        }

    if refusal or shells.has_messages():
        return render_template("play/paper.html", **values(), **own)
    key = looks(), held.seasons.get().version, card.id, count
    return _shells.page("play/paper.html", key, clock.to_ms(clock.now()), values, own)
