"""Prizes of the rounds: lists made, checked, announced and paid; places that change hands; lots; members of units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, number_asked, refused, status
from quiz.blueprints.organizer.calendar import contest_of, round_of
from quiz.clock import CONTEST_ZONE
from quiz.errors import FieldError, Refusal
from quiz.extensions import db, platform
from quiz.intake import work
from quiz.models import Award, AwardList, Contest, Lot, Round
from quiz.services import audit
from quiz.services.awards import lists, lots, members, payout, places, reading

MAKE, SETTLE = "make_awards", "settle_disqualification"
_Row = TypeVar("_Row", AwardList, Award, Lot)
_ROUND = "/contests/<slug>/rounds/<int:number>/awards"


@blueprint.get("/awards")
def awards_home() -> Answer:
    """The current contest's prizes, or all contests if none is current."""
    slug = db.session.scalar(select(Contest.slug).where(Contest.is_current))
    return redirect(url_for("organizer.awards", slug=slug) if slug else url_for("organizer.contests"))


@blueprint.get("/contests/<slug>/awards")
def awards(slug: str) -> str:
    contest, session = contest_of(slug), db.session()
    return render_template(
        "organizer/awards.html",
        contest=contest,
        rounds=reading.overview(session, contest.id),
        counted=members.counted(session),
        now=clock.now(),
    )


@blueprint.get(_ROUND)
def award_list(slug: str, number: int) -> Answer:
    return _page(slug, number)


def _page(slug: str, number: int, refusal: Refusal | None = None) -> Answer:
    session, contest = db.session(), contest_of(slug)
    awarded = round_of(contest, number)
    versions, wanted = lists.versions(session, awarded.id), number_asked("version")
    made = next((each for each in versions if each.version == wanted), versions[0] if versions else None)
    held = reading.places(session, made, decisions=True) if made else []
    doubt = made.doubt if made else None
    return render_template(
        "organizer/award_list.html",
        contest=contest,
        round=awarded,
        phase=awarded.phase(clock.now()).value,
        made=made,
        versions=versions,
        newest=bool(versions) and made is versions[0],
        prizes=reading.titles(made.rules if made else awarded.rules),
        places=held,
        history=reading.history(session, made) if made else [],
        passed=reading.passed_over(session, made) if made else [],
        following=reading.next_in_line(session, made) if made else [],
        doubt=doubt,
        names=reading.names(session, [who for each in (doubt or {}).get("places", []) for who in _both(each)]),
        people=_accounts(made),
        form=request.form,
        today=clock.now().astimezone(CONTEST_ZONE).date(),
        **refused(refusal),
    ), status(refusal)


def _both(change: dict[str, list[object] | None]) -> tuple[list[object] | None, list[object] | None]:
    return change["before"], change["after"]


def _accounts(made: AwardList | None) -> dict[int, str]:
    """Names of the staff whose acts the page tells of."""
    if made is None:
        return {}
    who = {made.made_by, made.checked_by, made.announced_by}
    for award in made.awards:
        who |= {award.offered_by, award.accepted_by, award.ended_by, award.lifted_by, award.paid_by}
    for lot in made.lots:
        who |= {lot.published_by, lot.drawn_by}
    return dict(reading.names(db.session(), [["person", each] for each in who if each is not None]).people)


# The steps of a list


@blueprint.post(_ROUND)
def make_awards(slug: str, number: int) -> Answer:
    made = round_of(contest_of(slug), number)
    return _act(
        made,
        lambda: lists.begin(db.session(), made, clock.now(), actor_id=_me()),
        _("The winners are being chosen."),
    )


@blueprint.post("/awards/lists/<int:list_id>/check")
def check_awards(list_id: int) -> Answer:
    return _act(
        _list(list_id).round,
        lambda: lists.check(db.session(), list_id, clock.now(), actor_id=_me()),
        _("Checked. It can be announced now."),
    )


@blueprint.post("/awards/lists/<int:list_id>/announce")
def announce_awards(list_id: int) -> Answer:
    typed = request.form.get("typed", "")
    return _act(
        _list(list_id).round,
        lambda: lists.announce(db.session(), list_id, typed, clock.now(), actor_id=_me()),
        _("Announced. The winners see it on their home page."),
    )


@blueprint.post("/awards/lists/<int:list_id>/keep")
def keep_awards(list_id: int) -> Answer:
    reason = request.form.get("reason", "")
    return _act(
        _list(list_id).round,
        lambda: lists.keep(db.session(), list_id, reason, clock.now(), actor_id=_me()),
        _("The list stays as it is."),
    )


@blueprint.post("/awards/lists/<int:list_id>/pay")
def pay_awards(list_id: int) -> Answer:
    form = request.form
    chosen = {int(each) for each in form.getlist("award") if each.isdecimal()}
    return _act(
        _list(list_id).round,
        lambda: lists.pay(
            db.session(),
            list_id,
            chosen,
            _day(form.get("paid_on", "")),
            form.get("reference", ""),
            clock.now(),
            actor_id=_me(),
        ),
        _("The payment is written down."),
    )


