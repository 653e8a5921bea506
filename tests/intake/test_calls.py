"""The life of an attempt: opened, kept, handed in, overdue, lapsed, lost and brought again. Time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from redis import Redis

from quiz.intake import calls, keys, primer
from quiz.intake.calls import Started, Starter
from quiz.intake.errors import (
    AttemptsExhausted,
    IntakeUnavailable,
    LoginRequired,
    NotEligible,
    PaperExpired,
    RoundNotOpen,
)
from quiz.intake.events import Kind, decode_event
from quiz.intake.gateway import Gateway
from quiz.intake.season import ContestCard, RoundCard, Season
from quiz.intake.signing import Signer
from tests.making import CLOSES, MINUTE, OPENS, card, open_round

SHEET = [1, 2, 4, 8, 1, 2, 4, 8, 1, 2]
OTHER = [2] * 10
ANNA = 1_001
GRACE = 30_000


@dataclass
class Hall:
    """A round that is open, and its calls without the arguments that are always the same."""

    redis: Redis
    gateway: Gateway
    signer: Signer
    card: RoundCard

    def start(self, now: int, participant: int = ANNA, epoch: int = 0, unit: int = 31, **who: Any) -> Started:
        season = Season(1, [ContestCard(1, "cuoc-thi", "Cuộc thi", True, [self.card])])
        starter = Starter(participant=participant, unit=unit, auth_epoch=epoch, **who)
        return calls.start(self.gateway, self.signer, 0, season, self.card, starter, now)

    def hand_in(
        self, started: Started, now: int, answers: list[int] = SHEET, receipt: str | None = None
    ) -> calls.Receipt:
        signed = self.signer.verify_paper(started.token)
        return calls.hand_in(self.gateway, self.signer, self.card, signed, answers, 80, now, receipt)

    def draft(self, started: Started, now: int, answers: list[int] = SHEET, seq: int = 1) -> None:
        calls.keep_draft(self.gateway, self.card, self.signer.verify_paper(started.token), answers, None, seq, now)

    def settle(self, attempt: int, now: int, participant: int = ANNA) -> bool:
        return calls.settle(self.gateway, self.signer, self.card, participant, attempt, now)

    def kept(self, attempt: int = 1) -> list[int] | None:
        found = calls.read_draft(self.gateway, self.card, ANNA, attempt)
        return None if found is None else found[0]

    def entries(self) -> list[tuple[list[int], int, int]]:
        """(answers, received, kind) of all that is in the streams."""
        found = []
        for shard in range(self.card.shards):
            for _, fields in self.redis.xrange(keys.entries(self.card.id, shard)):
                event, _, kind = decode_event(fields[b"e"])
                found.append((event.answers, event.received, kind))
        return found

    def lose_everything(self) -> None:
        self.redis.flushall()
        open_round(self.redis, self.card)


@pytest.fixture
def hall(intake: Redis, gateway: Gateway, signer: Signer) -> Hall:
    return Hall(intake, gateway, signer, open_round(intake, card()))


def with_card(hall: Hall, **changes: Any) -> Hall:
    hall.card = open_round(hall.redis, msgspec.structs.replace(hall.card, **changes))
    return hall


# Starting


def test_a_start_opens_an_attempt_and_the_paper_says_all_of_it(hall: Hall) -> None:
    started = hall.start(OPENS, device="d1", channel="qr")
    paper = started.paper
    assert started.opened
    assert (paper.round_id, paper.participant, paper.attempt, paper.unit, paper.bank) == (7, ANNA, 1, 31, 1)
    assert (paper.started, paper.deadline, paper.device, paper.channel) == (OPENS, OPENS + 10 * MINUTE, "d1", "qr")
    assert len(set(paper.questions)) == 10
    assert started.attempts_left == 6
    assert hall.signer.verify_paper(started.token).paper == paper


def test_while_it_is_open_a_start_gives_the_same_paper(hall: Hall) -> None:
    first = hall.start(OPENS, unit=31, device="d1")
    # From another device, after a move to another unit, up to the last instant of the grace.
    for now in (OPENS + 1, first.paper.deadline, first.paper.deadline + GRACE):
        again = hall.start(now, unit=99, device="d2")
        assert (again.token, again.opened, again.attempts_left) == (first.token, False, 6)


def test_the_cap_counts_starts(hall: Hall) -> None:
    now = OPENS
    for attempt in range(1, 8):
        started = hall.start(now)
        assert (started.paper.attempt, started.attempts_left) == (attempt, 7 - attempt)
        hall.hand_in(started, now + 1)
        now += 2
    with pytest.raises(AttemptsExhausted):
        hall.start(now)
    assert len(hall.entries()) == 7


def test_without_a_cap_attempts_end_where_an_entry_can_no_longer_name_them(hall: Hall) -> None:
    with_card(hall, cap=None)
    assert hall.start(OPENS).attempts_left is None
    primer.write_attempts(hall.redis, hall.card, [(2_001, 32_766, OPENS), (2_002, 32_767, OPENS)])
    assert hall.start(OPENS + 1, participant=2_001).paper.attempt == 32_767
    with pytest.raises(AttemptsExhausted):
        hall.start(OPENS + 1, participant=2_002)


@pytest.mark.parametrize("now", [OPENS - 1, CLOSES, CLOSES + MINUTE])
def test_outside_the_window_nothing_opens(hall: Hall, now: int) -> None:
    with pytest.raises(RoundNotOpen):
        hall.start(now)


def test_between_two_windows_nothing_opens_and_the_window_ends_the_paper(hall: Hall) -> None:
    with_card(hall, windows=[(OPENS, OPENS + 5 * MINUTE), (OPENS + 60 * MINUTE, CLOSES)])
    assert hall.start(OPENS).paper.deadline == OPENS + 5 * MINUTE
    with pytest.raises(RoundNotOpen):
        hall.start(OPENS + 20 * MINUTE)
    assert hall.start(OPENS + 60 * MINUTE).paper.deadline == OPENS + 70 * MINUTE


def test_a_paper_started_at_the_last_moment_ends_with_the_round(hall: Hall) -> None:
    assert hall.start(CLOSES - 1).paper.deadline == CLOSES


def test_a_round_without_a_frozen_bank_is_not_open(hall: Hall) -> None:
    hall.card = msgspec.structs.replace(hall.card, bank_version=None)
    with pytest.raises(RoundNotOpen):
        hall.start(OPENS)


def test_an_older_session_must_sign_in_again_and_a_barred_person_cannot_start(hall: Hall) -> None:
    primer.write_bars(hall.redis, hall.card, [(ANNA, 3), (1_002, None)])
    with pytest.raises(LoginRequired):
        hall.start(OPENS, epoch=2)
    with pytest.raises(NotEligible):
        hall.start(OPENS, participant=1_002, epoch=99)
    assert hall.start(OPENS, epoch=3).opened
    primer.lift_bar(hall.redis, hall.card, 1_002, 0)
    assert hall.start(OPENS, participant=1_002).opened


# Handing in


def test_a_hand_in_is_an_entry_and_a_receipt(hall: Hall) -> None:
    started = hall.start(OPENS)
    receipt = hall.hand_in(started, OPENS + MINUTE)
    assert (receipt.received, receipt.first) == (OPENS + MINUTE, True)
    assert hall.entries() == [(SHEET, OPENS + MINUTE, Kind.PERSON)]
    accepted = calls.read_accepted(hall.gateway, hall.card, ANNA, 1)
    assert accepted == (OPENS + MINUTE, receipt.text.partition("-")[2])


def test_the_first_answers_stand(hall: Hall) -> None:
    started = hall.start(OPENS)
    first = hall.hand_in(started, OPENS + MINUTE)
    for later in (OPENS + MINUTE, OPENS + 5 * MINUTE, OPENS + 60 * MINUTE):
        again = hall.hand_in(started, later, OTHER)
        assert (again.text, again.received, again.first) == (first.text, first.received, False)
    assert len(hall.entries()) == 1


@pytest.mark.parametrize("late_by", [0, 1, GRACE])
def test_a_sheet_is_taken_until_the_grace_is_over(hall: Hall, late_by: int) -> None:
    started = hall.start(OPENS)
    hall.hand_in(started, started.paper.deadline + late_by)
    assert hall.entries() == [(SHEET, started.paper.deadline + late_by, Kind.PERSON)]


def test_a_millisecond_after_the_grace_it_is_expired(hall: Hall) -> None:
    started = hall.start(OPENS)
    with pytest.raises(PaperExpired):
        hall.hand_in(started, started.paper.deadline + GRACE + 1)
    assert hall.entries() == []


def test_the_rounds_late_rule_takes_it_as_late(hall: Hall) -> None:
    with_card(hall, late=5 * MINUTE)
    started = hall.start(OPENS)
    end = started.paper.deadline + GRACE + 5 * MINUTE
    with pytest.raises(PaperExpired):
        hall.hand_in(started, end + 1)
    hall.hand_in(started, end)
    assert hall.entries() == [(SHEET, end, Kind.LATE)]


def test_a_hand_in_makes_room_for_the_next_attempt(hall: Hall) -> None:
    hall.hand_in(hall.start(OPENS), OPENS + 1)
    assert hall.start(OPENS + 2).paper.attempt == 2
    assert hall.redis.zcard(keys.open_attempts(7, ANNA % 4)) == 1


def test_the_attempts_own_deadline_wins_over_the_tokens(hall: Hall) -> None:
    """Extra time and pauses are written onto the attempt; the token in the phone still says the old time."""
    started = hall.start(OPENS)
    name, shard = f"{ANNA}:1", ANNA % 4
    raw = hall.redis.hget(keys.attempts(7, shard), name)
    state, began, deadline, meta = msgspec.msgpack.decode(raw, type=tuple[int, int, int, msgspec.Raw])
    longer = msgspec.msgpack.encode((state, began, deadline + 20 * MINUTE, meta))
    hall.redis.hset(keys.attempts(7, shard), name, longer)
    hall.draft(started, started.paper.deadline + 19 * MINUTE)
    hall.hand_in(started, started.paper.deadline + 20 * MINUTE)
    assert [kind for *_, kind in hall.entries()] == [Kind.PERSON]


# Drafts


def test_the_last_draft_stands_by_its_number(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, OPENS + 1, [1] * 10, seq=2)
    hall.draft(started, OPENS + 2, [2] * 10, seq=1)  # overtaken on the way
    assert hall.kept() == [1] * 10
    hall.draft(started, OPENS + 3, [4] * 10, seq=2)  # without numbers, the later one
    hall.draft(started, OPENS + 4, [8] * 10, seq=10)
    assert hall.kept() == [8] * 10


def test_a_draft_with_any_bytes_in_it_comes_back(hall: Hall) -> None:
    """The separator of the record may occur in the event that it wraps."""
    started = hall.start(OPENS)
    dots = [ord(".")] * 10
    hall.draft(started, OPENS + 1, dots, seq=46)
    assert hall.kept() == dots
    hall.settle(1, started.paper.deadline + GRACE + 1)
    assert hall.entries() == [(dots, started.paper.deadline, Kind.DEADLINE)]


def test_a_draft_after_the_hand_in_changes_nothing_and_is_no_error(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, OPENS + 1)
    hall.hand_in(started, OPENS + 2)
    hall.draft(started, OPENS + 3, OTHER, seq=9)
    assert hall.kept() is None
    assert hall.entries() == [(SHEET, OPENS + 2, Kind.PERSON)]


def test_a_draft_after_the_grace_is_expired(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, started.paper.deadline + GRACE)
    with pytest.raises(PaperExpired):
        hall.draft(started, started.paper.deadline + GRACE + 1)


# What is overdue


def test_the_sweeper_hands_the_draft_in_at_the_deadline(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, OPENS + MINUTE)
    deadline = started.paper.deadline
    assert not hall.settle(1, deadline + GRACE)
    assert hall.entries() == []
    assert hall.settle(1, deadline + GRACE + 1)
    assert hall.settle(1, deadline + GRACE + 2)
    assert hall.entries() == [(SHEET, deadline, Kind.DEADLINE)]


def test_a_sheet_after_the_sweeper_gets_the_drafts_receipt(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, OPENS + MINUTE)
    hall.settle(1, started.paper.deadline + GRACE + 1)
    receipt = hall.hand_in(started, started.paper.deadline + 5 * MINUTE, OTHER)
    assert (receipt.received, receipt.first) == (started.paper.deadline, False)
    assert [answers for answers, *_ in hall.entries()] == [SHEET]


def test_a_sheet_before_the_sweeper_hands_the_draft_in_itself(hall: Hall) -> None:
    """The same entry and the same receipt, whoever comes first."""
    started = hall.start(OPENS)
    hall.draft(started, OPENS + MINUTE)
    receipt = hall.hand_in(started, started.paper.deadline + GRACE + 1, OTHER)
    assert receipt.received == started.paper.deadline
    assert hall.entries() == [(SHEET, started.paper.deadline, Kind.DEADLINE)]
    assert hall.settle(1, started.paper.deadline + GRACE + 2)
    assert hall.hand_in(started, started.paper.deadline + 9 * MINUTE).text == receipt.text
    assert len(hall.entries()) == 1


def test_without_a_draft_an_attempt_lapses_and_is_used(hall: Hall) -> None:
    started = hall.start(OPENS)
    over = started.paper.deadline + GRACE + 1
    assert hall.settle(1, over)
    with pytest.raises(PaperExpired):
        hall.hand_in(started, over)
    assert hall.start(over).paper.attempt == 2
    assert hall.entries() == []


def test_a_start_settles_the_overdue_attempt_that_the_sweeper_missed(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, OPENS + MINUTE)
    again = hall.start(started.paper.deadline + GRACE + 1)
    assert (again.paper.attempt, again.opened) == (2, True)
    assert hall.entries() == [(SHEET, started.paper.deadline, Kind.DEADLINE)]


def test_a_lapsed_attempt_is_still_taken_by_the_late_rule(hall: Hall) -> None:
    with_card(hall, late=5 * MINUTE)
    started = hall.start(OPENS)
    hall.settle(1, started.paper.deadline + GRACE + 1)
    hall.hand_in(started, started.paper.deadline + GRACE + MINUTE)
    assert [kind for *_, kind in hall.entries()] == [Kind.LATE]


# A Redis that is not there, or lost what it had


def test_nothing_is_taken_by_a_redis_that_was_not_primed(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.redis.flushall()
    for refused in (
        lambda: hall.start(OPENS + 1),
        lambda: hall.hand_in(started, OPENS + 1),
        lambda: hall.draft(started, OPENS + 1),
        lambda: hall.settle(1, OPENS + 60 * MINUTE),
    ):
        with pytest.raises(IntakeUnavailable):
            refused()
    assert hall.redis.dbsize() == 0


def test_an_open_paper_goes_on_after_redis_lost_everything(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.lose_everything()
    hall.draft(started, OPENS + 1)
    hall.hand_in(started, OPENS + 2)
    assert hall.entries() == [(SHEET, OPENS + 2, Kind.PERSON)]
    # The cap goes on from the highest attempt seen.
    assert hall.start(OPENS + 3).paper.attempt == 2


def test_an_expired_token_without_a_record_is_expired(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.lose_everything()
    with pytest.raises(PaperExpired):
        hall.hand_in(started, started.paper.deadline + GRACE + 1)


def test_a_receipt_brings_its_entry_again_with_the_time_it_proves(hall: Hall) -> None:
    started = hall.start(OPENS)
    receipt = hall.hand_in(started, OPENS + MINUTE)
    hall.lose_everything()
    again = hall.hand_in(started, OPENS + 60 * MINUTE, receipt=receipt.text)
    assert (again.text, again.received) == (receipt.text, OPENS + MINUTE)
    assert hall.entries() == [(SHEET, OPENS + MINUTE, Kind.PERSON)]


def test_a_receipt_proves_nothing_for_other_answers(hall: Hall) -> None:
    started = hall.start(OPENS)
    receipt = hall.hand_in(started, OPENS + MINUTE)
    hall.lose_everything()
    with pytest.raises(PaperExpired):
        hall.hand_in(started, OPENS + 60 * MINUTE, OTHER, receipt=receipt.text)
    with pytest.raises(PaperExpired):
        hall.hand_in(started, OPENS + 60 * MINUTE, receipt="A" * 24 + "-" + "B" * 24)
    assert hall.entries() == []


def test_the_receipt_of_a_draft_that_the_deadline_handed_in_proves_it_too(hall: Hall) -> None:
    started = hall.start(OPENS)
    hall.draft(started, OPENS + MINUTE)
    signed = hall.signer.verify_paper(started.token)
    over = started.paper.deadline + GRACE + 1
    receipt = hall.hand_in(started, over, OTHER)
    hall.lose_everything()
    again = calls.hand_in(hall.gateway, hall.signer, hall.card, signed, SHEET, None, over + MINUTE, receipt.text)
    assert (again.text, again.received) == (receipt.text, started.paper.deadline)


def test_priming_restores_what_the_tables_know_and_never_overwrites(hall: Hall) -> None:
    started = hall.start(OPENS)
    receipt = hall.hand_in(started, OPENS + MINUTE)
    later = hall.start(OPENS + 2 * MINUTE)
    hall.lose_everything()
    hall.hand_in(later, OPENS + 3 * MINUTE)
    primer.write_attempts(hall.redis, hall.card, [(ANNA, 1, OPENS + MINUTE)])
    assert hall.start(OPENS + 4 * MINUTE).paper.attempt == 3
    # Known to be in the tables: no second entry.
    assert not hall.hand_in(started, OPENS + 5 * MINUTE, receipt=receipt.text).first
    assert len(hall.entries()) == 1


def test_whether_a_round_is_primed_is_asked_of_every_shard(hall: Hall) -> None:
    assert primer.is_primed(hall.redis, hall.card)
    hall.redis.delete(keys.config(7, 2))
    assert not primer.is_primed(hall.redis, hall.card)
    primer.write_configs(hall.redis, hall.card)
    assert primer.is_primed(hall.redis, hall.card)


def test_forgetting_a_round_leaves_nothing_of_it(hall: Hall) -> None:
    hall.draft(hall.start(OPENS), OPENS + 1)
    hall.hand_in(hall.start(OPENS, participant=5), OPENS + 1)
    primer.write_bars(hall.redis, hall.card, [(9, None)])
    primer.forget_round(hall.redis, hall.card)
    assert list(hall.redis.scan_iter("{r7:*")) == []
