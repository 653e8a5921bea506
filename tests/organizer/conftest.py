"""An organizer who is signed in, and a contest to run."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import Contest
from quiz.services import season
from tests import seasons, staffing


@pytest.fixture
def organizer(app: Flask, platform: Platform) -> FlaskClient:
    """A browser of an organizer behind both factors, on a primed platform."""
    season.prime_all(db.session(), platform.gateway.client, clock.now())
    staffing.make("organizer")
    browser = app.test_client()
    staffing.enter(browser)
    return browser


@pytest.fixture
def contest(platform: Platform) -> Contest:
    """23 scheduled rounds: one is over, the second is open, the rest comes."""
    made = seasons.contest(db.session())
    start = clock.now().replace(minute=0, second=0, microsecond=0) - 10 * seasons.WEEK / 7
    for number in range(1, 24):
        each = seasons.draft_round(db.session(), made, number)
        each.opens_at = start + (number - 1) * seasons.WEEK
        each.closes_at = each.opens_at + seasons.WEEK
        db.session.flush()
        season.freeze_bank(db.session(), each, each.opens_at - seasons.WEEK)
        season.schedule_round(db.session(), each, each.opens_at - seasons.WEEK)
    db.session.commit()
    season.prime_all(db.session(), platform.gateway.client, clock.now())
    db.session.commit()
    platform.season.refresh()
    return made
