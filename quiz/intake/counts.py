"""What intake did in this process: plain integers, cheap enough for the hot path; quiz.metrics shows them.

A greenlet gives way only where it waits, so nothing is lost in the web; among real threads a count may be, and the
entries themselves are counted by the tables.
"""

from __future__ import annotations

COUNTS: dict[str, int] = dict.fromkeys(
    (
        "started",
        "papers_again",
        "drafts",
        "steps",
        "accepted_person",
        "accepted_proven",
        "accepted_deadline",
        "receipts_again",
        "lapsed",
        "tickets",
        "let_in",
    ),
    0,
)
