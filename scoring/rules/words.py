"""The words and limits of a rules document, in this one place: the check, the schema, forms and pages use them."""

from __future__ import annotations

RANKING_KEYS = (
    *("score", "correct", "prediction_gap", "received_at", "received_second", "duration", "attempts"),
    "lot",
)
DEFAULT_RANKING = ("score", "prediction_gap", "received_at")
WHICH = ("best", "first", "last")
SCORE_RELEASES = ("at_once", "after_close")
KEY_RELEASES = ("after_close", "after_publish", "never")
PREDICTIONS = ("all_correct", "participants")
LATE_COUNTS = ("no", "participation")

MEMBER_KINDS = (
    *("union_member", "association_member", "pupil", "student", "worker", "civil_servant", "soldier"),
    "other",
)
"""What a person is; said at registration or in the profile, or left open."""
FUNCTIONS = ("committee", "expert", "secretary")
"""What a person does for a contest; written down by its organizers, whatever kind of member the person is."""
BARRED_KINDS = (*FUNCTIONS, *MEMBER_KINDS)

PRIZE_KINDS = ("individual", "collective", "spreading")
COLLECTIVE_BY = ("participants", "member_share", "perfect_papers")
LEVELS = ("province", "union", "commune")

KEY_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,39}$"
"""Of the key of a bracket or a prize: what other parts of the document and awards call it."""
UNIT_PATTERN = r"^[A-Z0-9]{1,20}$"
MOST_ROWS = 100
"""Brackets, prizes or units of one list."""

LIMITS = {
    "questions": (1, 200),
    "cap": (1, 1_000),
    "seconds": (10, 24 * 3600),
    "seconds_per_question": (10, 300),
    "grace_seconds": (0, 600),
    "points": (1, 1_000),
    "late.accept_minutes": (0, 24 * 60),
    "draw.count": (1, 200),
    "draw.difficulty": (1, 5),
    "prediction.min": (0, 10**9),
    "prediction.max": (0, 10**9),
    "min_age": (1, 150),
    "max_age": (1, 150),
    "brackets.min_age": (1, 150),
    "brackets.max_age": (1, 150),
    "prizes.count": (1, 10_000),
    "prizes.value": (0, 10**11),
    "prizes.min_participants": (0, 10**7),
    "prize_caps.person_round": (1, 10_000),
    "prize_caps.person_season": (1, 10_000),
    "prize_caps.unit_round": (1, 10_000),
    "prize_caps.unit_season": (1, 10_000),
}
"""Lowest and highest value of each whole number; the JSON Schema is made of the same."""
