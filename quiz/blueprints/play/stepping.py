"""A paper whose questions come one by one, as pages: each question a form of its own, with or without the script.

A page that is loaded never goes on to the next question, even where the time of this one is over: a phone that
restores a tab must not start a clock that nobody sees.
"""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from quiz import clock
from quiz.blueprints.play.prediction import typed_prediction
from quiz.errors import PROBLEMS, Refusal
from quiz.extensions import db
from quiz.intake.errors import IntakeUnavailable, PaperExpired
from quiz.intake.reading import HandedIn, read_attempt
from quiz.intake.signing import SignedPaper
from quiz.services import papers, steps
from quiz.services.papers import Desk, Sheet
from quiz.services.steps import Standing
from quiz.services.today import rules_of
from quiz.sessions import PAPER

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
STEPS = "steps"
"""In the session of a browser without the script: what its last step left, for a Redis that loses everything."""
RETRY_AFTER = "5"


def page(held: Desk, signed: SignedPaper) -> Answer:
    """The question that is asked now, or the end; once the paper was handed in, its receipt."""
    kept = session.get(STEPS)
    now = clock.to_ms(clock.now())
    try:
        standing = steps.look(held, signed, kept, now)
    except PaperExpired:
        return _over()
    except IntakeUnavailable:
        remembered = steps.remembered(held, signed, kept)
        if remembered is None:
            raise
        return _page(held, remembered, Refusal("intake_unavailable"))
    if standing.asked.steps is None:
        return _receipt(held, standing, signed)
    return _page(held, standing)


def sent(held: Desk, signed: SignedPaper, holder: int | None) -> Answer:
    """Answer and go on, or hand in: the form's own buttons."""
    kept = request.form.get("steps")
    try:
        return _hand_in(held, signed, kept, holder) if "hand_in" in request.form else _go_on(held, kept, holder)
    except PaperExpired:
        return _over()
    except IntakeUnavailable as away:
        page = _again(held, signed, kept, Refusal("intake_unavailable"), away)
        return page, 503, {"Retry-After": RETRY_AFTER}
    except Refusal as refusal:
        return _again(held, signed, kept, refusal, refusal), PROBLEMS[refusal.code].status


def _again(held: Desk, signed: SignedPaper, kept: str | None, refusal: Refusal, cause: Exception) -> str:
    """The question that was answered, with what was chosen, from what the form itself says."""
    standing = steps.remembered(held, signed, kept)
    if standing is None:
        raise cause
    return _page(held, standing, refusal)


def _go_on(held: Desk, kept: str | None, holder: int | None) -> Response:
    question = request.form.get("question")
    answer = {question: request.form.getlist(f"q{question}")} if question else None
    now = clock.to_ms(clock.now())
    standing = steps.take(held, request.form.get("paper"), answer, kept, holder, now)
    if standing.kept is not None:
        session[STEPS] = standing.kept
    return redirect(url_for("play.paper"), 303)


def _hand_in(held: Desk, signed: SignedPaper, kept: str | None, holder: int | None) -> Response:
    card, _ = papers.read_stepped(held, signed)
    prediction = typed_prediction(card, request.form.get("prediction", "").strip())
    sheet = Sheet(request.form.get("paper"), {}, prediction, kept)
    receipt = papers.hand_in(held, sheet, None, holder, clock.to_ms(clock.now()), db.session)
    session.pop(PAPER, None)
    session.pop(STEPS, None)
    return redirect(url_for("play.entry", receipt=receipt.text), 303)


def _receipt(held: Desk, standing: Standing, signed: SignedPaper) -> Response:
    record = read_attempt(held.gateway, standing.card, signed.paper.participant, signed.paper.attempt)
    proof = record.proof if isinstance(record, HandedIn) else ""
    return redirect(url_for("play.entry", receipt=f"{held.signer.identity(signed)}-{proof}"))


def _over() -> Response:
    session.pop(PAPER, None)
    session.pop(STEPS, None)
    flash(PROBLEMS["paper_expired"].detail, "info")
    return redirect(url_for("site.home"), 303)


def _page(held: Desk, standing: Standing, refusal: Refusal | None = None) -> str:
    paper, asked = standing.paper, standing.asked
    question = standing.question
    chosen = request.form.getlist(f"q{question.id}") if question else []
    return render_template(
        "play/steps.html",
        card=standing.card,
        paper=paper,
        token=request.form.get("paper") or session.get(PAPER),
        sheet_id=f"{paper.issuer}.{paper.round_id}.{paper.participant}.{paper.attempt}",
        rules=rules_of(standing.card),
        question=question,
        asked=asked,
        count=len(paper.questions),
        kept=standing.kept,
        chosen=chosen,
        answered=len(steps.answers_of(held, standing)),
        prediction=request.form.get("prediction", _noted(standing)),
        said=steps.step_json(held, standing, clock.to_ms(clock.now())).decode(),
        problem=PROBLEMS[refusal.code] if refusal else None,
        errors={error.field: error.message for error in refusal.errors} if refusal else {},
    )


def _noted(standing: Standing) -> str:
    """The prediction that was kept, if any."""
    noted = -1 if standing.asked.steps is None else standing.asked.steps.prediction
    return "" if noted < 0 else str(noted)
