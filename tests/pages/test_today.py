"""Which round the home page is about, at every kind of moment."""

from __future__ import annotations

import msgspec
import pytest

from quiz.intake.season import ContestCard, RoundCard
from quiz.services.today import State, today
from tests.making import CLOSES, MINUTE, OPENS, card

WEEK = CLOSES - OPENS
DAY = 24 * 60 * MINUTE


def contest(*rounds: RoundCard) -> ContestCard:
    made = ContestCard(1, "cuoc-thi", "Cuộc thi", True, [])
    return msgspec.structs.replace(made, rounds=list(rounds))


def week(number: int, **changes: object) -> RoundCard:
    opens = OPENS + (number - 1) * (WEEK + DAY)
    times = {"opens": opens, "closes": opens + WEEK, "windows": [(opens, opens + WEEK)]}
    return card(id=number, number=number, **(times | changes))


@pytest.mark.parametrize(
    ("at", "number", "state", "until", "coming"),
    [
        (OPENS - 1, 1, State.COMING, OPENS, [2, 3]),
        (OPENS, 1, State.OPEN, CLOSES, [2, 3]),
        (CLOSES - 1, 1, State.OPEN, CLOSES, [2, 3]),
        (CLOSES, 2, State.COMING, CLOSES + DAY, [3]),
        (CLOSES + DAY, 2, State.OPEN, CLOSES + DAY + WEEK, [3]),
        (OPENS + 3 * (WEEK + DAY), 3, State.OVER, None, []),
    ],
)
def test_the_round_that_matters(at: int, number: int, state: State, until: int | None, coming: list[int]) -> None:
    found = today(contest(week(3), week(1), week(2)), at)
    assert found is not None
    assert (found.card.number, found.state, found.until) == (number, state, until)
    assert [each.number for each in found.coming] == coming


@pytest.mark.parametrize(
    ("at", "state", "until"),
    [
        (OPENS, State.COMING, None),
        (OPENS + DAY, State.OPEN, OPENS + 2 * DAY),
        (OPENS + 2 * DAY, State.PAUSED, OPENS + 3 * DAY),
        (OPENS + 3 * DAY, State.OPEN, OPENS + 4 * DAY),
        (OPENS + 4 * DAY, State.OVER, None),
    ],
)
def test_a_round_of_several_windows(at: int, state: State, until: int | None) -> None:
    windows = [(OPENS + DAY, OPENS + 2 * DAY), (OPENS + 3 * DAY, OPENS + 4 * DAY)]
    found = today(contest(week(1, windows=windows)), at)
    assert found is not None
    # Before its first window an open round is one that is still to come.
    if state is State.COMING:
        assert found.state in (State.COMING, State.PAUSED)
        assert found.until == OPENS + DAY
    else:
        assert (found.state, found.until) == (state, until)


def test_a_contest_without_rounds() -> None:
    assert today(contest(), OPENS) is None
