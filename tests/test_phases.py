"""The phase of a round, sampled at, just before and just after every boundary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quiz.phases import Phase, phase_of, window_at

OPENS = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
CLOSES = datetime(2026, 3, 8, 3, 0, tzinfo=UTC)
SET = datetime(2026, 2, 1, tzinfo=UTC)
TICK = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - timedelta(days=9), Phase.SCHEDULED),
        (OPENS - TICK, Phase.SCHEDULED),
        (OPENS, Phase.OPEN),
        (OPENS + TICK, Phase.OPEN),
        (CLOSES - TICK, Phase.OPEN),
        (CLOSES, Phase.CLOSED),
        (CLOSES + timedelta(days=9), Phase.CLOSED),
    ],
)
def test_the_clock_alone_opens_and_closes(now: datetime, expected: Phase) -> None:
    times = {"opens_at": OPENS, "closes_at": CLOSES, "now": now}
    assert phase_of(**times, scheduled_at=SET, finalized_at=None, published_at=None) is expected
    assert phase_of(**times, scheduled_at=None, finalized_at=None, published_at=None) is Phase.DRAFT
    assert phase_of(**times, scheduled_at=SET, finalized_at=SET, published_at=None) is Phase.FINAL
    assert phase_of(**times, scheduled_at=SET, finalized_at=SET, published_at=SET) is Phase.PUBLISHED


def test_windows_are_half_open_and_may_have_gaps() -> None:
    windows = [(100, 200), (200, 300), (400, 500)]
    assert [window_at(windows, at) for at in (99, 100, 199, 200, 299, 300, 399, 400, 499, 500)] == [
        *(None, (100, 200), (100, 200), (200, 300), (200, 300)),
        *(None, None, (400, 500), (400, 500), None),
    ]
    assert window_at([], 0) is None