@blueprint.get("/awards/lists/<int:list_id>/<name>")
def payout_file(list_id: int, name: str) -> Response:
    """For whoever pays out; numbers of phones for administrators alone. The log says who took it."""
    if name not in payout.MEDIA_TYPES:
        raise Refusal("not_found")
    session, made = db.session(), _list(list_id)
    phones = staff_session.required().role == "administrator"
    content = payout.write(session, made, name, phones=phones)
    detail = {"format": name, "phones": phones}
    audit.append(session, clock.now(), _me(), "awards.exported", f"award_list:{made.id}", detail)
    answer = Response(content, content_type=payout.MEDIA_TYPES[name])
    filename = f"{made.round.contest.slug}-{made.round.number}.{name}"
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    answer.headers["Cache-Control"] = "no-store"
    session.commit()
    return answer


# One place


@blueprint.post("/awards/places/<int:award_id>/disqualify")
def disqualify(award_id: int) -> Answer:
    reason, entries = request.form.get("reason", ""), request.form.get("entries") == "yes"
    made = _award(award_id).award_list.round

    def act() -> AwardList:
        changed = places.disqualify(db.session(), award_id, reason, clock.now(), actor_id=_me())
        if entries:
            _after.append((SETTLE, award_id))
        return changed

    _after: list[tuple[str, int]] = []
    return _act(made, act, _("Disqualified; the reason is kept."), _after)


@blueprint.post("/awards/places/<int:award_id>/accept")
def accept_award(award_id: int) -> Answer:
    return _act(
        _award(award_id).award_list.round,
        lambda: places.accept(db.session(), award_id, clock.now(), actor_id=_me()),
        _("The place is given."),
    )


@blueprint.post("/awards/places/<int:award_id>/reinstate")
def reinstate(award_id: int) -> Answer:
    reason = request.form.get("reason", "")
    return _act(
        _award(award_id).award_list.round,
        lambda: places.reinstate(db.session(), award_id, reason, clock.now(), actor_id=_me()),
        _("The disqualification is taken back."),
        [(SETTLE, award_id)],
    )


@blueprint.post("/awards/places/<int:award_id>/entries")
def exclude_entries(award_id: int) -> Answer:
    """Besides the prize: the entries of who was disqualified leave the count, and ranks and boards with them."""

    def known() -> AwardList:
        award = _award(award_id)
        if award.state != "disqualified" or award.lifted_at is not None or award.person_id is None:
            raise Refusal("invalid_request", errors=(FieldError("award", _("Nobody is disqualified here.")),))
        return award.award_list

    return _act(
        _award(award_id).award_list.round,
        known,
        _("The entries are being taken out of the count."),
        [(SETTLE, award_id)],
    )


# Lots


@blueprint.post("/awards/lots/<int:lot_id>/publish")
def publish_lot(lot_id: int) -> Answer:
    source = request.form.get("seed_source", "")
    return _act(
        _lot(lot_id).award_list.round,
        lambda: lots.publish(db.session(), lot_id, source, clock.now(), actor_id=_me()).award_list,
        _("The list of the lot and its hash are public now."),
    )


@blueprint.post("/awards/lots/<int:lot_id>/draw")
def draw_lot(lot_id: int) -> Answer:
    seed = request.form.get("seed", "")

    def act() -> AwardList:
        session, now = db.session(), clock.now()
        drawn = lots.draw(session, lot_id, seed, now, actor_id=_me())
        return places.after_the_draw(session, drawn, now, actor_id=_me())

    return _act(_lot(lot_id).award_list.round, act, _("Drawn. Anybody can check it on its page."))


# Members of units


@blueprint.get("/units/members")
def unit_members() -> Answer:
    return _members_page()


def _members_page(refusal: Refusal | None = None, bad: members.BadFile | None = None) -> Answer:
    page = render_template(
        "organizer/unit_members.html",
        counted=members.counted(db.session()),
        lines=bad.lines if bad else [],
        **refused(refusal),
    )
    return page, 422 if bad else status(refusal)


@blueprint.post("/units/members")
def take_members() -> Answer:
    file = request.files.get("file")
    try:
        taken = members.take(db.session(), file.read() if file else b"", clock.now(), actor_id=_me())
    except (Refusal, members.BadFile) as problem:
        db.session.rollback()
        return _members_page(problem) if isinstance(problem, Refusal) else _members_page(bad=problem)
    db.session.commit()
    flash(ngettext("%(num)d unit has its number now.", "%(num)d units have their number now.", taken), "green")
    return redirect(url_for("organizer.unit_members"), 303)


# Parts


def _me() -> int:
    return staff_session.required().id


def _list(list_id: int) -> AwardList:
    return _found(db.session.get(AwardList, list_id))


def _award(award_id: int) -> Award:
    return _found(db.session.get(Award, award_id))


def _lot(lot_id: int) -> Lot:
    return _found(db.session.get(Lot, lot_id))


def _found(row: _Row | None) -> _Row:
    if row is None:
        raise Refusal("not_found")
    return row


def _day(typed: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(typed)
    except ValueError:
        return None


def _act(made: Round, act: Callable[[], AwardList], done: str, after: list[tuple[str, int]] | None = None) -> Answer:
    """Do it and commit; then ask the workers for what it leaves to them."""
    slug, number, me = made.contest.slug, made.number, _me()
    try:
        changed = act()
        waits = (MAKE, changed.id) if changed.state == "making" else None
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        db.session.rollback()
        return _page(slug, number, refusal)
    db.session.commit()
    for name, argument in [*(after or []), *([waits] if waits else [])]:
        work.ask(platform().queue, work.Work(name, argument, me), clock.to_ms(clock.now()))
    flash(done, "green")
    return redirect(url_for("organizer.award_list", slug=slug, number=number), 303)
