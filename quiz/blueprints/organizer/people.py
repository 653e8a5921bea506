"""Users: finding people, and what organizers and administrators do to an account."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, number_asked, refused, status
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.services import people as service
from quiz.services import units


@blueprint.get("/users")
def people() -> str:
    asker = staff_session.required()
    group = request.args.get("group", "all")
    group = group if group in service.GROUPS and asker.unit_id is None else "all"
    words = request.args.get("q", "")
    session, code = db.session(), request.args.get("unit", "")
    unit = units.get(session, code) if code else None
    before, unit_id = number_asked("before"), unit.id if unit else None
    page = service.search(session, asker, words, group, before, unit_id=unit_id)
    return render_template("organizer/people.html", page=page, words=words, group=group, unit=unit)


@blueprint.get("/users/<int:user_id>")
def person(user_id: int) -> Answer:
    return _person_page(user_id)


def _person_page(user_id: int, refusal: Refusal | None = None) -> Answer:
    asker = staff_session.required()
    shown = service.person(db.session(), asker, user_id)
    may_act = asker.unit_id is None and shown.id != asker.id
    may_act = may_act and (shown.role == "participant" or asker.role == "administrator")
    gives_roles = may_act and asker.role == "administrator" and shown.role != "participant"
    return render_template(
        "organizer/person.html",
        person=shown,
        may_act=may_act,
        gives_roles=gives_roles,
        first_level=units.children(db.session()) if gives_roles else [],
        form=request.form,
        **refused(refusal),
    ), status(refusal)


@blueprint.post("/users/<int:user_id>/bar")
def bar(user_id: int) -> Answer:
    return _act(service.bar, user_id, _("Barred. This account can start no more papers."))


@blueprint.post("/users/<int:user_id>/unbar")
def unbar(user_id: int) -> Answer:
    return _act(service.unbar, user_id, _("This account can take part again."))


@blueprint.post("/users/<int:user_id>/sign-out")
def end_sessions(user_id: int) -> Answer:
    return _act(service.end_sessions, user_id, _("Signed out on all phones and computers."))


@blueprint.post("/users/<int:user_id>/second-factor")
def reset_second_factor(user_id: int) -> Answer:
    return _act(service.reset_second_factor, user_id, _("The second factor is set up anew at the next sign-in."))


@blueprint.post("/users/<int:user_id>/role")
def change_role(user_id: int) -> Answer:
    form = request.form
    try:
        service.change_role(
            db.session(),
            staff_session.required(),
            user_id,
            form.get("role", ""),
            form.get("commune", "").strip() or form.get("unit_code", ""),
            form.get("reason", ""),
            clock.now(),
        )
    except Refusal as refusal:
        if refusal.code not in ("invalid_request", "unknown_unit"):
            raise
        db.session.rollback()
        return _person_page(user_id, refusal)
    flash(_("Changed. It is true from their next click on."), "green")
    return redirect(url_for("organizer.person", user_id=user_id), 303)


def _act(act: Callable[..., None], user_id: int, done: str) -> Answer:
    held = platform()
    reason = request.form.get("reason", "")
    try:
        act(
            db.session(),
            held.gateway.client,
            held.season.get(),
            staff_session.required(),
            user_id,
            reason,
            clock.now(),
        )
    except Refusal as refusal:
        if refusal.code != "invalid_request":
            raise
        db.session.rollback()
        return _person_page(user_id, refusal)
    flash(done, "green")
    return redirect(url_for("organizer.person", user_id=user_id), 303)


@blueprint.get("/users/new")
def new_staff() -> Answer:
    return _new_page()


def _new_page(refusal: Refusal | None = None) -> Answer:
    session = db.session()
    return render_template(
        "organizer/new_staff.html", form=request.form, first_level=units.children(session), **refused(refusal)
    ), status(refusal)


@blueprint.post("/users/new")
def create_staff() -> Answer:
    form = request.form
    try:
        user_id = service.create_staff(
            db.session(),
            staff_session.required(),
            form.get("phone", ""),
            form.get("full_name", ""),
            form.get("role", ""),
            form.get("commune", "").strip() or form.get("unit_code", ""),
            form.get("password", ""),
            clock.now(),
        )
    except Refusal as refusal:
        db.session.rollback()
        return _new_page(refusal)
    flash(_("The account is ready. At the first sign-in it sets up its second factor."), "green")
    return redirect(url_for("organizer.person", user_id=user_id), 303)
