"""Numbers, times and durations as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from quiz import clock, wording

WHEN = datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)
"""Midnight in Vietnam, the 24th."""


@pytest.fixture(params=["vi", "en"])
def language(request: pytest.FixtureRequest, app: Flask) -> Iterator[str]:
    with app.test_request_context(), force_locale(request.param):
        yield request.param


def test_numbers(language: str) -> None:
    expected = {
        "vi": ("1.234.567", "74,3\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%"),
        "en": ("1,234,567", "74.3%", "100%"),
    }
    assert (wording.number(1234567), wording.percent(74.26), wording.percent(100)) == expected[language]


def test_times(language: str) -> None:
    expected = {
        "vi": ("24/11/2026", "0:00 thứ Ba 24/11", "00:00:05 24/11/2026"),
        "en": ("24 Nov 2026", "00:00 Tue 24 Nov", "00:00:05 24 Nov 2026"),
    }
    assert (wording.day(WHEN), wording.moment(clock.to_ms(WHEN)), wording.exact(WHEN)) == expected[language]


@pytest.mark.parametrize(
    ("milliseconds", "vi", "en"),
    [
        (0, "0 giây", "0 seconds"),
        (999, "0 giây", "0 seconds"),
        (1_000, "1 giây", "1 second"),
        (462_000, "7 phút 42 giây", "7 minutes 42 seconds"),
        (600_000, "10 phút", "10 minutes"),
        (7_500_000, "2 giờ 5 phút", "2 hours 5 minutes"),
        (90_000_000, "1 ngày 1 giờ", "1 day 1 hour"),
        (86_400_000, "1 ngày", "1 day"),
    ],
)
def test_durations_name_the_two_greatest_units(language: str, milliseconds: int, vi: str, en: str) -> None:
    assert wording.duration(milliseconds) == {"vi": vi, "en": en}[language]


def test_what_was_written_without_a_catalogue_is_not_remembered_for_readers(made_app: Flask) -> None:
    milliseconds = 461_000
    assert wording.duration(milliseconds) == "7 minutes 41 seconds"
    with made_app.test_request_context():
        assert wording.duration(milliseconds) == "7 phút 41 giây"


@pytest.mark.parametrize(
    ("passed", "vi", "en"),
    [
        (timedelta(seconds=59), "vừa xong", "just now"),
        (timedelta(seconds=-5), "vừa xong", "just now"),
        (timedelta(minutes=3), "3 phút trước", "3 minutes ago"),
        (timedelta(hours=1), "1 giờ trước", "1 hour ago"),
        (timedelta(days=2), "24/11/2026", "24 Nov 2026"),
    ],
)
def test_how_long_ago(language: str, passed: timedelta, vi: str, en: str) -> None:
    assert wording.ago(WHEN, WHEN + passed) == {"vi": vi, "en": en}[language]


def test_a_phone_is_written_in_groups() -> None:
    assert wording.phone("+84912345678") == "0912 345 678"
