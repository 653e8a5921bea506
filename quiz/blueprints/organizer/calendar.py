"""The calendar: contests, rounds planned and moved in one act, and the human steps of a round."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake import work
from quiz.models import Contest, Round
from quiz.services import appeals, question_bank, season, signals
from quiz.services.season import TEMPLATES, Move
from quiz.services.season.calendar import Window

FINALIZE = "finalize_round"
MOST_ROUNDS = 9_999


def contest_of(slug: str) -> Contest:
    found = db.session.scalar(select(Contest).where(Contest.slug == slug))
    if found is None:
        raise Refusal("not_found")
    return found


def round_of(contest: Contest, number: int) -> Round:
    found = None
    if number <= MOST_ROUNDS:
        found = db.session.scalar(select(Round).where(Round.contest_id == contest.id, Round.number == number))
    if found is None:
        raise Refusal("unknown_round")
    return found


def invalid(field: str, message: str) -> Refusal:
    return Refusal("invalid_request", errors=(FieldError(field, message),))


# Contests


@blueprint.get("/calendar")
def calendar() -> Response:
    """The current contest's rounds, or all contests if none is current."""
    slug = db.session.scalar(select(Contest.slug).where(Contest.is_current))
    return redirect(url_for("organizer.contest", slug=slug) if slug else url_for("organizer.contests"))


@blueprint.get("/contests")
def contests() -> str:
    made = db.session.scalars(select(Contest).order_by(Contest.id.desc())).all()
    return render_template("organizer/contests.html", contests=made, now=clock.now())


@blueprint.get("/contests/new")
def new_contest() -> Answer:
    return _new_contest_page()


def _new_contest_page(refusal: Refusal | None = None) -> Answer:
    return render_template(
        "organizer/new_contest.html", form=request.form, templates=TEMPLATES, **refused(refusal)
    ), status(refusal)


@blueprint.post("/contests/new")
def create_contest() -> Answer:
    form, session = request.form, db.session()
    slug = form.get("slug", "").strip()
    try:
        if form.get("template") not in TEMPLATES:
            raise invalid("template", _("Choose the rules to begin with."))
        season.make_contest(
            session,
            slug,
            form.get("title", ""),
            clock.now(),
            staff_session.required().id,
            current=form.get("current") == "yes",
            template=form["template"],
        )
    except Refusal as refusal:
        session.rollback()
        return _new_contest_page(refusal)
    session.commit()
    publish_season()
    flash(_("The contest is there. Plan its rounds now."), "green")
    return redirect(url_for("organizer.plan", slug=slug, template=form["template"]), 303)


@blueprint.get("/contests/<slug>")
def contest(slug: str) -> str:
    found = contest_of(slug)
    others = db.session.scalars(select(Contest).where(Contest.id != found.id).order_by(Contest.id.desc())).all()
    return render_template(
        "organizer/contest.html",
        contest=found,
        others=others,
        now=clock.now(),
        signals=signals.open_count(db.session()),
        appeals=appeals.waiting_counts(db.session(), clock.now()),
    )


def publish_season() -> None:
    """After the commit: web processes learn of it within a second."""
    season.publish(db.session(), platform().gateway.client)
    db.session.commit()


# Planning rounds


@blueprint.get("/contests/<slug>/plan")
def plan(slug: str) -> Answer:
    return _plan_page(contest_of(slug))


def _plan_page(made: Contest, windows: list[Window] | None = None, refusal: Refusal | None = None) -> Answer:
    template = TEMPLATES.get(request.values.get("template", ""))
    return render_template(
        "organizer/plan.html",
        contest=made,
        form=request.values,
        template=template,
        templates=TEMPLATES,
        windows=windows,
        days=request.values.getlist("days"),
        start=_next_start(made),
        **refused(refusal),
    ), status(refusal)


def _next_start(made: Contest) -> str:
    """The day after the last round, or next week."""
    last = max((each.closes_at for each in made.rounds), default=clock.now() + timedelta(days=7))
    return max(last, clock.now()).astimezone(clock.CONTEST_ZONE).date().isoformat()


