"""Who may call what: one line for every endpoint of the application, and the guard that holds to it.

An endpoint without a line is refused to everybody, so nothing is open because somebody forgot to close it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from flask import Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from quiz import staff_session
from quiz.errors import Refusal
from quiz.services.formats.safe_zip import MAX_FILE


class Audience(StrEnum):
    EVERYBODY = "everybody"
    """Also without any sign-in."""
    PERSON = "person"
    """Whoever is signed in on the pages, and of their own only: the view sees to it."""
    BEARER = "bearer"
    """Whoever holds a token of the API, and of their own only: the view sees to it."""
    OFFICER = "officer"
    """All of the staff; an officer sees nothing outside the own unit: the view asks services.staff."""
    ORGANIZER = "organizer"
    """Organizers and administrators."""
    ADMINISTRATOR = "administrator"


ROLES: Mapping[Audience, frozenset[str]] = {
    Audience.OFFICER: frozenset({"officer", "organizer", "administrator"}),
    Audience.ORGANIZER: frozenset({"organizer", "administrator"}),
    Audience.ADMINISTRATOR: frozenset({"administrator"}),
}
"""Staff audiences; the guard asks the tables for these, on every request."""

_API = {
    "show": Audience.EVERYBODY,
    "list_units": Audience.EVERYBODY,
    "people_board": Audience.EVERYBODY,
    "unit_board": Audience.EVERYBODY,
    "register": Audience.EVERYBODY,
    "sign_in": Audience.EVERYBODY,
    "hand_in": Audience.EVERYBODY,  # the signed paper says whose it is
    "keep_draft": Audience.EVERYBODY,  # the same
    "step": Audience.EVERYBODY,  # the same
    "start": Audience.BEARER,
    "entry": Audience.BEARER,
    "me": Audience.BEARER,
    "my_entries": Audience.BEARER,
}

AUDIENCES: Mapping[str, Audience] = {
    "asset": Audience.EVERYBODY,
    "favicon": Audience.EVERYBODY,
    "service_worker": Audience.EVERYBODY,
    "static": Audience.EVERYBODY,
    "ops.alive": Audience.EVERYBODY,
    "ops.ready": Audience.EVERYBODY,
    "ops.figures": Audience.EVERYBODY,
    "site.home": Audience.EVERYBODY,
    "site.rounds": Audience.EVERYBODY,
    "site.rules": Audience.EVERYBODY,
    "site.privacy": Audience.EVERYBODY,
    "site.preferences": Audience.EVERYBODY,
    "site.now": Audience.EVERYBODY,
    "site.waiting": Audience.EVERYBODY,
    "site.awards": Audience.EVERYBODY,
    "site.lot": Audience.EVERYBODY,  # only once it is published
    "site.lot_file": Audience.EVERYBODY,  # the same
    "site.lot_script": Audience.EVERYBODY,
    "site.invited": Audience.EVERYBODY,
    "boards.units": Audience.EVERYBODY,
    "boards.people": Audience.EVERYBODY,
    "account.register": Audience.EVERYBODY,
    "account.register_now": Audience.EVERYBODY,
    "account.sign_in": Audience.EVERYBODY,
    "account.sign_in_now": Audience.EVERYBODY,
    "account.sign_out": Audience.EVERYBODY,
    "account.profile": Audience.PERSON,
    "account.change_password": Audience.PERSON,
    "account.change_kind": Audience.PERSON,
    "account.sign_out_everywhere": Audience.PERSON,
    "play.start": Audience.PERSON,
    "play.paper": Audience.EVERYBODY,  # without a paper in the session it leads home
    "play.paper_sent": Audience.EVERYBODY,  # the signed paper says whose it is
    "play.history": Audience.PERSON,
    "play.last": Audience.PERSON,
    "play.entry": Audience.PERSON,
    "play.state": Audience.PERSON,
    "play.appeal": Audience.PERSON,
    "play.appeal_now": Audience.PERSON,
    "api_docs.openapi": Audience.EVERYBODY,
    "api_docs.read": Audience.EVERYBODY,
    **{f"api.{name}": audience for name, audience in _API.items()},
    **{f"contest_api.{name}": audience for name, audience in _API.items()},
    "organizer.sign_in": Audience.EVERYBODY,
    "organizer.sign_in_now": Audience.EVERYBODY,
    "organizer.set_up": Audience.EVERYBODY,  # leads to the sign-in unless the password was right
    "organizer.set_up_now": Audience.EVERYBODY,
    "organizer.second_factor": Audience.EVERYBODY,
    "organizer.second_factor_now": Audience.EVERYBODY,
    "organizer.sign_out": Audience.EVERYBODY,
    "organizer.home": Audience.OFFICER,
    "organizer.log": Audience.ORGANIZER,
    "organizer.calendar": Audience.ORGANIZER,
    "organizer.contests": Audience.ORGANIZER,
    "organizer.new_contest": Audience.ORGANIZER,
    "organizer.create_contest": Audience.ORGANIZER,
    "organizer.contest": Audience.ORGANIZER,
    "organizer.plan": Audience.ORGANIZER,
    "organizer.plan_now": Audience.ORGANIZER,
    "organizer.move": Audience.ORGANIZER,
    "organizer.move_now": Audience.ORGANIZER,
    "organizer.round_page": Audience.ORGANIZER,
    "organizer.change_round": Audience.ORGANIZER,
    "organizer.freeze": Audience.ORGANIZER,
    "organizer.schedule": Audience.ORGANIZER,
    "organizer.live": Audience.ORGANIZER,
    "organizer.units": Audience.ORGANIZER,
    "organizer.set_target": Audience.ORGANIZER,
    "organizer.import_targets": Audience.ORGANIZER,
    "organizer.targets_file": Audience.ORGANIZER,
    "organizer.results": Audience.ORGANIZER,
    "organizer.hours": Audience.ORGANIZER,
    "organizer.change_hours": Audience.ORGANIZER,
    "organizer.back_to_draft": Audience.ORGANIZER,
    "organizer.unschedule": Audience.ORGANIZER,
    "organizer.finalize": Audience.ORGANIZER,
    "organizer.publish": Audience.ORGANIZER,
    "organizer.ranking": Audience.ORGANIZER,
    "organizer.round_rules": Audience.ORGANIZER,
    "organizer.keep_round_rules": Audience.ORGANIZER,
    "organizer.contest_rules": Audience.ORGANIZER,
    "organizer.keep_contest_rules": Audience.ORGANIZER,
    "organizer.barred": Audience.ORGANIZER,
    "organizer.bar_from_contest": Audience.ORGANIZER,
    "organizer.unbar_from_contest": Audience.ORGANIZER,
    "organizer.announcements": Audience.ORGANIZER,
    "organizer.announce": Audience.ORGANIZER,
    "organizer.retract_announcement": Audience.ORGANIZER,
    "organizer.verify_log": Audience.ORGANIZER,
    "organizer.appeals": Audience.ORGANIZER,
    "organizer.appeal": Audience.ORGANIZER,
    "organizer.answer_appeal": Audience.ORGANIZER,
    "organizer.answer_appeals": Audience.ORGANIZER,
    "organizer.appeal_templates": Audience.ORGANIZER,
    "organizer.make_appeal_template": Audience.ORGANIZER,
    "organizer.change_appeal_template": Audience.ORGANIZER,
    "organizer.signals": Audience.ORGANIZER,
    "organizer.signal": Audience.ORGANIZER,
    "organizer.find_signals": Audience.ORGANIZER,
    "organizer.dismiss_signals": Audience.ORGANIZER,
    "organizer.dismiss_signal": Audience.ORGANIZER,
    "organizer.exclude_of_signal": Audience.ORGANIZER,
    "organizer.bar_of_signal": Audience.ORGANIZER,
    "organizer.people": Audience.OFFICER,
    "organizer.person": Audience.OFFICER,
    "organizer.bar": Audience.ORGANIZER,
    "organizer.unbar": Audience.ORGANIZER,
    "organizer.end_sessions": Audience.ORGANIZER,
    "organizer.new_staff": Audience.ADMINISTRATOR,
    "organizer.create_staff": Audience.ADMINISTRATOR,
    "organizer.reset_second_factor": Audience.ADMINISTRATOR,
    "organizer.change_role": Audience.ADMINISTRATOR,
    "organizer.awards_home": Audience.ORGANIZER,
    "organizer.awards": Audience.ORGANIZER,
    "organizer.award_list": Audience.ORGANIZER,
    "organizer.make_awards": Audience.ORGANIZER,
    "organizer.check_awards": Audience.ORGANIZER,
    "organizer.announce_awards": Audience.ORGANIZER,
    "organizer.keep_awards": Audience.ORGANIZER,
    "organizer.pay_awards": Audience.ORGANIZER,
    "organizer.payout_file": Audience.ORGANIZER,
    "organizer.disqualify": Audience.ORGANIZER,
    "organizer.accept_award": Audience.ORGANIZER,
    "organizer.reinstate": Audience.ORGANIZER,
    "organizer.exclude_entries": Audience.ORGANIZER,
    "organizer.publish_lot": Audience.ORGANIZER,
    "organizer.draw_lot": Audience.ORGANIZER,
    "organizer.unit_members": Audience.ORGANIZER,
    "organizer.take_members": Audience.ORGANIZER,
    "organizer.questions": Audience.ORGANIZER,
    "organizer.key": Audience.ORGANIZER,
    "organizer.propose_key": Audience.ORGANIZER,
    "organizer.approve_key": Audience.ORGANIZER,
    "organizer.cancel_key": Audience.ORGANIZER,
    "organizer.try_key_again": Audience.ORGANIZER,
    "organizer.bank": Audience.ORGANIZER,
    "organizer.freeze_bank": Audience.ORGANIZER,
    "organizer.import_questions": Audience.ORGANIZER,
    "organizer.read_questions": Audience.ORGANIZER,
    "organizer.add_questions": Audience.ORGANIZER,
    "organizer.question_template": Audience.ORGANIZER,
    "organizer.export_questions": Audience.ORGANIZER,
    "organizer.question_file": Audience.ORGANIZER,
    "organizer.sample_paper": Audience.ORGANIZER,
    "organizer.question_statistics": Audience.ORGANIZER,
    "organizer.new_question": Audience.ORGANIZER,
    "organizer.create_question": Audience.ORGANIZER,
    "organizer.change_questions": Audience.ORGANIZER,
    "organizer.question": Audience.ORGANIZER,
    "organizer.review_question": Audience.ORGANIZER,
    "organizer.retire_question": Audience.ORGANIZER,
    "organizer.revise_question": Audience.ORGANIZER,
}

UPLOADS: Mapping[str, int] = {
    "organizer.read_questions": MAX_FILE + 64 * 1024,
    "organizer.take_members": MAX_FILE + 64 * 1024,
    "organizer.import_targets": MAX_FILE + 64 * 1024,
}
"""Endpoints that take files, and how much with the form around them; everything else takes no more than a sheet."""


def init_uploads(app: Flask) -> None:
    """Room for files, for those alone who may send them; before anything else reads the form."""

    @app.before_request
    def make_room() -> None:
        limit = UPLOADS.get(request.endpoint or "")
        if limit is None or request.method != "POST":
            return
        member = staff_session.current()
        if member is not None and member.role in ROLES[AUDIENCES[request.endpoint or ""]]:
            request.max_content_length = limit


def init_audiences(app: Flask) -> None:
    @app.before_request
    def guard() -> Response | None:
        if request.endpoint is None:
            return None  # no such address; the router says so
        audience = AUDIENCES.get(request.endpoint)
        if audience is None:
            app.logger.error("endpoint %s has no audience in quiz/audiences.py", request.endpoint)
            raise Refusal("forbidden")
        if audience not in ROLES:
            return None
        member = staff_session.current()
        if member is None:
            if request.method != "GET":
                raise Refusal("login_required")
            return redirect(url_for("organizer.sign_in", next=request.full_path.rstrip("?")))
        if member.role not in ROLES[audience]:
            raise Refusal("forbidden")
        return None
