"""Refusals of intake. Each carries the `code` of the API contract; the blueprints find its status and words."""

from __future__ import annotations

from typing import ClassVar


class IntakeRefusal(Exception):
    code: ClassVar[str]


class IntakeUnavailable(IntakeRefusal):
    """Redis is away, full, or not primed: nothing was promised, and the phone keeps its sheet."""

    code = "intake_unavailable"


class InvalidPaper(IntakeRefusal):
    """The token is missing, forged, malformed or another participant's."""

    code = "invalid_paper"


class InvalidAnswers(IntakeRefusal):
    """The sheet names a question or an option that is not on the paper, or too many of them."""

    code = "invalid_answers"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class PaperExpired(IntakeRefusal):
    code = "paper_expired"


class RoundNotOpen(IntakeRefusal):
    code = "round_not_open"


class AttemptsExhausted(IntakeRefusal):
    code = "attempts_exhausted"


class LoginRequired(IntakeRefusal):
    """The session is older than the participant's auth epoch: signed out everywhere, or the password changed."""

    code = "login_required"


class NotEligible(IntakeRefusal):
    """Barred, or outside the round's eligibility; `reason` is a word that pages have a sentence for."""

    code = "not_eligible"

    def __init__(self, reason: str = "barred") -> None:
        super().__init__(reason)
        self.reason = reason


class BarredFromContest(NotEligible):
    """Has a function in this contest that the round's rules bar, or was kept out of it."""

    def __init__(self) -> None:
        super().__init__("barred_from_contest")
