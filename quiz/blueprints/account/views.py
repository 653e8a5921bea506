from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from quiz import clock
from quiz.errors import PROBLEMS, FieldError, Refusal
from quiz.extensions import db, platform
from quiz.services import accounts, demo, invitations, member_kinds, units
from quiz.services.accounts import Registration
from quiz.sessions import INVITED_BY, enter, leave, safe_next, signed_in_checked

blueprint = Blueprint("account", __name__)

_FIELDS = (
    "province",
    "full_name",
    "phone",
    "birth_year",
    "member_kind",
    "password",
    "consent",
    "old_password",
    "new_password",
)

Answer = str | Response | tuple[str, int]


# Registering


@blueprint.get("/register")
def register() -> Answer:
    if current_user.is_authenticated:
        return redirect(url_for("site.home"))
    return _register_page(request.args)


@blueprint.post("/register")
def register_now() -> Answer:
    form = request.form
    if "choose" in form:
        # Without a script the communes come with the next page; what was typed comes back with them.
        return _register_page(form)
    try:
        inviter = invitations.inviter(db.session(), platform().settings.secret_key, session.get(INVITED_BY))
        account = accounts.register(db.session(), _registration(form), clock.now(), invited_by=inviter)
    except Refusal as refusal:
        return _register_page(form, refusal), PROBLEMS[refusal.code].status
    enter(account)
    flash(_("Welcome, %(name)s. Your account is ready.", name=account.full_name), "green")
    return redirect(safe_next(form.get("next")) or url_for("site.home"), 303)


def _registration(form: Any) -> Registration:
    year = form.get("birth_year", "").strip()
    return Registration(
        phone=form.get("phone", ""),
        password=form.get("password", ""),
        full_name=form.get("full_name", ""),
        unit_code=_chosen_unit(form),
        birth_year=int(year) if year.isdecimal() else (-1 if year else None),
        consent=form.get("consent") == "yes",
        member_kind=form.get("member_kind") or None,
    )


def _chosen_unit(form: Any) -> str:
    """The commune if one was chosen; a union is its own; a province alone only when the person says so."""
    province, commune = form.get("province", ""), form.get("commune", "")
    if commune == "unknown":
        return str(province)
    return str(commune or (province if province.isalpha() else ""))


def _register_page(form: Any, refusal: Refusal | None = None) -> str:
    province = form.get("province", "")
    tables = db.session()
    return render_template(
        "account/register.html",
        form=form,
        problem=PROBLEMS[refusal.code] if refusal else None,
        errors=_messages(refusal),
        first_level=units.children(tables),
        communes=units.children(tables, province) if _is_province(province) else [],
        next=safe_next(form.get("next")),
        kinds=member_kinds.KINDS,
    )


def _is_province(code: str) -> bool:
    return len(code) == 2 and code.isdecimal()


def _messages(refusal: Refusal | None) -> dict[str, Any]:
    """Field → what is wrong with it, under the names of the page's inputs."""
    if refusal is None:
        return {}
    errors = refusal.errors
    if refusal.code == "phone_taken":
        errors = (FieldError("phone", PROBLEMS["phone_taken"].detail),)
    messages = {"province" if error.field == "unit_code" else error.field: error.message for error in errors}
    return {name: messages[name] for name in sorted(messages, key=_place)}


def _place(name: str) -> int:
    """Where on the page: what is wrong is named from the top down."""
    return _FIELDS.index(name) if name in _FIELDS else len(_FIELDS)


# Signing in and out


@blueprint.get("/sign-in")
def sign_in() -> Answer:
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")) or url_for("site.home"))
    return _sign_in_page(request.args)


@blueprint.post("/sign-in")
def sign_in_now() -> Answer:
    form = request.form
    try:
        account = accounts.sign_in(db.session(), platform().cache, form.get("phone", ""), form.get("password", ""))
    except Refusal as refusal:
        return _sign_in_page(form, refusal), PROBLEMS[refusal.code].status
    if account.role != "participant":
        # Staff have their own door, with a second factor behind it.
        flash(_("Sign in here as one of the staff."), "info")
        return redirect(url_for("organizer.sign_in"), 303)
    enter(account)
    return redirect(safe_next(form.get("next")) or url_for("site.home"), 303)


def _sign_in_page(form: Any, refusal: Refusal | None = None) -> str:
    return render_template(
        "account/sign_in.html",
        form=form,
        problem=PROBLEMS[refusal.code] if refusal else None,
        next=safe_next(form.get("next")),
        logins=demo.demo_logins(db.session(), platform().settings),
    )


@blueprint.post("/sign-out")
def sign_out() -> Response:
    leave()
    flash(_("You are signed out."), "green")
    return redirect(url_for("site.home"), 303)


# The own account


@blueprint.get("/account")
@signed_in_checked
def profile() -> str:
    return _profile_page()


@blueprint.post("/account/password")
@signed_in_checked
def change_password() -> Answer:
    held, form = platform(), request.form
    try:
        account = accounts.change_password(
            db.session(),
            held.cache,
            held.gateway.client,
            held.season.get(),
            current_user.id,
            form.get("old_password", ""),
            form.get("new_password", ""),
        )
    except Refusal as refusal:
        return _profile_page(refusal), PROBLEMS[refusal.code].status
    enter(account)
    flash(_("Your password is changed. Other phones and computers are signed out."), "green")
    return redirect(url_for("account.profile"), 303)


@blueprint.post("/account/kind")
@signed_in_checked
def change_kind() -> Answer:
    try:
        accounts.change_member_kind(db.session(), current_user.id, request.form.get("member_kind") or None)
    except Refusal as refusal:
        return _profile_page(refusal), PROBLEMS[refusal.code].status
    flash(_("Kept."), "green")
    return redirect(url_for("account.profile"), 303)


@blueprint.post("/account/sign-out-everywhere")
@signed_in_checked
def sign_out_everywhere() -> Response:
    held = platform()
    accounts.sign_out_everywhere(db.session(), held.gateway.client, held.season.get(), current_user.id)
    leave()
    flash(_("You are signed out on all phones and computers."), "green")
    return redirect(url_for("site.home"), 303)


def _profile_page(refusal: Refusal | None = None) -> str:
    person = accounts.profile(db.session(), current_user.id)
    return render_template(
        "account/profile.html",
        person=person,
        kinds=member_kinds.KINDS,
        problem=PROBLEMS[refusal.code] if refusal else None,
        errors=_messages(refusal),
    )
