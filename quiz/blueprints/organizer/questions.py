"""The question bank: a round's questions, a question with its versions, review, freezing, a paper as phones show it."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from quiz import clock, staff_session
from quiz.blueprints.organizer import question_forms
from quiz.blueprints.organizer.blueprint import Answer, blueprint, messages, refused, status
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake.draw import draw
from quiz.models import Bank, Contest, Round
from quiz.services import bank_work, item_statistics, question_bank, season
from quiz.services.formats import QuestionDraft
from quiz.services.formats.drafts import MAX_OPTIONS
from quiz.services.question_bank import STATES, Wanted
from quiz.services.questions import draft_of

FILTERS = frozenset({"q", "state", "topic", "difficulty"})


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
    asked, made = request.values, round_of(slug, number)
    wanted = _wanted(asked)
    filters = {name: value for name, value in asked.items() if name in FILTERS and value}
    return render_template(
        "organizer/bank.html",
        slug=slug,
        round=made,
        page=question_bank.page(db.session(), made, wanted),
        wanted=wanted,
        filters=filters,
        over=made.scheduled_at is not None and clock.now() >= made.opens_at,
        closed=made.bank_version is not None and clock.now() >= made.closes_at,
        form=request.form,
        **refused(refusal),
    ), status(refusal)


def _wanted(asked: MultiDict[str, str]) -> Wanted:
    state = asked.get("state", "all")
    return Wanted(
        words=asked.get("q", ""),
        state=state if state in STATES else "all",
        topic=asked.get("topic") or None,
        difficulty=asked.get("difficulty", type=int),
        page=asked.get("page", 1, type=int),
    )


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
        places = draw(b"sample", sample, 1, season.round_card(made, frozen).draw_plan())
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


def _question_page(
    question_id: int, refusal: Refusal | None = None, typed: MultiDict[str, str] | None = None
) -> Answer:
    shown = question_bank.shown(db.session(), question_id)
    form = question_forms.form_of(draft_of(shown.newest)) if typed is None else typed
    return render_template(
        "organizer/question.html",
        shown=shown,
        question=shown.newest,
        form=form,
        lines=question_forms.lines_of(form),
        most=MAX_OPTIONS,
        **refused(refusal),
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
    form, who = request.form, staff_session.required().id
    if (reshaped := question_forms.reshaped(form)) is not None:
        return _question_page(question_id, typed=reshaped)
    draft = question_forms.draft_of(form)
    return _act(
        question_id,
        lambda: question_bank.revise(db.session(), question_id, draft, clock.now(), actor_id=who),
        _("Kept as a new version; a second person has to review it."),
    )


@blueprint.get("/contests/<slug>/rounds/<int:number>/questions/new")
def new_question(slug: str, number: int) -> Answer:
    """An empty form; topic and difficulty may come with the address, from the part of the draw that is short."""
    asked = request.args
    draft = QuestionDraft("", topic=asked.get("topic", ""), difficulty=asked.get("difficulty", 2, type=int))
    return _new_page(slug, number, question_forms.form_of(draft, question_forms.LINES))


def _new_page(slug: str, number: int, form: MultiDict[str, str], refusal: Refusal | None = None) -> Answer:
    made = round_of(slug, number)
    return render_template(
        "organizer/new_question.html",
        slug=slug,
        round=made,
        form=form,
        lines=question_forms.lines_of(form),
        most=MAX_OPTIONS,
        topics=question_bank.topics(db.session(), made.contest_id),
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/contests/<slug>/rounds/<int:number>/questions/new")
def create_question(slug: str, number: int) -> Answer:
    form, session, made = request.form, db.session(), round_of(slug, number)
    if (reshaped := question_forms.reshaped(form)) is not None:
        return _new_page(slug, number, reshaped)
    draft = question_forms.draft_of(form)
    try:
        written = bank_work.create(session, made, draft, clock.now(), actor_id=staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _new_page(slug, number, form, refusal)
    flash(_("The question is in the bank; a second person has to review it."), "green")
    if "again" in form:
        following = url_for(
            "organizer.new_question",
            slug=slug,
            number=number,
            topic=draft.topic or None,
            difficulty=draft.difficulty,
        )
        return redirect(following, 303)
    return redirect(url_for("organizer.question", question_id=written.id), 303)


# Many questions


@blueprint.post("/contests/<slug>/rounds/<int:number>/questions")
def change_questions(slug: str, number: int) -> Answer:
    """Review, sort or retire what was ticked; retiring asks once more, with the numbers."""
    session, made, form = db.session(), round_of(slug, number), request.form
    who, now = staff_session.required().id, clock.now()
    try:
        ids = _ticked(made)
        match form.get("act"):
            case "review":
                done = bank_work.review(session, made, ids, now, actor_id=who)
            case "sort":
                done = bank_work.sort(session, made, ids, _sorting(), now, actor_id=who)
            case "retire" if "typed" in form:
                reason, typed = form.get("reason", ""), form["typed"]
                done = bank_work.retire(session, made, ids, now, actor_id=who, reason=reason, typed=typed)
            case "retire":
                return _retire_page(slug, made, ids)
            case _:
                raise Refusal("not_found")
        session.commit()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        session.rollback()
        if form.get("act") == "retire" and "typed" in form and "questions" not in messages(refusal):
            return _retire_page(slug, round_of(slug, number), ids, refusal)
        return _bank_page(slug, number, refusal)
    flash(_told(form["act"], done), "green")
    shown = url_for(
        "organizer.bank",
        slug=slug,
        number=number,
        q=form.get("q") or None,
        state=form.get("state"),
        topic=form.get("topic"),
        difficulty=form.get("difficulty"),
    )
    return redirect(shown, 303)


def _told(act: str, done: bank_work.Done) -> str:
    words: str = {
        "review": ngettext("%(num)d question reviewed.", "%(num)d questions reviewed.", done.changed),
        "sort": ngettext("%(num)d question changed.", "%(num)d questions changed.", done.changed),
        "retire": ngettext("%(num)d question retired.", "%(num)d questions retired.", done.changed),
    }[act]
    if act == "review" and done.left:
        words += " " + ngettext(
            "%(num)d was left: reviewed already, or written by you.",
            "%(num)d were left: reviewed already, or written by you.",
            done.left,
        )
    return words


def _ticked(of: Round) -> list[int]:
    """Ids of what was ticked, or of everything that the filters of the page find."""
    if "everything" in request.form:
        return question_bank.page(db.session(), of, _wanted(request.form)).found_ids
    return [int(typed) for typed in request.form.getlist("question") if typed.isdecimal() and len(typed) < 10]


def _sorting() -> bank_work.Sorting:
    form = request.form
    typed = form.get("difficulty-to", "")
    return bank_work.Sorting(
        topic=form["topic-to"].strip() if form.get("topic-to", "").strip() else None,
        difficulty=int(typed) if typed.isdecimal() and len(typed) < 4 else None,
        add_tags=_tags(form.get("add-tags", "")),
        drop_tags=_tags(form.get("drop-tags", "")),
    )


def _tags(typed: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, question_forms.tags_of(typed))))


def _retire_page(slug: str, of: Round, ids: list[int], refusal: Refusal | None = None) -> Answer:
    found = bank_work.chosen(db.session(), of, ids)
    return render_template(
        "organizer/retire.html", slug=slug, round=of, questions=found, form=request.form, **refused(refusal)
    ), status(refusal)


def _act(question_id: int, act: Callable[[], object], done: str, following: int | None = None) -> Answer:
    try:
        act()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        db.session.rollback()
        typed = request.form if request.endpoint == "organizer.revise_question" else None
        return _question_page(question_id, refusal, typed)
    db.session.commit()
    flash(done, "green")
    return redirect(url_for("organizer.question", question_id=following or question_id), 303)
