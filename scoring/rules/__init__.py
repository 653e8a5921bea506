"""The rules of a round as data, and what they say of a sheet and of a person. Standard library only, no clock, no I/O.

`words` has the vocabulary, `document` the form, `validation` the check, `people` and `sheets` apply it.
"""

from scoring.rules.checks import PROBLEMS, Contradiction, InvalidRules
from scoring.rules.document import (
    Bracket,
    DrawPart,
    Late,
    Prediction,
    Prize,
    PrizeCaps,
    Release,
    Rules,
    rules_document,
)
from scoring.rules.people import Person, bracket_of, bracket_sql, not_eligible
from scoring.rules.sheets import QuestionKey, key_from, score
from scoring.rules.validation import rules_from
from scoring.rules.words import (
    BARRED_KINDS,
    COLLECTIVE_BY,
    DEFAULT_RANKING,
    FUNCTIONS,
    KEY_PATTERN,
    KEY_RELEASES,
    LATE_COUNTS,
    LEVELS,
    LIMITS,
    MEMBER_KINDS,
    MOST_ROWS,
    PREDICTIONS,
    PRIZE_KINDS,
    RANKING_KEYS,
    SCORE_RELEASES,
    UNIT_PATTERN,
    WHICH,
)

__all__ = [
    "BARRED_KINDS",
    "COLLECTIVE_BY",
    "DEFAULT_RANKING",
    "FUNCTIONS",
    "KEY_PATTERN",
    "KEY_RELEASES",
    "LATE_COUNTS",
    "LEVELS",
    "LIMITS",
    "MEMBER_KINDS",
    "MOST_ROWS",
    "PREDICTIONS",
    "PRIZE_KINDS",
    "PROBLEMS",
    "RANKING_KEYS",
    "SCORE_RELEASES",
    "UNIT_PATTERN",
    "WHICH",
    "Bracket",
    "Contradiction",
    "DrawPart",
    "InvalidRules",
    "Late",
    "Person",
    "Prediction",
    "Prize",
    "PrizeCaps",
    "QuestionKey",
    "Release",
    "Rules",
    "bracket_of",
    "bracket_sql",
    "key_from",
    "not_eligible",
    "rules_document",
    "rules_from",
    "score",
]
