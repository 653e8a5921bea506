"""The question bank: a round's questions, a question with its versions, review, freezing, a paper as phones show it."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake.draw import draw
from quiz.models import Bank, Contest, Round
from quiz.services import item_statistics, question_bank, season
from quiz.services.formats import OptionDraft, QuestionDraft
from quiz.services.formats.drafts import MAX_OPTIONS
from quiz.services.question_bank import STATES, Wanted


def round_of(slug: str, number: int) -> Round:
    found = db.session.scalar(
        select(Round).join(Contest, Contest.id == Round.contest_id).where(Contest.slug == slug, Round.number == number)
    )
    if found is None:
        raise Refusal("unknown_round")
    return found


@blueprint.get("/questions")
def questions() -> str:
    return render_template("organizer/questions.html", banks=question_bank.rounds(db.session()))


# The bank of a round


@blueprint.get("/contests/<slug>/rounds/<int:number>/questions")
def bank(slug: str, number: int) -> Answer:
    return _bank_page(slug, number)


def _bank_page(slug: str, number: int, refusal: Refusal | None = None) -> Answer:
    asked, made = request.args, round_of(slug, number)
    state = asked.get("state", "all")
    wanted = Wanted(
        words=asked.get("q", ""),
        state=state if state in STATES else "all",
        topic=asked.get("topic") or None,
        difficulty=asked.get("difficulty", type=int),
        page=asked.get("page", 1, type=int),
    )
    filters = {name: value for name, value in asked.items() if name in {"q", "state", "topic", "difficulty"} and value}
    return render_template(
        "organizer/bank.html",
        slug=slug,
        round=made,
        page=question_bank.page(db.session(), made.id, wanted),
        wanted=wanted,
        filters=filters,
        over=made.scheduled_at is not None and clock.now() >= made.opens_at,
        closed=made.bank_version is not None and clock.now() >= made.closes_at,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/contests/<slug>/rounds/<int:number>/questions/freeze")
def freeze_bank(slug: str, number: int) -> Answer:
    """Freeze what was reviewed, and let intake have it if the round is scheduled."""
    session, made = db.session(), round_of(slug, number)
    try:
        frozen = question_bank.freeze(session, made, clock.now(), actor_id=staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        if refusal.code == "forbidden":
            words = _l("Papers were drawn from this bank: it stays as it is. Correct the key instead.")
            refusal = Refusal("invalid_request", errors=(FieldError("bank", words),))
        return _bank_page(slug, number, refusal)
    if made.scheduled_at is not None:
        season.prime_all(session, platform().gateway.client, clock.now(), issuer=platform().settings.issuer)
        session.commit()
    flash(
        _("Frozen: %(count)s questions. Papers of this round are drawn from them.", count=len(frozen.content)), "green"
    )
    return redirect(url_for("organizer.bank", slug=slug, number=number), 303)


@blueprint.get("/contests/<slug>/rounds/<int:number>/questions/paper")
def sample_paper(slug: str, number: int) -> str:
    """A paper as a phone shows it, drawn from the frozen bank as those of participants are."""
    made, sample = round_of(slug, number), max(1, request.args.get("sample", 1, type=int) % 1_000_000)
    frozen = db.session.scalar(select(Bank).where(Bank.round_id == made.id, Bank.version == made.bank_version))
    places: list[int] = []
    if frozen is not None:
        # Not the round's secret: nobody may read here which questions somebody will get.
        places = draw(b"sample", 0, sample, season.round_card(made, frozen).draw_plan())
    content = frozen.content if frozen is not None else []
    return render_template(
        "organizer/sample_paper.html", slug=slug, round=made, paper=[content[place] for place in places], sample=sample
    )


@blueprint.get("/contests/<slug>/rounds/<int:number>/questions/statistics")
def question_statistics(slug: str, number: int) -> str:
    """How each question did, once the round is over."""
    made = round_of(slug, number)
    over = made.bank_version is not None and clock.now() >= made.closes_at
    return render_template(
        "organizer/statistics.html",
        slug=slug,
        round=made,
        report=item_statistics.report(db.session(), made) if over else None,
    )


# A question


@blueprint.get("/questions/<int:question_id>")
def question(question_id: int) -> Answer:
    return _question_page(question_id)


def _question_page(question_id: int, refusal: Refusal | None = None) -> Answer:
    shown = question_bank.shown(db.session(), question_id)
    typed = request.form if request.endpoint == "organizer.revise_question" else {}
    return render_template(
        "organizer/question.html", shown=shown, question=shown.newest, form=typed, **refused(refusal)
    ), status(refusal)


@blueprint.post("/questions/<int:question_id>/review")
def review_question(question_id: int) -> Answer:
    """From one to the next: a bank of hundreds is reviewed in one go."""
    session, who = db.session(), staff_session.required().id
    following = question_bank.next_to_review(session, question_id, actor_id=who)
    return _act(
        question_id,
        lambda: question_bank.review(session, question_id, clock.now(), actor_id=who),
        _("Reviewed; here is the next one.") if following else _("Reviewed: it can be drawn once the bank is frozen."),
        following,
    )


@blueprint.post("/questions/<int:question_id>/retire")
def retire_question(question_id: int) -> Answer:
    reason = request.form.get("reason", "")
    who = staff_session.required().id
    return _act(
        question_id,
        lambda: question_bank.retire(db.session(), question_id, clock.now(), actor_id=who, reason=reason),
        _("Retired: banks to come go without it."),
    )


@blueprint.post("/questions/<int:question_id>")
def revise_question(question_id: int) -> Answer:
    draft, who = _draft(), staff_session.required().id
    return _act(
        question_id,
        lambda: question_bank.revise(db.session(), question_id, draft, clock.now(), actor_id=who),
        _("Kept as a new version; a second person has to review it."),
    )


def _act(question_id: int, act: Callable[[], object], done: str, following: int | None = None) -> Answer:
    try:
        act()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        db.session.rollback()
        return _question_page(question_id, refusal)
    db.session.commit()
    flash(done, "green")
    return redirect(url_for("organizer.question", question_id=following or question_id), 303)


def _draft() -> QuestionDraft:
    """The form of a question: an option a line of fields, empty ones left out."""
    form = request.form
    options = [
        OptionDraft(form.get(f"option-{place}", ""), f"right-{place}" in form)
        for place in range(MAX_OPTIONS)
        if form.get(f"option-{place}", "").strip()
    ]
    return QuestionDraft(
        text=form.get("text", ""),
        options=tuple(options),
        multiple="multiple" in form,
        explanation=form.get("explanation", ""),
        source=form.get("source", ""),
        topic=form.get("topic", ""),
        difficulty=form.get("difficulty", 0, type=int),
        tags=tuple(form.get("tags", "").split(";")),
    )
