"""A round of five questions, twenty seconds each and thirty of grace, worked out by hand: the quicker one wins."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quiz.extensions import Platform, db
from quiz.models import Entry
from scoring import recount
from tests.golden import Golden, person
from tests.published import Published, at

ROUND = Published(
    "Seconds a question",
    at(2026, 3, 2),
    1,
    {"questions": 5, "seconds_per_question": 20, "cap": 1, "ranking": ["score", "duration"]},
)
SECOND = 1_000
PACES = {
    "An": [5 * SECOND] * 5,
    "Bình": [10 * SECOND] * 5,
    # A millisecond after the seconds and the grace of her second question.
    "Chi": [5 * SECOND, 50 * SECOND + 1, *[5 * SECOND] * 3],
    # Ten seconds late three times: his grace is used up, so the fourth answer is too late; the fifth comes 10 s after
    # the end of the whole paper (100 s) and its grace.
    "Dũng": [*[30 * SECOND] * 4, 20 * SECOND],
    # Quick, but the line is lost after four questions: the sweeper hands in at the end of the paper.
    "Em": [2 * SECOND] * 4,
}
RANKS = {"An": (1, 1, 5), "Bình": (2, 1, 5), "Chi": (3, 1, 4), "Em": (4, 1, 4), "Dũng": (5, 1, 3)}
TOOK = {"An": 25_000, "Bình": 50_000, "Chi": 70_001, "Dũng": 100_000, "Em": 100_000}


@pytest.fixture
def golden(platform: Platform) -> Golden:
    session = db.session()
    return Golden(platform, session, ROUND, [person(session, name) for name in PACES])


def test_the_clock_of_each_question_decides(golden: Golden) -> None:
    for who, paces in PACES.items():
        golden.walk(who, paces, handed_in=who != "Em")
    assert golden.settle() == 1
    golden.make_final()
    assert golden.ranks() == RANKS
    session = db.session()
    names = {number: name for name, number in golden.people.items()}
    rows = session.execute(select(Entry.participant_id, Entry.duration_ms)).all()
    assert {names[who]: took for who, took in rows} == TOOK
    assert recount.check(session, [golden.card.id]) == []
