"""What the contest is at this moment: the round that matters now, and what comes after it. Pure functions of time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quiz.intake.season import ContestCard, RoundCard
from quiz.phases import window_at
from scoring.rules import Rules, rules_from


class State(StrEnum):
    OPEN = "open"
    PAUSED = "paused"
    """Between two windows of one round."""
    COMING = "coming"
    OVER = "over"
    """The last round has closed."""


@dataclass(frozen=True, slots=True)
class Today:
    card: RoundCard
    state: State
    until: int | None
    """ms: the end of the window, or the next opening; None when nothing comes any more."""
    coming: tuple[RoundCard, ...]
    """Rounds after this one, the next first."""


def today(contest: ContestCard, now: int) -> Today | None:
    """The round that is open, else the next to open, else the last there was; None without any round."""
    rounds = sorted(contest.rounds, key=lambda card: card.opens)
    if not rounds:
        return None
    place = next((place for place, card in enumerate(rounds) if now < card.closes), len(rounds) - 1)
    card = rounds[place]
    state, until = _state(card, now)
    return Today(card, state, until, tuple(rounds[place + 1 :]))


def _state(card: RoundCard, now: int) -> tuple[State, int | None]:
    if now >= card.closes:
        return State.OVER, None
    if now < card.opens:
        return State.COMING, card.windows[0][0]
    window = window_at(card.windows, now)
    if window is not None:
        return State.OPEN, window[1]
    following = next((opens for opens, _ in card.windows if opens > now), None)
    # After the last window and before the round's end nothing opens any more.
    return (State.OVER, None) if following is None else (State.PAUSED, following)


def rules_of(card: RoundCard) -> Rules:
    """The round's rules; they were validated when they were written."""
    return rules_from(card.rules)
