"""When the demo's rounds are: 23 weeks in a row, laid so that the twelfth is open today."""

from __future__ import annotations

from datetime import datetime, timedelta

from quiz import clock

ROUNDS = 23
OPEN_ROUND = 12
WEEK = timedelta(days=7)
_WEDNESDAY, _FRIDAY = 2, 4


def windows(now: datetime) -> list[tuple[datetime, datetime]]:
    """Opening and closing of each round.

    The weeks begin on Monday, 0:00 in Vietnam, if that leaves the open one at least two days behind it and two
    before it; otherwise they begin three days before today.
    """
    today = now.astimezone(clock.CONTEST_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    back = today.weekday() if _WEDNESDAY <= today.weekday() <= _FRIDAY else 3
    first = today - timedelta(days=back) - (OPEN_ROUND - 1) * WEEK
    return [(first + number * WEEK, first + (number + 1) * WEEK) for number in range(ROUNDS)]
