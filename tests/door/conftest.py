"""A door that a test opens and shuts: its load is what the test says, its clock stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from quiz.door.load import STEP, Door
from quiz.extensions import Platform


class Hand:
    """The monotonic clock of the doors of a test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


def step(door: Door, hand: Hand, late: float = 0.0) -> None:
    """A quarter of a second goes by, and the loop was so late."""
    hand.now += STEP
    door.pulse(late)


def until_called(door: Door, hand: Hand) -> None:
    """Until everybody who waits was called."""
    step(door, hand, late=2.0)
    while door.standing.waiting:
        step(door, hand, late=0.2)


@pytest.fixture
def shut(app: Flask, platform: Platform, hand: Hand) -> Iterator[Callable[[], Door]]:
    """Shuts the door of the application: its process is two seconds late."""
    held: Door = app.extensions["quiz80.door"]
    kept = dict(vars(held))

    def shut_now() -> Door:
        held.__init__(platform.gateway, patience_ms=600, monotonic=hand)  # type: ignore[misc]
        step(held, hand, late=2.0)
        hand.now += 1.0
        assert not held.lets_in()
        return held

    yield shut_now
    vars(held).clear()
    vars(held).update(kept)


@pytest.fixture
def door(shut: Callable[[], Door]) -> Door:
    """The door of the application, shut."""
    return shut()
