"""A corrected key: the dry run says what changes, applied it equals a count from scratch, cancelled nothing differs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.season import RoundCard
from quiz.models import KeyVersion
from scoring import counting, finalize, recount, regrade
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


# Batches, accounts and others who write meanwhile


def test_a_person_whose_entries_lie_in_several_batches_is_counted_once(
    played: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrade, "_BATCH", 1)
    seen: list[tuple[int, int]] = []
    version = new_key(played, RIGHT_IS_2)
    effect = regrade.apply(
        db.session(),
        played.id,
        version,
        clock.now(),
        reason="sai",
        actor_id=None,
        progress=lambda *done: seen.append(done),
    )
    db.session.commit()
    assert (effect.entries, effect.up, effect.down) == (4, 3, 1)
    assert seen == [(count, 5) for count in range(1, 6)]
    assert recount.check(db.session(), [played.id]) == []


def test_of_several_accounts_of_a_person_the_best_entry_counts(
    played: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = counting.event_of("merge", played.contest_id, None, 1, "trùng", None, clock.now())
    db.session.execute(
        text(
            "INSERT INTO users "
            "(id, person_id, full_name, unit_id, role, auth_epoch, consent_at, created_at, synthetic) "
            "OVERRIDING SYSTEM VALUE SELECT id, id, 'x', (SELECT min(id) FROM unit), 'participant', 0, now(), now(), "
            "true FROM generate_series(1, 4) id"
        )
    )
    counting.merge_persons(db.session(), 1, 4, event)
    db.session.commit()
    # With person 2 and 3 between them, the entries of the accounts 1 and 4 don't come together.
    monkeypatch.setattr(regrade, "_BATCH", 2)
    apply(played, new_key(played, RIGHT_IS_2))
    scores = db.session.execute(text("SELECT person_id, participant_id, score, entries FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in scores] == [(1, 4, 4, 2), (2, 2, 3, 2), (3, 3, 4, 1)]
    assert recount.check(db.session(), [played.id]) == []


def test_what_does_not_count_is_scored_and_moves_no_standing(played: RoundCard) -> None:
    event = counting.event_of("exclusion", played.contest_id, played.id, 3, "x", None, clock.now())
    counting.set_counted(db.session(), played.id, [(2, 0, 2), (3, 0, 1)], "x", event)
    db.session.commit()
    apply(played, new_key(played, RIGHT_IS_2))
    scores = db.session.execute(text("SELECT participant_id, attempt, score FROM entry ORDER BY 1, 2")).all()
    assert [tuple(row) for row in scores] == [(1, 1, 0), (2, 1, 2), (2, 2, 3), (3, 1, 4), (4, 1, 4)]
    scores = db.session.execute(text("SELECT person_id, attempt, score FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in scores] == [(1, 1, 0), (2, 1, 2), (4, 1, 4)]
    assert recount.check(db.session(), [played.id]) == []


def test_what_other_rounds_add_to_the_contest_meanwhile_is_kept(played: RoundCard) -> None:
    version = new_key(played, RIGHT_IS_2)

    def another_round(_done: int, _total: int) -> None:
        with db.engine.begin() as other:
            other.execute(text("UPDATE contest_standing SET score = score + 100, entries = entries + 1, rounds = 2"))
            other.execute(text("UPDATE contest_tally SET score_sum = score_sum + 100"))

    units = db.session.scalar(text("SELECT count(*) FROM contest_tally"))
    db.session.rollback()
    regrade.apply(db.session(), played.id, version, clock.now(), reason="x", actor_id=None, progress=another_round)
    db.session.commit()
    people = db.session.execute(text("SELECT score, entries, rounds FROM contest_standing ORDER BY person_id")).all()
    assert [tuple(row) for row in people] == [(100, 2, 2), (103, 3, 2), (104, 2, 2), (104, 2, 2)]
    assert db.session.scalar(text("SELECT sum(score_sum) FROM contest_tally")) == 11 + 100 * units


def test_an_entry_that_was_moved_without_the_lock_stops_it(played: RoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regrade, "_BATCH", 1)
    version = new_key(played, RIGHT_IS_2)
    before = everything()

    def move(done: int, _total: int) -> None:
        if done == 1:
            with db.engine.begin() as other:
                other.execute(text("UPDATE entry SET channel = channel WHERE participant_id = 4"))

    with pytest.raises(RuntimeError, match="of 1 entries to be written 0 were found"):
        regrade.apply(db.session(), played.id, version, clock.now(), reason="x", actor_id=None, progress=move)
    db.session.rollback()
    assert everything() == before


@pytest.mark.parametrize(("which", "score", "attempt"), [("first", 2, 1), ("last", 3, 2)])
def test_the_rule_of_which_entry_counts_holds(played: RoundCard, which: str, score: int, attempt: int) -> None:
    db.session.execute(
        text("UPDATE round SET rules = rules || jsonb_build_object('which', CAST(:which AS text))"), {"which": which}
    )
    recount.repair(db.session(), [played.id])
    db.session.commit()
    apply(played, new_key(played, RIGHT_IS_2))
    kept = db.session.execute(text("SELECT score, attempt FROM standing WHERE person_id = 2")).one()
    assert tuple(kept) == (score, attempt)
    assert recount.check(db.session(), [played.id]) == []
