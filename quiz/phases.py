"""The phase of a round: a pure function of time and of the two human steps (standard library only)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum


class Phase(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSED = "closed"
    FINAL = "final"
    PUBLISHED = "published"


def phase_of(
    *,
    opens_at: datetime,
    closes_at: datetime,
    scheduled_at: datetime | None,
    finalized_at: datetime | None,
    published_at: datetime | None,
    now: datetime,
) -> Phase:
    """Draft → scheduled, final and published are set by people; open and closed by the clock alone.

    The window is half open: a round that closes at 10:00 takes its last start just before.
    """
    if published_at is not None:
        return Phase.PUBLISHED
    if finalized_at is not None:
        return Phase.FINAL
    if scheduled_at is None:
        return Phase.DRAFT
    if now < opens_at:
        return Phase.SCHEDULED
    return Phase.OPEN if now < closes_at else Phase.CLOSED


def window_at(windows: Sequence[tuple[int, int]], at_ms: int) -> tuple[int, int] | None:
    """The window [opens, closes) in milliseconds that holds `at_ms`, or None between windows."""
    for opens, closes in windows:
        if opens <= at_ms < closes:
            return opens, closes
    return None
