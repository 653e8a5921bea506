"""Counts changed after the fact equal a count from scratch."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.season import RoundCard
from quiz.models import User
from scoring import counting, recount
from tests.scoring.conftest import drain, hand_in


def people(count: int) -> None:
    for _ in range(count):
        user = User(person_id=0, full_name="x", unit_id=1, created_at=clock.now())
        db.session.add(user)
        db.session.flush()
        user.person_id = user.id
    db.session.commit()


def by_unit() -> dict[int, tuple[int, int, int]]:
    rows = db.session.execute(
        text(
            "SELECT unit_id, sum(participants), sum(entries), sum(score_sum) FROM tally "
            "GROUP BY 1 HAVING sum(entries) <> 0"
        )
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}


def event(kind: str, card: RoundCard, person: int) -> counting.CountingEvent:
    return counting.event_of(kind, card.contest_id, card.id, person, "a reason", None, clock.now())


@pytest.fixture
def played(platform: Platform, card: RoundCard) -> RoundCard:
    people(3)
    for participant, attempt, right, unit in [(1, 1, 2, 10), (1, 2, 4, 10), (2, 1, 3, 11), (3, 1, 1, 11)]:
        hand_in(platform, card, participant, attempt, right, unit)
    drain(platform, card)
    assert by_unit() == {10: (1, 2, 4), 11: (2, 2, 4)}
    return card


def test_an_excluded_entry_leaves_the_counts_and_comes_back(played: RoundCard) -> None:
    counting.set_counted(db.session(), played.id, [(1, 0, 2)], "twin paper", event("exclusion", played, 1))
    db.session.commit()
    assert by_unit() == {10: (1, 1, 2), 11: (2, 2, 4)}
    assert recount.check(db.session(), [played.id]) == []
    counting.set_counted(db.session(), played.id, [(1, 0, 2)], None, event("exclusion", played, 1))
    db.session.commit()
    assert by_unit() == {10: (1, 2, 4), 11: (2, 2, 4)}
    assert recount.check(db.session(), [played.id]) == []


def test_a_person_with_no_counted_entry_left_is_no_participant(played: RoundCard) -> None:
    counting.set_counted(db.session(), played.id, [(2, 0, 1)], "session cancelled", event("session", played, 2))
    db.session.commit()
    assert by_unit() == {10: (1, 2, 4), 11: (1, 1, 1)}
    assert recount.check(db.session(), [played.id]) == []


def test_merged_accounts_count_as_one_person(played: RoundCard, platform: Platform) -> None:
    counting.merge_persons(db.session(), 1, 2, event("merge", played, 1))
    db.session.commit()
    assert by_unit() == {10: (1, 3, 4), 11: (1, 1, 1)}
    assert recount.check(db.session(), [played.id]) == []
    # What the merged account hands in afterwards counts for the one person.
    hand_in(platform, played, 2, 2, 4, 11)
    drain(platform, played)
    assert by_unit() == {10: (1, 4, 4), 11: (1, 1, 1)}
    assert recount.check(db.session(), [played.id]) == []


def test_a_moved_home_takes_its_counts_along(played: RoundCard) -> None:
    counting.move_home(db.session(), played.id, 1, 12, event("move", played, 1))
    db.session.commit()
    assert by_unit() == {12: (1, 2, 4), 11: (2, 2, 4)}
    assert recount.check(db.session(), [played.id]) == []
