"""Moodle's feedback to the question and to each option, as one explanation."""

from __future__ import annotations

from collections.abc import Sequence


def explained(general: str, answers: Sequence[tuple[str, str, bool]]) -> str:
    """The explanation of a question that has feedback in several places; nothing of it is dropped.

    Args:
        answers: (text, feedback, right) of each option.
    """
    said = [(text, feedback, right) for text, feedback, right in answers if feedback]
    if not general and len(said) == 1 and said[0][2]:
        return said[0][1]
    return "\n".join([*filter(None, [general]), *(f"{text}: {feedback}" for text, feedback, _ in said)])
