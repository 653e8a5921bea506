from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from quiz import clock


def test_now_has_a_zone_and_no_more_than_milliseconds() -> None:
    before = datetime.now(UTC)
    now = clock.now()
    assert now.microsecond % 1000 == 0
    assert timedelta(milliseconds=-1) < now - before < timedelta(seconds=5)


@given(st.integers(min_value=-(10**13), max_value=10**14))
def test_milliseconds_there_and_back(ms: int) -> None:
    assert clock.to_ms(clock.from_ms(ms)) == ms


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    instant = datetime(2026, 1, 6, 0, 0, 0, 123000, tzinfo=UTC)
    assert clock.to_ms(instant.astimezone(clock.CONTEST_ZONE)) == clock.to_ms(instant) == 1767657600123


def test_iso_speaks_the_contests_time() -> None:
    assert clock.iso(datetime(2026, 1, 5, 17, 0, tzinfo=UTC)) == "2026-01-06T00:00:00.000+07:00"


@given(st.integers(min_value=0, max_value=10**13))
def test_milliseconds_are_written_as_the_instant_would_be(ms: int) -> None:
    assert clock.iso_ms(ms) == clock.iso_ms(ms) == clock.iso(clock.from_ms(ms))