@blueprint.post("/contests/<slug>/plan")
def plan_now(slug: str) -> Answer:
    made, form, session = contest_of(slug), request.form, db.session()
    themes = form.get("themes", "").splitlines()
    windows: list[Window] | None = None
    try:
        windows = _planned()
        rules = season.rules_of_template(session, made, form.get("template", ""))
        hours = open_hours()
        if hours is not None:
            season.daily_windows(windows[0], *hours)
        if "create" not in form:
            return _plan_page(made, windows)
        actor = staff_session.required().id
        rounds = season.add_rounds(session, made, windows, themes, rules, clock.now(), actor, open_hours=hours)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _plan_page(contest_of(slug), windows, refusal)
    flash(
        ngettext("%(num)d round is planned as a draft.", "%(num)d rounds are planned as drafts.", len(rounds)), "green"
    )
    return redirect(url_for("organizer.contest", slug=slug), 303)


def _planned() -> list[Window]:
    form = request.form
    try:
        day = datetime.strptime(form.get("start", ""), "%Y-%m-%d").replace(tzinfo=clock.CONTEST_ZONE)
    except ValueError as error:
        raise invalid("start", _("Choose the day from which on to plan.")) from error
    numbers = {name: form.get(name, "") for name in ("weekday", "hour", "hours", "count", "every")}
    for name, typed in numbers.items():
        if not _is_number(typed):
            raise invalid(name, _("Enter a whole number."))
    weekday, hour = int(numbers["weekday"]), int(numbers["hour"])
    if weekday > 6 or hour > 23:
        raise invalid("hour", _("Choose an hour from 0 to 23."))
    length, every = timedelta(hours=int(numbers["hours"])), int(numbers["every"])
    return season.plan(day, weekday, hour, int(numbers["count"]), length=length, every_days=every)


def open_hours() -> tuple[frozenset[int], int, int] | None:
    """Weekdays and hours inside the rounds, if they are not open all through."""
    form = request.form
    if form.get("hours_kind") != "some":
        return None
    days = frozenset(int(typed) for typed in form.getlist("days") if typed in set("0123456"))
    hours = (form.get("from_hour", ""), form.get("to_hour", ""))
    if not all(_is_number(typed) for typed in hours):
        raise invalid("from_hour", _("Enter a whole number."))
    return days, int(hours[0]), int(hours[1])


def _is_number(typed: str) -> bool:
    """A whole number that fits every column it may go into."""
    return typed.isascii() and typed.isdecimal() and len(typed) <= len(str(MOST_ROUNDS))


# Moving


@blueprint.get("/contests/<slug>/move")
def move(slug: str) -> Answer:
    return _move_page(contest_of(slug))


def _move_page(made: Contest, moves: list[Move] | None = None, refusal: Refusal | None = None) -> Answer:
    return render_template(
        "organizer/move.html", contest=made, form=request.values, moves=moves, now=clock.now(), **refused(refusal)
    ), status(refusal)


@blueprint.post("/contests/<slug>/move")
def move_now(slug: str) -> Answer:
    made, form, session = contest_of(slug), request.form, db.session()
    moves: list[Move] | None = None
    try:
        first, last, by = _move_asked()
        moves = season.preview_move(session, made, first, by, clock.now(), last=last)
        if "go" not in form:
            return _move_page(made, moves)
        if form.get("confirm", "").strip() != made.slug:
            raise invalid("confirm", _("Type the contest's short name, %(slug)s, to confirm.", slug=made.slug))
        title, body = form.get("title", "").strip(), form.get("body", "").strip()
        if not title:
            raise invalid("title", _("Write the title of the notice that everybody reads."))
        done = season.move(
            session,
            made,
            first,
            by,
            clock.now(),
            actor_id=staff_session.required().id,
            reason=form.get("reason", ""),
            notice=(title, body),
            last=last,
        )
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _move_page(contest_of(slug), moves, refusal)
    except IntegrityError:
        # Somebody planned into the free time meanwhile; the table has the last word.
        session.rollback()
        return _move_page(contest_of(slug), None, invalid("by", _("Rounds would overlap. Look at the calendar again.")))
    season.copy_move(session, platform().gateway, done)
    session.commit()
    flash(
        ngettext("%(num)d round moved; one notice is out.", "%(num)d rounds moved; one notice is out.", len(done)),
        "green",
    )
    return redirect(url_for("organizer.contest", slug=slug), 303)


def _move_asked() -> tuple[int, int | None, timedelta]:
    form = request.form
    first, days, hours = form.get("first", ""), form.get("days", ""), form.get("hours", "0") or "0"
    if not _is_number(first):
        raise invalid("first", _("Choose the round to begin with."))
    for name, typed in (("days", days or "0"), ("hours", hours)):
        if not _is_number(typed.removeprefix("-")):
            raise invalid(name, _("Enter a whole number; with a minus for earlier."))
    last = int(first) if form.get("which") == "one" else None
    return int(first), last, timedelta(days=int(days or "0"), hours=int(hours))


