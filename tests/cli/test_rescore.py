"""`flask rescore`: what it says, what it leaves and what it writes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.boards import DIRTY
from quiz.intake.season import RoundCard
from quiz.models import AuditEvent, KeyVersion
from scoring import recount
from scoring.rules import Rules
from tests.scoring.conftest import QUESTIONS, drain, hand_in, open_round


@pytest.fixture
def played(platform: Platform) -> RoundCard:
    """Two persons with 4 and 1 questions right; a second version of the key has the other option right."""
    card = open_round(platform, Rules(questions=QUESTIONS, cap=7))
    for participant, right in [(1, 4), (2, 1)]:
        hand_in(platform, card, participant, 1, right)
    drain(platform, card)
    key = [{"accept": [2], "void": False}] * QUESTIONS
    db.session.add(KeyVersion(round_id=card.id, bank_version=1, version=2, key=key, created_at=clock.now()))
    db.session.commit()
    platform.cache.delete(DIRTY)
    return card


@pytest.fixture
def rescore(app: Flask) -> Any:
    def call(*arguments: str) -> Any:
        result = app.test_cli_runner().invoke(args=["rescore", "--round", "1", *arguments])
        db.session.rollback()
        return result

    return call


def scores() -> list[int]:
    return list(db.session.scalars(text("SELECT score FROM standing ORDER BY person_id")))


def test_the_dry_run_says_what_would_change(rescore: Any, played: RoundCard, platform: Platform) -> None:
    result = rescore("--key-version", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    assert (
        "2 entries would change their score: 1 people up, 1 down, 2 ranks, 2 of the first 100 places." in result.output
    )
    assert scores() == [4, 1]
    assert not platform.cache.exists(DIRTY)


def test_applied_it_is_written_audited_and_seen_on_the_boards(
    rescore: Any, played: RoundCard, platform: Platform
) -> None:
    result = rescore("--key-version", "2", "--reason", "Đáp án sai")
    assert result.exit_code == 0, result.output
    assert "2 entries changed their score" in result.output
    assert scores() == [0, 3]
    assert recount.check(db.session(), [played.id]) == []
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "round.rescored")).one()
    assert (event.reason, event.detail) == ("Đáp án sai", {"key": 2})
    assert platform.cache.smembers(DIRTY) == {str(played.id).encode()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--key-version", "2"], "--reason"), (["--key-version", "9", "--dry-run"], "Round 1 has no key version 9.")],
)
def test_without_a_reason_or_a_key_nothing_happens(
    rescore: Any, played: RoundCard, arguments: list[str], said: str
) -> None:
    result = rescore(*arguments)
    assert result.exit_code == 1
    assert said in result.output
    assert scores() == [4, 1]
