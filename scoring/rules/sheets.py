"""The score of a sheet under a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scoring.rules.document import Rules


@dataclass(frozen=True, slots=True)
class QuestionKey:
    """What counts as right: any of these sets of options (bit masks), or everything, if the question is void."""

    accept: frozenset[int]
    void: bool = False


def key_from(document: Sequence[Mapping[str, Any]]) -> list[QuestionKey]:
    """Read a stored key: for each question of the bank `{accept: [mask, …], void: bool}`."""
    return [QuestionKey(frozenset(item["accept"]), bool(item.get("void", False))) for item in document]


def score(
    rules: Rules, key: Sequence[QuestionKey], questions: Sequence[int], answers: Sequence[int]
) -> tuple[int, int]:
    """(points, number of right questions) of a sheet.

    A question is right if exactly an accepted set of options was chosen; a void one is right for everybody.

    Args:
        questions: places in the frozen bank, as on the paper.
        answers: bit masks of the chosen options in the same order, 0 for unanswered.

    Raises:
        IndexError: a question that is not in the key (a sheet of another bank).
    """
    correct = 0
    for place, chosen in zip(questions, answers, strict=True):
        item = key[place]
        if chosen in item.accept or item.void:
            correct += 1
    if rules.complete_only and 0 in answers:
        return 0, 0
    return correct * rules.points, correct
