"""Papers whose questions come one by one: whose turn it is, what counts, what is kept. Time is an argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from redis import Redis

from quiz.intake import calls, keys, primer, steps
from quiz.intake.calls import Receipt, Started, Starter
from quiz.intake.errors import IntakeUnavailable, InvalidAnswers, PaperExpired
from quiz.intake.events import Kind, decode_event, encode_event, event_head
from quiz.intake.gateway import Gateway
from quiz.intake.season import ContestCard, RoundCard, Season
from quiz.intake.signing import SignedPaper, Signer
from quiz.intake.steps import Act, Answered, Asked, Steps
from scoring.rules import Rules, rules_document
from tests.making import OPENS, card, open_round, paper

ANNA = 1_001
EACH = 20_000
COUNT = 10
LIMIT = COUNT * EACH
GRACE = 30_000
OVER = OPENS + LIMIT + GRACE + 1


def stepped_card(**changes: Any) -> RoundCard:
    """A round of 10 questions of 20 seconds each, grace 30 s."""
    return card(limit=LIMIT, grace=GRACE, **changes)


@dataclass
class Walk:
    """One person's way through a paper."""

    redis: Redis
    gateway: Gateway
    signer: Signer
    card: RoundCard

    @property
    def season(self) -> Season:
        return Season(1, [ContestCard(1, "cuoc-thi", "Cuộc thi", True, [self.card])])

    def start(self, now: int = OPENS) -> SignedPaper:
        who = Starter(participant=ANNA, unit=31, auth_epoch=0, device="d1")
        self.started = calls.start(self.gateway, self.signer, 0, self.season, self.card, who, now)
        return self.read(steps.without_questions(self.signer, self.started))

    def read(self, started: Started) -> SignedPaper:
        return steps.whole(self.card, self.season, self.signer.verify_paper(started.token))

    def step(self, signed: SignedPaper, now: int, number: int = 0, mask: int = 0, **more: Any) -> Asked:
        return steps.step(self.gateway, self.card, signed, now, answered=Answered(number, mask), **more)

    def look(self, signed: SignedPaper, now: int) -> Asked:
        return steps.step(self.gateway, self.card, signed, now, Act.LOOK)

    def hand_in(self, signed: SignedPaper, now: int, masks: list[int]) -> Receipt:
        return calls.hand_in(self.gateway, self.signer, self.card, signed, masks, None, now)

    def settle(self, now: int) -> bool:
        return calls.settle(self.gateway, self.signer, self.card, ANNA, 1, now)

    def entries(self) -> list[tuple[list[int], int | None, int, int]]:
        """(answers, prediction, received, kind) of all that is in the streams."""
        found = []
        for shard in range(self.card.shards):
            for _, fields in self.redis.xrange(keys.entries(self.card.id, shard)):
                event, of, kind = decode_event(fields[b"e"])
                assert len(of.questions) == COUNT
                found.append((event.answers, event.prediction, event.received, kind))
        return found

    def lose_everything(self) -> None:
        self.redis.flushall()
        open_round(self.redis, self.card)


