"""The prediction as people type it."""

from __future__ import annotations

from flask_babel import gettext as _

from quiz.errors import FieldError, Refusal
from quiz.intake.season import RoundCard


def typed_prediction(card: RoundCard, typed: str) -> int | None:
    """The number, thousands dots and blanks left out; None: nothing typed, or none asked for.

    Raises:
        Refusal: invalid_request, naming the field.
    """
    if not typed or card.rules.get("prediction") is None:
        return None
    digits = "".join(typed.replace(".", "").replace(",", "").split())
    if not digits.isdecimal() or len(digits) > 10:
        raise Refusal("invalid_request", errors=(FieldError("prediction", _("Write a whole number.")),))
    return int(digits)
