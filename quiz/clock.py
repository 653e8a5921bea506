"""Time, read once at the edge and passed in from there.

Only blueprints, commands and job functions call `now`; services, intake and scoring receive the instant.
"""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CONTEST_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """The server's clock, in UTC, to the millisecond: intake keeps milliseconds, so nothing finer is compared."""
    # Of whole milliseconds the fraction comes out exactly: a double has room for a tenth of a microsecond.
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, exactly (no floating point on the way)."""
    return (instant - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def iso(instant: datetime) -> str:
    """ISO 8601 with the contest's offset, in milliseconds: what the API sends."""
    return instant.astimezone(CONTEST_ZONE).isoformat(timespec="milliseconds")


def iso_ms(milliseconds: int) -> str:
    """The same of milliseconds since 1970; of a second that was asked for lately only the fraction is written."""
    second, rest = divmod(milliseconds, 1000)
    text = _iso_second(second)
    return f"{text[:19]}.{rest:03}{text[19:]}"


@functools.lru_cache(maxsize=1024)
def _iso_second(second: int) -> str:
    return from_ms(second * 1000).astimezone(CONTEST_ZONE).isoformat(timespec="seconds")
