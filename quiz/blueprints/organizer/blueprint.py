from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from quiz import staff_session
from quiz.clock import CONTEST_ZONE
from quiz.errors import PROBLEMS, FieldError, Refusal

Answer = str | Response | tuple[str, int]
LARGEST = 2**62
blueprint = Blueprint("organizer", __name__, url_prefix="/staff")


@dataclass(frozen=True, slots=True)
class RailEntry:
    """A line of the left rail, which is ordered by work."""

    name: Any
    icon: str
    endpoint: str
    roles: frozenset[str]
    parts: tuple[str, ...]
    """Endpoints that belong to it, by their names in this blueprint."""


_ORGANIZERS = frozenset({"organizer", "administrator"})
_ALL = _ORGANIZERS | {"officer"}
_QUESTIONS = (
    *("questions", "bank", "freeze_bank", "sample_paper"),
    *("new_question", "create_question", "change_questions"),
    *("question", "review_question", "retire_question", "revise_question"),
    *("import_questions", "read_questions", "add_questions", "export_questions"),
)
_RESULTS = (
    *("results", "ranking", "question_statistics"),
    *("key", "propose_key", "approve_key", "cancel_key", "try_key_again"),
)
RAIL = (
    RailEntry(
        _l("Calendar"),
        "clock",
        "organizer.calendar",
        _ORGANIZERS,
        (
            *(
                "calendar",
                "contests",
                "new_contest",
                "create_contest",
                "contest",
                "plan",
                "plan_now",
                "move",
                "move_now",
            ),
            *(
                "round_page",
                "round_rules",
                "keep_round_rules",
                "contest_rules",
                "keep_contest_rules",
                "barred",
                "bar_from_contest",
                "unbar_from_contest",
                "change_round",
                "hours",
                "change_hours",
                "back_to_draft",
                "unschedule",
                "freeze",
                "schedule",
                "finalize",
                "publish",
                "announcements",
                "announce",
                "retract_announcement",
            ),
        ),
    ),
    RailEntry(_l("Questions"), "tiles", "organizer.questions", _ORGANIZERS, _QUESTIONS),
    RailEntry(_l("Running now"), "bars", "organizer.live", _ORGANIZERS, ("live",)),
    RailEntry(_l("Results"), "tick", "organizer.results", _ORGANIZERS, _RESULTS),
    RailEntry(
        _l("Awards"),
        "medal",
        "organizer.awards_home",
        _ORGANIZERS,
        (
            *("awards_home", "awards", "award_list", "make_awards", "check_awards", "announce_awards", "keep_awards"),
            *("pay_awards", "disqualify", "accept_award", "reinstate", "exclude_entries", "publish_lot", "draw_lot"),
            *("unit_members", "take_members"),
        ),
    ),
    RailEntry(
        _l("Appeals"),
        "sheet",
        "organizer.appeals",
        _ORGANIZERS,
        (
            *("appeals", "appeal", "answer_appeal", "answer_appeals"),
            *("appeal_templates", "make_appeal_template", "change_appeal_template"),
        ),
    ),
    RailEntry(
        _l("Signals"),
        "warn",
        "organizer.signals",
        _ORGANIZERS,
        (
            *("signals", "signal", "dismiss_signals", "dismiss_signal"),
            *("find_signals", "exclude_of_signal", "bar_of_signal"),
        ),
    ),
    RailEntry(
        _l("Units"),
        "home",
        "organizer.units",
        _ORGANIZERS,
        ("units", "set_target", "import_targets", "targets_file"),
    ),
    RailEntry(
        _l("Users"),
        "person",
        "organizer.people",
        _ALL,
        (
            "people",
            "person",
            "bar",
            "unbar",
            "end_sessions",
            "new_staff",
            "create_staff",
            "reset_second_factor",
            "change_role",
        ),
    ),
    RailEntry(_l("Log"), "sheet", "organizer.log", _ORGANIZERS, ("log", "verify_log")),
)


@blueprint.before_request
def refuse_probes() -> None:
    """No text of ours has a NUL in it and no number of ours is as long: PostgreSQL takes neither."""
    in_path = (request.view_args or {}).values()
    if any(isinstance(value, str) and "\0" in value for value in (*request.values.values(), *in_path)):
        raise Refusal("bad_request")
    if any(isinstance(value, int) and value > LARGEST for value in in_path):
        raise Refusal("not_found")


def number_asked(name: str) -> int | None:
    """A number of the address's query; None where there is none that a row could have."""
    value = request.args.get(name, type=int)
    return value if value is not None and 0 <= value <= LARGEST else None


@blueprint.app_template_filter("local_input")
def local_input(when: datetime) -> str:
    """An instant as a field of day and time takes it, in Vietnam."""
    return when.astimezone(CONTEST_ZONE).strftime("%Y-%m-%dT%H:%M")


@blueprint.context_processor
def frame() -> dict[str, Any]:
    """What every staff page shows around its own part."""
    member = staff_session.current()
    entries = [entry for entry in RAIL if member is not None and member.role in entry.roles]
    return {"staff": member, "rail": entries}


def messages(refusal: Refusal | None) -> dict[str, Any]:
    """Field → what is wrong with it."""
    if refusal is None:
        return {}
    errors = refusal.errors
    if refusal.code == "phone_taken":
        errors = (FieldError("phone", PROBLEMS["phone_taken"].detail),)
    return {error.field: error.message for error in errors}


def refused(refusal: Refusal | None) -> dict[str, Any]:
    """What templates need to say why something was refused."""
    return {"problem": PROBLEMS[refusal.code] if refusal else None, "errors": messages(refusal)}


def status(refusal: Refusal | None) -> int:
    return 200 if refusal is None else PROBLEMS[refusal.code].status
