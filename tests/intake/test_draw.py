"""Papers: the same again from the same three values, and no question or place favoured over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.intake.draw import BY_LOT, EVENLY, Plan, Stratum, by_lot, draw, evenly, rotations

SECRET = b"\x05" * 32
WHOLE_BANK = [Stratum(tuple(range(20)), 10)]


def chi_square(counts: Counter[int], kinds: int) -> float:
    expected = sum(counts.values()) / kinds
    return sum((counts[kind] - expected) ** 2 / expected for kind in range(kinds))


def spread(seen: Iterable[int], kinds: int) -> float:
    return chi_square(Counter(seen), kinds)


# Of a fair draw only one statistic in a million is above this, for 4 and for 20 kinds; ours is the same in every run.
LIMIT = {4: 31.0, 20: 64.0}


WAYS = pytest.mark.parametrize("way", [BY_LOT, EVENLY], ids=["by lot", "evenly"])


def papers(way: int, strata: Sequence[Stratum] = WHOLE_BANK, attempt: int = 1, people: int = 4_000) -> list[list[int]]:
    return [draw(SECRET, participant, attempt, Plan(way, tuple(strata))) for participant in range(people)]


def test_a_paper_drawn_last_week_is_drawn_again_today() -> None:
    """Written down once: papers of a running contest are drawn again by the code that replaces this."""
    parts = [Stratum((0, 2, 4, 6), 2), Stratum((1, 3, 5), 1)]
    assert by_lot(SECRET, 123_456, 2, WHOLE_BANK) == [9, 8, 18, 4, 6, 17, 3, 13, 14, 16]
    assert by_lot(SECRET, 123_456, 2, parts) == [0, 2, 3]
    assert [evenly(SECRET, 123_456, attempt, WHOLE_BANK) for attempt in (1, 2, 3)] == [
        [15, 19, 4, 14, 1, 16, 5, 17, 7, 10],
        [9, 6, 13, 8, 0, 2, 11, 3, 12, 18],
        [11, 14, 6, 10, 2, 12, 19, 3, 16, 18],
    ]
    assert [evenly(SECRET, 123_456, attempt, parts) for attempt in (1, 2, 3, 4)] == [
        [6, 5, 4],
        [1, 0, 2],
        [6, 4, 3],
        [2, 5, 4],
    ]
    assert [turn % 4 for turn in rotations(SECRET, 123_456, 2, 5)] == [3, 0, 3, 2, 0]


@WAYS
@given(st.integers(0, 2**40), st.integers(1, 1_000), st.integers(1, 20))
def test_a_paper_has_each_question_once(way: int, participant: int, attempt: int, count: int) -> None:
    drawn = draw(SECRET, participant, attempt, Plan(way, (Stratum(tuple(range(20)), count),)))
    assert len(drawn) == len(set(drawn)) == count
    assert set(drawn) <= set(range(20))


@WAYS
@given(st.integers(1, 10_000), st.integers(1, 9))
def test_each_stratum_gives_its_share(way: int, participant: int, attempt: int) -> None:
    strata = (Stratum((0, 1, 2, 3, 4), 2), Stratum((10, 11, 12), 3), Stratum((20, 21), 1))
    drawn = draw(SECRET, participant, attempt, Plan(way, strata))
    assert [len(set(drawn) & set(stratum.places)) for stratum in strata] == [2, 3, 1]
    assert len(drawn) == 6


@WAYS
def test_another_person_attempt_or_round_gets_another_paper(way: int) -> None:
    plan = Plan(way, tuple(WHOLE_BANK))
    base = draw(SECRET, 1, 1, plan)
    others = [draw(SECRET, 1, 2, plan), draw(SECRET, 2, 1, plan), draw(b"\x06" * 32, 1, 1, plan)]
    assert all(other != base for other in others)
    assert draw(SECRET, 1, 1, plan) == base


@WAYS
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_every_question_comes_as_often_and_everywhere_as_often(way: int, attempt: int) -> None:
    drawn = papers(way, attempt=attempt)
    assert spread((place for paper in drawn for place in paper), 20) < LIMIT[20]
    for position in range(10):
        assert spread((paper[position] for paper in drawn), 20) < LIMIT[20]


@WAYS
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_strata_are_mixed_over_the_paper(way: int, attempt: int) -> None:
    """The hard questions of a blueprint don't all stand at its end."""
    drawn = papers(way, [Stratum(tuple(range(10)), 5), Stratum(tuple(range(10, 20)), 5)], attempt)
    for position in range(10):
        assert spread((paper[position] for paper in drawn), 20) < LIMIT[20]


PARTS = (Stratum(tuple(range(13)), 4), Stratum(tuple(range(20, 29)), 3), Stratum((40, 41, 42), 3))


@given(st.integers(0, 2**40))
def test_nobody_meets_a_question_again_before_having_seen_all_of_its_part(participant: int) -> None:
    attempts = [set(evenly(SECRET, participant, attempt, PARTS)) for attempt in range(1, 5)]
    for part in PARTS:
        seen: list[int] = []
        for drawn in attempts:
            here = drawn & set(part.places)
            fresh = min(len(here), len(part.places) - len(set(seen)))
            assert len(here - set(seen)) == fresh
            seen += here
        assert set(seen) == set(part.places)


def test_all_questions_of_a_part_wear_evenly_over_twenty_thousand_papers() -> None:
    """A bank of 60, ten a paper; people make one to seven attempts, most of them one or two."""
    bank = [Stratum(tuple(range(60)), 10)]
    shown: Counter[int] = Counter()
    person = drawn = 0
    while drawn < 20_000:
        person += 1
        for attempt in range(1, 2 + (person * 7_919) % 13 // 2):
            shown.update(evenly(SECRET, person, attempt, bank))
            drawn += 1
    # Of a fair draw only one in a million is above this with 60 kinds.
    assert chi_square(shown, 60) < 124
    assert max(shown.values()) / min(shown.values()) < 1.1


def test_what_somebody_got_says_nothing_of_what_a_neighbour_gets() -> None:
    pairs = Counter(
        (evenly(SECRET, person, 1, WHOLE_BANK)[0] % 4, evenly(SECRET, person + 1, 1, WHOLE_BANK)[0] % 4)
        for person in range(0, 16_000, 2)
    )
    assert chi_square(Counter({4 * a + b: n for (a, b), n in pairs.items()}), 16) < 58


def test_options_are_turned_by_every_angle_as_often() -> None:
    turns = [rotations(SECRET, participant, 1, 10) for participant in range(4_000)]
    for position in range(10):
        assert spread((paper[position] % 4 for paper in turns), 4) < LIMIT[4]


@WAYS
def test_a_turn_says_nothing_about_the_draw(way: int) -> None:
    """Both come from one secret: a common stream would tie a question's place to its options' order."""
    drawn = papers(way, people=8_000)
    pairs = Counter(
        (paper[0] % 4, rotations(SECRET, participant, 1, 1)[0] % 4) for participant, paper in enumerate(drawn)
    )
    assert chi_square(Counter({4 * a + b: n for (a, b), n in pairs.items()}), 16) < 58


def test_the_measure_sees_a_draw_that_is_not_fair() -> None:
    """What a swap with any place, instead of a later one, would do: some orders come out more often."""

    def naive(participant: int) -> list[int]:
        pool = list(range(4))
        for index, word in enumerate(rotations(SECRET, participant, 1, 4)):
            other = word % 4
            pool[index], pool[other] = pool[other], pool[index]
        return pool

    worst = max(spread((naive(participant)[position] for participant in range(20_000)), 4) for position in range(4))
    assert worst > LIMIT[4]
