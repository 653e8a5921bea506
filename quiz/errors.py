"""Refusals of the services, and the one table of what each code of the API contract is called and says.

A service raises `Refusal("phone_taken")`; intake raises its own `IntakeRefusal`. Blueprints let both pass: the
handlers here turn them into problem+json or into a page. An exception that is neither is a bug and a 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    title: Any
    detail: Any
    """What happened, what is safe, what to do next: a lazy translation."""


PROBLEMS: Mapping[str, Problem] = {
    "invalid_json": Problem(400, _l("Not JSON"), _l("The request's body is not valid JSON. Send it again as JSON.")),
    "invalid_paper": Problem(
        400,
        _l("Not a valid paper"),
        _l("This paper was not issued to you by this contest. Start again from the round's page."),
    ),
    "login_required": Problem(401, _l("Please sign in"), _l("Sign in to go on; nothing you answered is lost.")),
    "wrong_credentials": Problem(
        401,
        _l("Wrong phone number or password"),
        _l("The phone number or the password is not right. Check both and try again."),
    ),
    "wrong_code": Problem(
        401,
        _l("The code is not right"),
        _l("Type the six digits that your app shows now, or a recovery code that was not used yet."),
    ),
    "round_not_open": Problem(
        403, _l("The round is not open"), _l("This round takes no papers now. Look at its opening time.")
    ),
    "not_eligible": Problem(
        403,
        _l("You can't take part in this round"),
        _l("This round's rules don't let this account take part. Ask your unit if you think this is wrong."),
    ),
    "forbidden": Problem(
        403, _l("Not yours to do"), _l("Your account may not do this. Sign in with another one, or ask an organizer.")
    ),
    "bad_request": Problem(
        400,
        _l("The form has expired"),
        _l("Reload the page and send it again; what you typed may still be there with the back button."),
    ),
    "not_found": Problem(
        404, _l("Not found"), _l("There is nothing at this address. Check it, or start from the home page.")
    ),
    "unknown_unit": Problem(
        404, _l("Unknown unit"), _l("No unit of the contest has this code. Choose one from the list.")
    ),
    "unknown_round": Problem(404, _l("Unknown round"), _l("The contest has no round with this number.")),
    "unknown_receipt": Problem(
        404, _l("Unknown receipt"), _l("No entry of yours has this receipt. Check each character.")
    ),
    "method_not_allowed": Problem(405, _l("Method not allowed"), _l("This address can't be called with this method.")),
    "phone_taken": Problem(
        409, _l("Phone number already registered"), _l("An account with this phone number exists. Sign in instead.")
    ),
    "attempts_exhausted": Problem(
        409, _l("No attempts left"), _l("You have used all your attempts of this round. Come back for the next one.")
    ),
    "paper_expired": Problem(
        410,
        _l("The time of this paper is over"),
        _l("This paper can't be handed in any more. If you have attempts left, start again."),
    ),
    "body_too_large": Problem(413, _l("Too large"), _l("The request is larger than any sheet can be. Send less.")),
    "unsupported_media_type": Problem(
        415, _l("Send JSON"), _l("Send the body as JSON, with Content-Type: application/json.")
    ),
    "invalid_request": Problem(
        422, _l("Some fields are not right"), _l("Correct the fields that are named and send it again.")
    ),
    "invalid_answers": Problem(
        422,
        _l("The sheet does not fit the paper"),
        _l("The answers name a question or an option that is not on this paper."),
    ),
    "too_many_requests": Problem(
        429, _l("Too many tries"), _l("Too many tries in a short time. Wait a little and try again.")
    ),
    "internal_error": Problem(
        500, _l("Something went wrong here"), _l("The error has been noted. Try again; what you handed in is safe.")
    ),
    "intake_unavailable": Problem(
        503,
        _l("Answers can't be taken at the moment"),
        _l("Your answers stay on your device. Try again in a few seconds; they will be sent by themselves."),
    ),
    "service_unavailable": Problem(
        503,
        _l("Part of the service is away"),
        _l("This page can't be shown at the moment; papers are still taken. Try again soon."),
    ),
}

NOT_ELIGIBLE: Mapping[str, Any] = {
    "barred": _l("This account was barred from the contest. Ask the organizers if you think this is wrong."),
    "barred_from_contest": _l(
        "Who works for this contest does not take part in it. Ask the organizers if you think this is wrong."
    ),
    "no_unit": _l("This account belongs to no unit. Only participants take part."),
    "age_unknown": _l("This round asks for an age, and your account has no year of birth. Ask your unit to add it."),
    "too_young": _l("You are younger than this round's rules ask for."),
    "too_old": _l("You are older than this round's rules ask for."),
    "kind_unknown": _l(
        "This round is open to some kinds of member only. Say yours on your account's page, then start."
    ),
    "kind_not_eligible": _l("This round is open to other kinds of member than the one on your account's page."),
    "kind_barred": _l("This round's rules bar the kind of member on your account's page."),
    "unit_not_eligible": _l("This round is open to the people of other units than yours."),
}
"""Why somebody can't take part: the reasons of intake's NotEligible and of scoring.rules.not_eligible."""

ANSWER_PROBLEMS: Mapping[str, Any] = {
    "unknown_question": _l("This question is not on the paper."),
    "unknown_option": _l("This option is not one of the question's."),
    "too_many_options": _l("This question takes one option only."),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    field: str
    message: Any


class Refusal(Exception):
    """A service says no, with a code of PROBLEMS; `extra` is sent along, `errors` name the fields,
    `detail` says more than the code's own sentence."""

    def __init__(
        self,
        code: str,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
        detail: Any | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.retry_after = retry_after
        self.detail = detail if detail is not None else PROBLEMS[code].detail
        self.extra = extra