# One round


@blueprint.get("/contests/<slug>/rounds/<int:number>")
def round_page(slug: str, number: int) -> Answer:
    return _round_page(slug, number)


def _round_page(slug: str, number: int, refusal: Refusal | None = None) -> Answer:
    made, session, now = contest_of(slug), db.session(), clock.now()
    shown = round_of(made, number)
    return render_template(
        "organizer/round.html",
        contest=made,
        round=shown,
        phase=shown.phase(now).value,
        questions=season.question_count(session, shown.id),
        fixed=season.fixed_parts(shown, now),
        progress=work.progress_of(platform().queue, FINALIZE, shown.id),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/contests/<slug>/rounds/<int:number>")
def change_round(slug: str, number: int) -> Answer:
    session, form = db.session(), request.form
    changed = round_of(contest_of(slug), number)
    try:
        window = _window() if form.get("opens_at") else None
        season.change_round(session, changed, form.get("theme", ""), window, clock.now(), staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _round_page(slug, number, refusal)
    publish_season()
    flash(_("Kept."), "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)


def _window() -> Window:
    try:
        opens, closes = (
            datetime.strptime(request.form.get(name, ""), "%Y-%m-%dT%H:%M").replace(tzinfo=clock.CONTEST_ZONE)
            for name in ("opens_at", "closes_at")
        )
    except ValueError as error:
        raise invalid("opens_at", _("Give both times as a day and an hour.")) from error
    return opens, closes


@blueprint.post("/contests/<slug>/rounds/<int:number>/freeze")
def freeze(slug: str, number: int) -> Answer:
    session, frozen = db.session(), round_of(contest_of(slug), number)
    try:
        question_bank.freeze(session, frozen, clock.now(), actor_id=staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _round_page(slug, number, _said(refusal, _("Papers have been drawn: the bank can't change any more.")))
    prime(frozen)
    flash(_("The bank is frozen: the order of questions and options is drawn, the key is kept apart."), "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)


@blueprint.post("/contests/<slug>/rounds/<int:number>/schedule")
def schedule(slug: str, number: int) -> Answer:
    session, scheduled, now = db.session(), round_of(contest_of(slug), number), clock.now()
    try:
        if scheduled.scheduled_at is None and scheduled.opens_at <= now:
            raise invalid("opens_at", _("The round would open in the past. Change its times first."))
        season.schedule_round(session, scheduled, now, actor_id=staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _round_page(slug, number, refusal)
    prime(scheduled)
    flash(_("Scheduled: it opens and closes by the clock."), "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)


def prime(made: Round) -> None:
    """After the commit: the season to all processes, and a scheduled round's shards their windows and bars."""
    session, held = db.session(), platform()
    publish_season()
    if made.scheduled_at is not None:
        card = next(card for contest in season.contest_cards(session) for card in contest.rounds if card.id == made.id)
        season.prime_round(session, held.gateway.client, card, clock.now(), issuer=held.settings.issuer)
        session.commit()


def _said(refusal: Refusal, words: str) -> Refusal:
    """A bare "forbidden" of the service in words about the round."""
    return invalid("bank", words) if refusal.code == "forbidden" else refusal


@blueprint.post("/contests/<slug>/rounds/<int:number>/finalize")
def finalize(slug: str, number: int) -> Answer:
    """Ask for it; a worker does it when nothing stands against it, and the page shows how it went."""
    made, now = round_of(contest_of(slug), number), clock.now()
    if made.scheduled_at is None or now < made.closes_at:
        return _round_page(slug, number, invalid("finalize", _("The round has not closed yet.")))
    if made.finalized_at is None:
        asked = work.Work(FINALIZE, made.id, staff_session.required().id)
        work.ask(platform().queue, asked, clock.to_ms(now))
    return redirect(url_for("organizer.round_page", slug=slug, number=number) + "#final", 303)


@blueprint.post("/contests/<slug>/rounds/<int:number>/publish")
def publish(slug: str, number: int) -> Answer:
    session, made = db.session(), round_of(contest_of(slug), number)
    try:
        season.publish_round(session, made, clock.now(), staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _round_page(slug, number, refusal)
    publish_season()
    flash(_("Published."), "green")
    return redirect(url_for("organizer.round_page", slug=slug, number=number), 303)
