"""Papers: the same again from the same three values, and no question or place favoured over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from quiz.intake.draw import Stratum, draw, rotations

SECRET = b"\x05" * 32
WHOLE_BANK = [Stratum(tuple(range(20)), 10)]


def chi_square(counts: Counter[int], kinds: int) -> float:
    expected = sum(counts.values()) / kinds
    return sum((counts[kind] - expected) ** 2 / expected for kind in range(kinds))


def spread(seen: Iterable[int], kinds: int) -> float:
    return chi_square(Counter(seen), kinds)


# Of a fair draw only one statistic in a million is above this, for 4 and for 20 kinds; ours is the same in every run.
LIMIT = {4: 31.0, 20: 64.0}


def test_a_paper_drawn_last_week_is_drawn_again_today() -> None:
    """Written down once: papers of a running contest are drawn again by the code that replaces this."""
    assert draw(SECRET, 123_456, 2, WHOLE_BANK) == [9, 8, 18, 4, 6, 17, 3, 13, 14, 16]
    assert draw(SECRET, 123_456, 2, [Stratum((0, 2, 4, 6), 2), Stratum((1, 3, 5), 1)]) == [0, 2, 3]
    assert [turn % 4 for turn in rotations(SECRET, 123_456, 2, 5)] == [3, 0, 3, 2, 0]


@given(st.integers(0, 2**40), st.integers(1, 1_000), st.integers(1, 20))
def test_a_paper_has_each_question_once(participant: int, attempt: int, count: int) -> None:
    drawn = draw(SECRET, participant, attempt, [Stratum(tuple(range(20)), count)])
    assert len(drawn) == len(set(drawn)) == count
    assert set(drawn) <= set(range(20))


@given(st.integers(1, 10_000))
def test_each_stratum_gives_its_share(participant: int) -> None:
    strata = [Stratum((0, 1, 2, 3, 4), 2), Stratum((10, 11, 12), 3), Stratum((20, 21), 1)]
    drawn = draw(SECRET, participant, 1, strata)
    assert [len(set(drawn) & set(stratum.places)) for stratum in strata] == [2, 3, 1]


def test_another_person_attempt_or_round_gets_another_paper() -> None:
    base = draw(SECRET, 1, 1, WHOLE_BANK)
    others = [draw(SECRET, 1, 2, WHOLE_BANK), draw(SECRET, 2, 1, WHOLE_BANK), draw(b"\x06" * 32, 1, 1, WHOLE_BANK)]
    assert all(other != base for other in others)
    assert draw(SECRET, 1, 1, WHOLE_BANK) == base


def test_every_question_comes_as_often_and_everywhere_as_often() -> None:
    papers = [draw(SECRET, participant, 1, WHOLE_BANK) for participant in range(4_000)]
    assert spread((place for paper in papers for place in paper), 20) < LIMIT[20]
    for position in range(10):
        assert spread((paper[position] for paper in papers), 20) < LIMIT[20]


def test_strata_are_mixed_over_the_paper() -> None:
    """The hard questions of a blueprint don't all stand at its end."""
    strata = [Stratum(tuple(range(10)), 5), Stratum(tuple(range(10, 20)), 5)]
    papers = [draw(SECRET, participant, 1, strata) for participant in range(4_000)]
    for position in range(10):
        assert spread((paper[position] for paper in papers), 20) < LIMIT[20]


def test_options_are_turned_by_every_angle_as_often() -> None:
    turns = [rotations(SECRET, participant, 1, 10) for participant in range(4_000)]
    for position in range(10):
        assert spread((paper[position] % 4 for paper in turns), 4) < LIMIT[4]


def test_a_turn_says_nothing_about_the_draw() -> None:
    """Both come from one secret: a common stream would tie a question's place to its options' order."""
    pairs = Counter(
        (draw(SECRET, participant, 1, WHOLE_BANK)[0] % 4, rotations(SECRET, participant, 1, 1)[0] % 4)
        for participant in range(8_000)
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
