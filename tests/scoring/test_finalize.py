"""A round becomes final: the true number, the gaps, the ranks. Worked numbers as in docs/rules.md."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls
from quiz.intake.season import ContestCard, RoundCard, Season
from scoring import finalize, recount, sweeper
from scoring.rules import Prediction, Rules
from tests.scoring.conftest import QUESTIONS, drain, hand_in, open_round

PREDICTION = Prediction("all_correct", "Bao nhiêu người trả lời đúng tất cả các câu?")
RULES = Rules(questions=QUESTIONS, prediction=PREDICTION, ranking=("score", "prediction_gap", "received_at"))


def ranks(card: RoundCard) -> dict[int, tuple[int, int]]:
    """person → (rank, attempt of the standing)"""
    rows = db.session.execute(text("SELECT person_id, rank, attempt FROM standing WHERE round_id = :r"), {"r": card.id})
    return {row[0]: (row[1], row[2]) for row in rows}


def test_the_nearest_prediction_ranks_among_equals_and_the_earlier_entry_breaks_the_tie(platform: Platform) -> None:
    card = open_round(platform, RULES)
    # Four people answer everything right, so 4 is the true number.
    hand_in(platform, card, 1, 1, QUESTIONS, prediction=10, after=0)  # gap 6
    hand_in(platform, card, 2, 1, QUESTIONS, prediction=5, after=2_000)  # gap 1, later
    hand_in(platform, card, 3, 1, QUESTIONS, prediction=3, after=1_000)  # gap 1, earlier
    hand_in(platform, card, 4, 1, QUESTIONS, prediction=None, after=0)  # predicted nothing
    hand_in(platform, card, 5, 1, QUESTIONS - 1, prediction=4, after=0)  # gap 0, but a point less
    drain(platform, card)
    assert finalize.true_number(db.session(), card.id, RULES) == 4
    assert finalize.finalize_round(db.session(), card.id, clock.now())
    db.session.commit()
    assert ranks(card) == {3: (1, 1), 2: (2, 1), 1: (3, 1), 4: (4, 1), 5: (5, 1)}
    assert recount.check(db.session(), [card.id]) == []


def test_the_gap_may_choose_another_of_a_persons_entries(platform: Platform) -> None:
    card = open_round(platform, RULES)
    hand_in(platform, card, 1, 1, QUESTIONS, prediction=900, after=0)
    hand_in(platform, card, 1, 2, QUESTIONS, prediction=1, after=1_000)
    drain(platform, card)
    finalize.finalize_round(db.session(), card.id, clock.now())
    db.session.commit()
    assert ranks(card) == {1: (1, 2)}
    assert recount.check(db.session(), [card.id]) == []


def test_making_it_final_twice_changes_nothing(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 1)
    drain(platform, card)
    assert finalize.finalize_round(db.session(), card.id, clock.now())
    db.session.commit()
    assert not finalize.finalize_round(db.session(), card.id, clock.now())


def test_what_comes_after_the_final_is_kept_but_not_counted(platform: Platform, card: RoundCard) -> None:
    hand_in(platform, card, 1, 1, 1)
    drain(platform, card)
    finalize.finalize_round(db.session(), card.id, clock.now())
    db.session.commit()
    hand_in(platform, card, 2, 1, 4)
    assert drain(platform, card) == 1
    kept = db.session.execute(text("SELECT counted, excluded_reason FROM entry WHERE participant_id = 2")).one()
    assert tuple(kept) == (False, "after_final")
    assert ranks(card) == {1: (1, 1)}


@pytest.mark.parametrize(
    ("after_close", "reason"), [(timedelta(0), "not_closed"), (timedelta(seconds=29), "not_closed")]
)
def test_it_waits_for_the_close_and_the_grace(
    platform: Platform, card: RoundCard, after_close: timedelta, reason: str
) -> None:
    at = clock.from_ms(card.closes) + after_close
    found = finalize.obstacle(db.session(), platform.gateway.client, card, at)
    assert found == finalize.NotYet(reason)


def test_it_waits_for_open_attempts_and_undrained_entries(platform: Platform, card: RoundCard) -> None:
    now = card.closes - 1_000
    late = clock.from_ms(card.closes) + timedelta(minutes=5)

    made = Season(1, [ContestCard(card.contest_id, "test", "Test", True, [card])])
    calls.start(platform.gateway, platform.signer, 0, made, card, calls.Starter(9, 1, 0), now)
    assert finalize.obstacle(db.session(), platform.gateway.client, card, late) == finalize.NotYet("attempts_open")
    sweeper.settle_overdue(platform.gateway, platform.signer, [card], late)
    assert finalize.obstacle(db.session(), platform.gateway.client, card, late) is None
    hand_in(platform, card, 1, 1, 1)
    assert finalize.obstacle(db.session(), platform.gateway.client, card, late) == finalize.NotYet(
        "streams_not_drained"
    )
    drain(platform, card)
    assert finalize.obstacle(db.session(), platform.gateway.client, card, late) is None


def test_a_final_round_leaves_redis_after_its_last_entry_is_stored(platform: Platform, card: RoundCard) -> None:
    intake = platform.gateway.client
    final = msgspec.structs.replace(card, finalized=clock.to_ms(clock.now()))
    season = Season(1, [ContestCard(card.contest_id, "test", "Test", True, [final])])
    soon, later = (clock.from_ms(clock.to_ms(clock.now()) + ms) for ms in (0, sweeper.FAREWELL_MS + 1_000))
    hand_in(platform, card, 1, 1, 2)
    drain(platform, card)
    assert sweeper.forget_final(intake, season, soon) == [], "processes still learn that it is final"
    # What a process that had not heard of it accepted.
    hand_in(platform, card, 2, 1, 2)
    assert sweeper.forget_final(intake, season, later) == [], "an accepted entry would be lost"
    assert sweeper.drained_rounds(intake, season, later) == [final]
    assert drain(platform, card) == 1
    assert list(intake.scan_iter(f"{{r{card.id}:*")) != []
    assert sweeper.forget_final(intake, season, later) == [final]
    assert list(intake.scan_iter(f"{{r{card.id}:*")) == []
    assert sweeper.drained_rounds(intake, season, later) == []
    assert sweeper.forget_final(intake, season, later) == []


def test_live_rounds_never_leave_redis(platform: Platform, card: RoundCard) -> None:
    season = Season(1, [ContestCard(card.contest_id, "test", "Test", True, [card])])
    long_after = clock.from_ms(card.closes) + timedelta(days=9)
    assert sweeper.forget_final(platform.gateway.client, season, long_after) == []
    assert sweeper.drained_rounds(platform.gateway.client, season, long_after) == [card]


def test_the_sweeper_hands_in_the_last_draft_and_lets_the_draftless_lapse(platform: Platform, card: RoundCard) -> None:

    made = Season(1, [ContestCard(card.contest_id, "test", "Test", True, [card])])
    now = clock.to_ms(clock.now())
    with_draft = calls.start(platform.gateway, platform.signer, 0, made, card, calls.Starter(1, 1, 0), now)
    calls.start(platform.gateway, platform.signer, 0, made, card, calls.Starter(2, 1, 0), now)
    signed = platform.signer.verify_paper(with_draft.token)
    calls.keep_draft(platform.gateway, card, signed, [1, 1, 0, 0], None, 1, now + 1_000)
    calls.keep_draft(platform.gateway, card, signed, [1, 1, 1, 0], None, 3, now + 3_000)
    calls.keep_draft(platform.gateway, card, signed, [1, 0, 0, 0], None, 2, now + 2_000)
    deadline = with_draft.paper.deadline
    within_grace = clock.from_ms(deadline + card.grace)
    assert sweeper.settle_overdue(platform.gateway, platform.signer, [card], within_grace) == 0
    over = clock.from_ms(deadline + card.grace + 1)
    assert sweeper.settle_overdue(platform.gateway, platform.signer, [card], over) == 2
    assert sweeper.settle_overdue(platform.gateway, platform.signer, [card], over) == 0
    assert drain(platform, card) == 1
    row = db.session.execute(text("SELECT participant_id, kind, score, received_at FROM entry")).one()
    assert (row.participant_id, row.kind, row.score) == (1, 2, 3)
    assert clock.to_ms(row.received_at) == deadline
    # The phone that comes late with its own sheet gets the receipt of the draft.
    again = calls.hand_in(
        platform.gateway, platform.signer, card, signed, [1, 1, 1, 1], None, deadline + card.grace + 5_000
    )
    assert (again.first, again.received) == (False, deadline)
