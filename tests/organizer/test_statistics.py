"""How the questions did: the page reads first attempts of the round and lists the weak ones first."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.season import RoundCard
from quiz.models import Bank, Question, Round
from quiz.services import item_statistics
from tests import staffing
from tests.scoring.conftest import QUESTIONS, card, drain, hand_in  # noqa: F401 - a fixture of another room

PAGE = "/staff/contests/test/rounds/1/questions/statistics"


@pytest.fixture
def played(app: Flask, platform: Platform, card: RoundCard) -> RoundCard:  # noqa: F811
    """Forty people: half have everything right, half nothing; a second attempt that must not be read."""
    made = Question(contest_id=card.contest_id, stem_id=1, text="Câu?", created_at=clock.now())
    db.session.add(made)
    db.session.flush()
    content = [
        {"id": str(place + 1), "question_id": made.id, "text": f"Câu {place + 1}?", "multiple": False, "options": [
            {"id": letter, "text": letter.upper()} for letter in "abc"]}
        for place in range(QUESTIONS)
    ]  # fmt: skip
    db.session.add(Bank(round_id=card.id, version=1, content=content, frozen_at=clock.now()))
    db.session.commit()
    for participant in range(1, 41):
        hand_in(platform, card, participant, 1, QUESTIONS if participant % 2 else 0)
    hand_in(platform, card, 2, 2, QUESTIONS)
    drain(platform, card)
    return card


def test_first_attempts_are_measured(played: RoundCard) -> None:
    report = item_statistics.report(db.session(), db.session.get_one(Round, played.id))
    assert (report.sheets, report.one_in) == (40, 1)
    figures = report.rows[0][2]
    assert (figures.shown, figures.right, figures.idle, figures.weak) == (40, 0.5, [2], ["idle_options"])
    assert figures.discrimination == pytest.approx(1.0)


def test_a_large_round_is_sampled(played: RoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_statistics, "SAMPLE", 20)
    report = item_statistics.report(db.session(), db.session.get_one(Round, played.id))
    assert (report.sheets, report.one_in) == (20, 2)


def test_the_page_waits_for_the_end_of_the_round(client: FlaskClient, played: RoundCard) -> None:
    staffing.make("organizer")
    staffing.enter(client)
    assert 'id="figures"' not in client.get(PAGE).get_data(as_text=True)
    db.session.get_one(Round, played.id).closes_at = clock.now()
    db.session.commit()
    page = client.get(PAGE)
    assert page.status_code == 200
    assert page.get_data(as_text=True).count("<details>") == QUESTIONS
