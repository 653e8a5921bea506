"""Signals: what looks odd, with its evidence; a person dismisses it or acts on it, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import LARGEST, Answer, blueprint, number_asked, refused, status
from quiz.blueprints.organizer.calendar import contest_of, round_of
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake import work
from quiz.models import Contest, Round
from quiz.models.signal import KINDS
from quiz.services import audit
from quiz.services import signals as service

SEARCH = "find_signals"
_PARTS = 3


@blueprint.get("/signals")
def signals() -> Answer:
    return _page()


def _page(refusal: Refusal | None = None) -> Answer:
    session, asked = db.session(), request.args
    shown = _round_asked()
    state = asked.get("state", "open")
    wanted = service.Wanted(
        round_id=shown.id if shown else None,
        kind=asked.get("kind") if asked.get("kind") in KINDS else None,
        state=state if state in service.STATES else None,
        before=_before(),
    )
    filters = {name: value for name, value in asked.items() if name != "before" and value}
    return render_template(
        "organizer/signals.html",
        page=service.page(session, wanted),
        wanted=wanted,
        filters=filters,
        kinds=KINDS,
        rounds=_rounds(),
        round=shown,
        scan=service.scan_of(session, shown.id) if shown else None,
        progress=work.progress_of(platform().queue, SEARCH, shown.id) if shown else None,
        over=shown is not None and shown.scheduled_at is not None and shown.opens_at <= clock.now(),
        form=request.form,
        **refused(refusal),
    ), status(refusal)


def _round_asked() -> Round | None:
    number = number_asked("round")
    return db.session().get(Round, number) if number is not None and number < 2**31 else None


def _before() -> tuple[int, int] | None:
    """ "strength-id", as the link to the next page has it."""
    strength, _dash, last = request.args.get("before", "").partition("-")
    if not (strength.isascii() and strength.isdecimal() and last.isascii() and last.isdecimal()):
        return None
    return min(int(strength[:9]), 100), min(int(last[:18]), LARGEST)


def _rounds() -> list[Round]:
    """Rounds of the current contest that have begun, the last one first: what the filter offers."""
    statement = select(Round).join(Contest).where(Contest.is_current, Round.scheduled_at.is_not(None))
    return list(db.session.scalars(statement.where(Round.opens_at <= clock.now()).order_by(Round.number.desc())))


@blueprint.post("/signals/dismiss")
def dismiss_signals() -> Answer:
    session, form = db.session(), request.form
    ticked = [int(typed) for typed in form.getlist("signals") if typed.isascii() and typed.isdecimal()][: service.PAGE]
    try:
        count = service.dismiss(session, ticked, form.get("reason", ""), clock.now(), staff_session.required().id)
        session.commit()
    except Refusal as refusal:
        session.rollback()
        return _page(refusal)
    flash(ngettext("%(num)d signal dismissed.", "%(num)d signals dismissed.", count), "green")
    return redirect(url_for("organizer.signals", **_asked()), 303)


def _asked() -> dict[str, Any]:
    """The filters of the address, to come back to the same list."""
    return {name: value for name, value in request.args.items() if name in ("round", "kind", "state")}


@blueprint.post("/contests/<slug>/rounds/<int:number>/signals")
def find_signals(slug: str, number: int) -> Answer:
    """Ask for another look at a round; a worker does it."""
    session, now = db.session(), clock.now()
    searched = round_of(contest_of(slug), number)
    if searched.scheduled_at is None or now < searched.opens_at:
        raise Refusal("invalid_request", errors=(FieldError("round", _("The round has not opened yet.")),))
    actor = staff_session.required().id
    audit.append(session, now, actor, "signals.asked", f"round:{searched.id}")
    round_id = searched.id
    session.commit()
    work.ask(platform().queue, work.Work(SEARCH, round_id, actor), clock.to_ms(now))
    return redirect(url_for("organizer.signals", round=round_id), 303)


@blueprint.get("/signals/<int:signal_id>")
def signal(signal_id: int) -> Answer:
    return _case_page(signal_id)


def _case_page(signal_id: int, refusal: Refusal | None = None) -> Answer:
    case = service.case(db.session(), signal_id)
    return render_template(
        "organizer/signal.html", case=case, evidence=case.signal.evidence, form=request.form, **refused(refusal)
    ), status(refusal)


@blueprint.post("/signals/<int:signal_id>/dismiss")
def dismiss_signal(signal_id: int) -> Answer:
    service.case(db.session(), signal_id)
    actor, reason = staff_session.required().id, request.form.get("reason", "")
    return _act(
        signal_id,
        lambda: service.dismiss(db.session(), [signal_id], reason, clock.now(), actor),
        _("Dismissed. Nothing else is done."),
    )


@blueprint.post("/signals/<int:signal_id>/exclude")
def exclude_of_signal(signal_id: int) -> Answer:
    actor, reason, entries = staff_session.required().id, request.form.get("reason", ""), _entries()
    return _act(
        signal_id,
        lambda: service.exclude(db.session(), signal_id, entries, reason, clock.now(), actor),
        _("The entries leave the count; scores, ranks and boards follow within moments."),
    )


@blueprint.post("/signals/<int:signal_id>/bar")
def bar_of_signal(signal_id: int) -> Answer:
    held, member = platform(), staff_session.required()
    participant = request.form.get("participant", -1, int)
    return _act(
        signal_id,
        lambda: service.bar(
            db.session(),
            held.gateway.client,
            held.season.get(),
            member,
            signal_id,
            participant,
            request.form.get("reason", ""),
            clock.now(),
        ),
        _("Barred. This account can start no more papers."),
    )


def _entries() -> list[tuple[int, int, int]]:
    """What was ticked, as "participant.issuer.attempt"; anything else is nothing."""
    named = (typed.split(".") for typed in request.form.getlist("entries"))
    whole = (parts for parts in named if len(parts) == _PARTS and all(part.isdecimal() for part in parts))
    return [(int(parts[0]), int(parts[1]), int(parts[2])) for parts in whole]


def _act(signal_id: int, act: Callable[[], object], done: str) -> Answer:
    session = db.session()
    try:
        act()
        session.commit()
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        session.rollback()
        return _case_page(signal_id, refusal)
    flash(done, "green")
    return redirect(url_for("organizer.signal", signal_id=signal_id), 303)
