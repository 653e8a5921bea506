"""A corrected key: the dry run says what changes, applied it equals a count from scratch, cancelled nothing differs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.season import RoundCard
from quiz.models import KeyVersion
from scoring import finalize, recount, regrade
from tests.scoring.conftest import QUESTIONS, drain, hand_in


@pytest.fixture
def played(platform: Platform, card: RoundCard) -> RoundCard:
    """Persons 1 to 4 answered 4, 2, 0 and 0 questions with option 1, the others with option 2."""
    for participant, right in [(1, 4), (2, 2), (3, 0), (4, 0)]:
        hand_in(platform, card, participant, 1, right, unit=10 + participant % 2, after=participant * 1_000)
    hand_in(platform, card, 2, 2, 1, unit=10, after=9_000)
    drain(platform, card)
    return card


def new_key(card: RoundCard, key: list[dict[str, Any]]) -> int:
    version = 2
    db.session.add(
        KeyVersion(round_id=card.id, bank_version=1, version=version, key=key, created_at=clock.now(), reason="sai")
    )
    db.session.commit()
    return version


def everything() -> list[Any]:
    rows: list[Any] = []
    for table in ("entry", "standing", "tally", "contest_standing", "contest_tally", "round", "counting_event"):
        rows += db.session.execute(text(f"SELECT '{table}', x::text FROM {table} x ORDER BY 2")).all()
    db.session.rollback()
    return rows


def apply(card: RoundCard, version: int) -> regrade.Effect:
    effect = regrade.apply(db.session(), card.id, version, clock.now(), reason="sai", actor_id=None)
    db.session.commit()
    return effect


RIGHT_IS_2 = [{"accept": [2], "void": False}] * QUESTIONS


def test_the_dry_run_counts_the_changes_and_writes_nothing(played: RoundCard) -> None:
    version = new_key(played, RIGHT_IS_2)
    before = everything()
    effect = regrade.rescore(db.session(), played.id, version)
    db.session.rollback()
    assert everything() == before
    # 4→0, 2→2 (attempt 2 with 3 right is better now), 0→4, 0→4; of person 2's entries only the second changes.
    assert (effect.entries, effect.up, effect.down) == (4, 3, 1)
    assert effect.top[0] == (1, 1, 3)


def test_applied_it_equals_a_count_from_scratch(played: RoundCard) -> None:
    version = new_key(played, RIGHT_IS_2)
    dry = regrade.rescore(db.session(), played.id, version)
    db.session.rollback()
    assert apply(played, version) == dry
    scores = db.session.execute(text("SELECT person_id, score, attempt FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in scores] == [(1, 0, 1), (2, 3, 2), (3, 4, 1), (4, 4, 1)]
    assert recount.check(db.session(), [played.id]) == []
    assert db.session.scalar(text("SELECT key_version FROM round")) == version


def test_applied_twice_it_changes_nothing_more(played: RoundCard) -> None:
    version = new_key(played, RIGHT_IS_2)
    apply(played, version)
    before = everything()
    assert apply(played, version).entries == 0
    assert everything() == before


def test_several_accepted_options_and_a_void_question(played: RoundCard) -> None:
    key = [{"accept": [1, 2], "void": False}, {"accept": [], "void": True}, *[{"accept": [1], "void": False}] * 2]
    apply(played, new_key(played, key))
    scores = db.session.execute(text("SELECT person_id, score FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in scores] == [(1, 4), (2, 2), (3, 2), (4, 2)]
    assert recount.check(db.session(), [played.id]) == []


def test_stopped_half_way_no_row_differs(played: RoundCard) -> None:
    version = new_key(played, RIGHT_IS_2)
    before = everything()

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        regrade.apply(db.session(), played.id, version, clock.now(), reason="x", actor_id=None, progress=stop)
    db.session.rollback()
    assert everything() == before


def test_the_ranks_of_a_final_round_follow(played: RoundCard) -> None:
    finalize.finalize_round(db.session(), played.id, clock.now())
    db.session.commit()
    apply(played, new_key(played, RIGHT_IS_2))
    ranks = db.session.execute(text("SELECT person_id, rank FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in ranks] == [(1, 4), (2, 3), (3, 1), (4, 2)]
    assert recount.check(db.session(), [played.id]) == []


def test_an_unknown_version_is_refused(played: RoundCard) -> None:
    with pytest.raises(LookupError):
        regrade.rescore(db.session(), played.id, 7)
