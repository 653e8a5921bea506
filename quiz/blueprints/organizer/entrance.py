"""The way in: password, then the second factor; the first time it is set up with a picture for the app."""

from __future__ import annotations

import segno
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from quiz import clock, staff_session
from quiz.blueprints.organizer.blueprint import Answer, blueprint, refused, status
from quiz.errors import Refusal
from quiz.extensions import db, platform
from quiz.models import User
from quiz.services import accounts, demo, second_factor, staff
from quiz.services.accounts import Account
from quiz.sessions import leave, safe_next


@blueprint.get("/")
def home() -> Response:
    """Everybody's first page: the first line of the own rail."""
    member = staff_session.required()
    return redirect(url_for("organizer.people" if member.role == "officer" else "organizer.calendar"))


@blueprint.get("/sign-in")
def sign_in() -> Answer:
    if staff_session.current() is not None:
        return redirect(_target())
    return _sign_in_page()


@blueprint.post("/sign-in")
def sign_in_now() -> Answer:
    form, held = request.form, platform()
    try:
        account = accounts.sign_in(db.session(), held.cache, form.get("phone", ""), form.get("password", ""))
        if account.role not in staff.ROLES:
            # The same words as for a wrong password: this page tells nobody who is of the staff.
            raise Refusal("wrong_credentials")
    except Refusal as refusal:
        return _sign_in_page(refusal), status(refusal)
    staff_session.password_was_right(account)
    session, now = db.session(), clock.now()
    if not second_factor.is_set_up(session, account.id):
        if not second_factor.is_demo(held.settings, session.get_one(User, account.id)):
            return redirect(url_for("organizer.set_up", next=_next()), 303)
        second_factor.enrol_demo(session, _keys(), account.id, now)
    return redirect(url_for("organizer.second_factor", next=_next()), 303)


def _sign_in_page(refusal: Refusal | None = None) -> str:
    logins = [each for each in demo.demo_logins(db.session(), platform().settings) if each.role in staff.ROLES]
    return render_template("organizer/sign_in.html", form=request.form, next=_next(), logins=logins, **refused(refusal))


@blueprint.get("/second-factor/set-up")
def set_up() -> Answer:
    return _set_up_page()


def _set_up_page(refusal: Refusal | None = None) -> Answer:
    user_id = staff_session.pending()
    if user_id is None:
        return redirect(url_for("organizer.sign_in"), 303)
    session = db.session()
    if second_factor.is_set_up(session, user_id):
        return redirect(url_for("organizer.second_factor", next=_next()), 303)
    name = session.get_one(User, user_id).full_name
    enrolment = second_factor.begin(session, _keys(), user_id, name, clock.now())
    picture = segno.make(enrolment.uri, error="m").svg_inline(light="#fff", border=3, omitsize=True)
    return render_template(
        "organizer/set_up.html", picture=picture, secret=enrolment.secret, next=_next(), **refused(refusal)
    ), status(refusal)


@blueprint.post("/second-factor/set-up")
def set_up_now() -> Answer:
    user_id = staff_session.pending()
    if user_id is None:
        return redirect(url_for("organizer.sign_in"), 303)
    try:
        codes = second_factor.confirm(
            db.session(), _keys(), platform().cache, user_id, request.form.get("code", ""), clock.now()
        )
    except Refusal as refusal:
        return _set_up_page(refusal)
    if not _open(user_id):
        return redirect(url_for("organizer.sign_in"), 303)
    return render_template("organizer/recovery_codes.html", codes=codes, next=_target())


@blueprint.get("/second-factor", endpoint="second_factor")
def second_factor_page() -> Answer:
    return _second_factor_page()


@blueprint.post("/second-factor")
def second_factor_now() -> Answer:
    user_id = staff_session.pending()
    if user_id is None:
        return redirect(url_for("organizer.sign_in"), 303)
    session = db.session()
    try:
        second_factor.check(session, _keys(), platform().cache, user_id, request.form.get("code", ""), clock.now())
    except Refusal as refusal:
        return _second_factor_page(refusal)
    if not _open(user_id):
        return redirect(url_for("organizer.sign_in"), 303)
    left = second_factor.codes_left(session, user_id)
    if 0 < left <= 3:
        flash(_("%(count)s recovery codes are left. Ask an administrator to set your app up anew.", count=left), "gold")
    return redirect(_target(), 303)


def _second_factor_page(refusal: Refusal | None = None) -> Answer:
    user_id = staff_session.pending()
    if user_id is None:
        return redirect(url_for("organizer.sign_in"), 303)
    user = db.session().get_one(User, user_id)
    shown = second_factor.demo_code(clock.now()) if second_factor.is_demo(platform().settings, user) else None
    return render_template("organizer/second_factor.html", demo_code=shown, next=_next(), **refused(refusal)), status(
        refusal
    )


@blueprint.post("/sign-out")
def sign_out() -> Response:
    leave()
    flash(_("You are signed out."), "green")
    return redirect(url_for("organizer.sign_in"), 303)


def _open(user_id: int) -> bool:
    return staff_session.second_factor_was_right(Account.of(db.session().get_one(User, user_id)))


def _keys() -> second_factor.Keys:
    return second_factor.Keys(platform().settings)


def _next() -> str | None:
    return safe_next(request.values.get("next"))


def _target() -> str:
    return _next() or url_for("organizer.home")