@pytest.fixture
def walk(intake: Redis, gateway: Gateway, signer: Signer) -> Walk:
    rules = rules_document(Rules(seconds=LIMIT // 1000, seconds_per_question=EACH // 1000))
    opened = msgspec.structs.replace(stepped_card(), rules=rules)
    return Walk(intake, gateway, signer, open_round(intake, opened))


def masks_of(asked: Asked) -> list[int]:
    assert asked.steps is not None
    return asked.steps.masks


def first(*masks: int) -> list[int]:
    return [*masks, *([0] * (COUNT - len(masks)))]


# Whose turn it is


def test_the_token_does_not_say_what_comes(walk: Walk) -> None:
    walk.start()
    hidden = steps.without_questions(walk.signer, walk.started)
    assert walk.signer.verify_paper(hidden.token).paper.questions == []
    # The server knows all the same, and signs for it what an ordinary paper would say.
    signed = walk.read(hidden)
    assert signed.paper == walk.started.paper
    assert signed.payload == walk.signer.verify_paper(walk.started.token).payload


def test_the_first_question_is_asked_with_the_start(walk: Walk) -> None:
    signed = walk.start()
    asked = walk.step(signed, OPENS + 5)
    assert (asked.number, asked.ends, asked.late) == (1, OPENS + EACH, False)


def test_an_answer_brings_the_next_question_with_its_own_time(walk: Walk) -> None:
    signed = walk.start()
    asked = walk.step(signed, OPENS + 7_000, 1, 4)
    assert (asked.number, asked.ends) == (2, OPENS + 7_000 + EACH)
    assert masks_of(asked) == first(4)


def test_a_repeated_call_gets_the_same_question_with_what_is_left(walk: Walk) -> None:
    signed = walk.start()
    once = walk.step(signed, OPENS + 7_000, 1, 4)
    for now, number, mask in ((OPENS + 7_001, 1, 4), (OPENS + 9_000, 1, 2), (OPENS + 11_000, 0, 0)):
        assert walk.step(signed, now, number, mask) == once


def test_there_is_no_way_back(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 1)
    walk.step(signed, OPENS + 2, 2, 2)
    assert masks_of(walk.step(signed, OPENS + 3, 1, 8)) == first(1, 2)


def test_a_question_can_be_left_out(walk: Walk) -> None:
    signed = walk.start()
    asked = walk.step(signed, OPENS + 1, 1, 0)
    assert (asked.number, masks_of(asked)) == (2, first())


def test_nobody_answers_ahead(walk: Walk) -> None:
    signed = walk.start()
    for number in (2, 5, COUNT, COUNT + 2):
        for mask in (1, steps.UNFIT):
            with pytest.raises(InvalidAnswers, match="unknown_question"):
                walk.step(signed, OPENS + 1, number, mask)
    assert walk.step(signed, OPENS + 2).number == 1


def test_an_answer_that_does_not_fit_changes_nothing(walk: Walk) -> None:
    signed = walk.start()
    unfit = Answered(1, steps.UNFIT, InvalidAnswers("answers.5", "unknown_option"))
    with pytest.raises(InvalidAnswers, match=r"answers\.5: unknown_option"):
        steps.step(walk.gateway, walk.card, signed, OPENS + 1, answered=unfit)
    assert walk.step(signed, OPENS + 2).number == 1


def test_after_the_last_answer_all_are_asked(walk: Walk) -> None:
    signed = walk.start()
    for number in range(1, COUNT + 1):
        asked = walk.step(signed, OPENS + number, number, 1 << number % 4)
    assert asked.number is None
    assert masks_of(asked) == [1 << number % 4 for number in range(1, COUNT + 1)]
    # Early as it is, the sheet can be handed in until the paper's own time is over.
    assert asked.ends == OPENS + LIMIT


# What counts, by the clock


@pytest.mark.parametrize("late_by", [0, 1, GRACE])
def test_an_answer_counts_until_its_seconds_and_the_grace_are_over(walk: Walk, late_by: int) -> None:
    signed = walk.start()
    asked = walk.step(signed, OPENS + EACH + late_by, 1, 4)
    assert (asked.number, masks_of(asked)) == (2, first(4))


def test_an_answer_after_that_does_not_count_and_the_next_comes(walk: Walk) -> None:
    signed = walk.start()
    asked = walk.step(signed, OPENS + EACH + GRACE + 1, 1, 4)
    assert (asked.number, masks_of(asked)) == (2, first())
    assert asked.ends == OPENS + EACH + GRACE + 1 + EACH


def test_a_call_without_an_answer_goes_on_only_when_the_time_is_over(walk: Walk) -> None:
    signed = walk.start()
    assert walk.step(signed, OPENS + EACH + GRACE).number == 1
    asked = walk.step(signed, OPENS + EACH + GRACE + 1)
    assert (asked.number, masks_of(asked)) == (2, first())


def test_looking_never_goes_on(walk: Walk) -> None:
    signed = walk.start()
    asked = walk.look(signed, OPENS + EACH + GRACE + 1)
    assert (asked.number, asked.late) == (1, True)
    assert not walk.look(signed, OPENS + EACH + GRACE).late
    assert walk.step(signed, OPENS + EACH + GRACE, 1, 4).number == 2


def test_the_grace_is_one_for_the_whole_paper(walk: Walk) -> None:
    """Otherwise a client that always waits would have twice the seconds for each question."""
    signed = walk.start()
    second = OPENS + EACH + 20_000
    assert masks_of(walk.step(signed, second, 1, 1)) == first(1)
    third = second + EACH + 10_000
    assert masks_of(walk.step(signed, third, 2, 2)) == first(1, 2)
    # All of it is used up: from here each question has its seconds and no more.
    assert walk.step(signed, third + EACH + 1, 3, 4).number == 4
    assert masks_of(walk.step(signed, third + 2 * EACH + 1, 4, 8)) == first(1, 2, 0, 8)


def test_who_is_slow_on_the_line_has_all_seconds_of_the_last_question(walk: Walk) -> None:
    """Two seconds lost with each step: the paper's own time is over, and its grace takes it up."""
    signed = walk.start()
    now = OPENS
    for number in range(1, COUNT):
        now += EACH + 2_000
        asked = walk.step(signed, now, number, 1)
    assert asked.ends == now + EACH > OPENS + LIMIT
    assert masks_of(walk.step(signed, now + EACH, COUNT, 1)) == [1] * COUNT


def test_the_paper_ends_with_its_own_deadline_and_grace(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    walk.step(signed, OPENS + LIMIT, 2, 4)
    last = walk.step(signed, OPENS + LIMIT + GRACE)
    assert (last.number, last.ends) == (3, OPENS + LIMIT + EACH)
    over = walk.step(signed, OVER, 3, 4)
    assert (over.number, masks_of(over)) == (None, first(4))


def test_without_an_answer_a_paper_whose_time_is_over_is_expired(walk: Walk) -> None:
    signed = walk.start()
    for act in Act:
        with pytest.raises(PaperExpired):
            steps.step(walk.gateway, walk.card, signed, OVER, act)
    assert walk.settle(OVER)
    with pytest.raises(PaperExpired):
        walk.step(signed, OVER + 1)
    assert walk.entries() == []


# What becomes of it


def test_the_sweeper_hands_in_what_was_stepped(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    walk.step(signed, OPENS + 2, 2, 8)
    assert not walk.settle(OVER - 1)
    assert walk.settle(OVER)
    assert walk.entries() == [(first(4, 8), None, OPENS + LIMIT, Kind.DEADLINE)]
    assert walk.step(signed, OVER + 1, 3, 1).steps is None


def test_a_hand_in_after_the_sweeper_gets_that_receipt(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    walk.settle(OVER)
    receipt = walk.hand_in(signed, OVER + 1, [1] * COUNT)
    assert (receipt.received, receipt.first) == (OPENS + LIMIT, False)
    # It proves the answers that were stepped.
    sheet = calls.sheet_bytes(first(4), None)
    assert walk.signer.proven_time(signed, sheet, receipt.text) == OPENS + LIMIT


def test_closing_takes_no_more_answers(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    closed = steps.step(walk.gateway, walk.card, signed, OPENS + 2, Act.CLOSE)
    assert (closed.number, masks_of(closed)) == (None, first(4))
    assert steps.step(walk.gateway, walk.card, signed, OPENS + 3, Act.CLOSE) == closed
    assert masks_of(walk.step(signed, OPENS + 3, 2, 8)) == first(4)


def test_a_prediction_is_kept_with_the_answers(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    steps.step(walk.gateway, walk.card, signed, OPENS + 2, Act.NOTE, prediction=0)
    assert masks_of(walk.step(signed, OPENS + 3, 2, 8)) == first(4, 8)
    walk.settle(OVER)
    assert walk.entries() == [(first(4, 8), 0, OPENS + LIMIT, Kind.DEADLINE)]


def test_a_handed_in_paper_takes_no_steps(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    walk.hand_in(signed, OPENS + 2, first(4))
    for act in Act:
        assert steps.step(walk.gateway, walk.card, signed, OPENS + 3, act).steps is None
    assert walk.redis.hlen(keys.drafts(7, ANNA % 4)) == 0
    assert [answers for answers, *_ in walk.entries()] == [first(4)]


def test_a_moved_window_leaves_the_steps_alone(walk: Walk) -> None:
    walk.card = open_round(walk.redis, msgspec.structs.replace(walk.card, windows=[(OPENS, OPENS + EACH)]))
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    walk.card = open_round(walk.redis, msgspec.structs.replace(walk.card, windows=[(OPENS, walk.card.closes)]))
    assert calls.reschedule(walk.gateway, walk.card) == 1
    assert masks_of(walk.step(signed, OPENS + EACH + GRACE + 10, 2, 8)) == first(4)
    assert masks_of(walk.step(signed, OPENS + EACH + GRACE + 20, 3, 8)) == first(4, 0, 8)


def test_the_record_goes_on_being_the_open_attempts(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    again = walk.start(OPENS + 2)
    assert again == signed
    assert not walk.started.opened


# A Redis that lost what it had


def test_nothing_is_stepped_in_a_redis_that_was_not_primed(walk: Walk) -> None:
    signed = walk.start()
    walk.redis.flushall()
    for act in Act:
        with pytest.raises(IntakeUnavailable):
            steps.step(walk.gateway, walk.card, signed, OPENS + 1, act)
    assert walk.redis.dbsize() == 0


def test_with_what_the_client_kept_a_paper_goes_on_where_it_was(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    kept = walk.step(signed, OPENS + 2, 2, 8).steps
    walk.lose_everything()
    asked = walk.step(signed, OPENS + 3, kept=kept)
    assert (asked.number, asked.ends) == (3, OPENS + 2 + EACH)
    assert masks_of(walk.step(signed, OPENS + 4, 3, 1, kept=kept)) == first(4, 8, 1)
    # From here the record is back, the sweeper knows of it, and nobody opens a second attempt beside it.
    assert walk.step(signed, OPENS + 5, kept=kept).number == 4
    assert walk.start(OPENS + 6) == signed
    walk.settle(OVER)
    assert walk.entries() == [(first(4, 8, 1), None, OPENS + LIMIT, Kind.DEADLINE)]


def test_without_it_a_paper_begins_again_in_the_time_that_is_left(walk: Walk) -> None:
    signed = walk.start()
    walk.step(signed, OPENS + 1, 1, 4)
    walk.lose_everything()
    asked = walk.step(signed, OPENS + EACH + GRACE + 1)
    assert (asked.number, masks_of(asked)) == (2, first())


def test_what_the_client_kept_never_overrules_the_record(walk: Walk) -> None:
    signed = walk.start()
    old = walk.step(signed, OPENS + 1, 1, 4).steps
    walk.step(signed, OPENS + 2, 2, 8)
    assert masks_of(walk.step(signed, OPENS + 3, 2, 1, kept=old)) == first(4, 8)


def test_a_lost_record_leaves_another_open_attempt_alone(walk: Walk) -> None:
    signed = walk.start()
    kept = walk.step(signed, OPENS + 1, 1, 4).steps
    walk.lose_everything()
    primer.write_attempts(walk.redis, walk.card, [(ANNA, 1, OPENS - 5)])
    walk.redis.hdel(keys.attempts(7, ANNA % 4), f"{ANNA}:1")
    second = walk.start(OPENS + 10)
    assert second.paper.attempt == 2
    walk.step(signed, OPENS + 11, 2, 8, kept=kept)
    assert walk.start(OPENS + 12).paper.attempt == 2
    walk.settle(OVER)
    assert [answers for answers, *_ in walk.entries()] == [first(4, 8)]


def test_kept_steps_are_read_for_their_own_start_only(walk: Walk) -> None:
    mine = paper(questions=[])
    held = Steps(3, OPENS, 0, first(4, 8), -1)
    sealed = steps.seal_kept(walk.signer, mine, held)
    assert steps.read_kept(walk.signer, mine, sealed) == held
    for change in ({"participant": 5}, {"attempt": 9}, {"round_id": 8}, {"issuer": 1}, {"started": OPENS}):
        assert steps.read_kept(walk.signer, paper(**change), sealed) is None
    for forged in (None, "", "k1.AAAA", sealed[:-3] + "AAA", walk.signer.seal(b"bearer", b"x")):
        assert steps.read_kept(walk.signer, mine, forged) is None


def test_an_event_begins_with_its_head(walk: Walk) -> None:
    """What Lua writes behind the head has to be what the drain reads; here the two forms are held together."""
    signed = walk.start()
    for answers in ([1, 2], [65_535] * COUNT):
        whole = encode_event(signed.payload, answers, 7, OPENS)
        assert whole.startswith(event_head(signed.payload) + msgspec.msgpack.encode(answers))


# Each test of the clock, once more without what it tests


@pytest.mark.parametrize(
    ("guard", "instead", "test"),
    [
        (
            "local counts = now <= since + each + grace - spent",
            "local counts = true",
            test_an_answer_after_that_does_not_count_and_the_next_comes,
        ),
        (
            "steps[3] = spent + math.max(0, now - since - each)",
            "",
            test_the_grace_is_one_for_the_whole_paper,
        ),
        ("if now > deadline + grace then", "if false then", test_the_paper_ends_with_its_own_deadline_and_grace),
        ("if answered > asked then return {'ahead'} end", "", test_nobody_answers_ahead),
    ],
)
def test_those_tests_see_a_step_without_its_guard(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, guard: str, instead: str, test: Callable[[Walk], None]
) -> None:
    script = steps.Script("step")
    source = script.source.decode()
    assert source.count(guard) == 1, "step.lua no longer has the guard that this test takes out"
    script.source = source.replace(guard, instead).encode()
    monkeypatch.setattr(steps, "STEP", script)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(walk)
