"""A round whose every question is right with option 1, and entries put into its streams as intake would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import calls, keys, primer
from quiz.intake.season import RoundCard
from quiz.models import Contest, KeyVersion, Round
from quiz.models.partitions import create_for_round
from scoring.drain import Drain
from scoring.rules import Rules, rules_document

QUESTIONS = 4


@pytest.fixture
def card(platform: Platform) -> RoundCard:
    return open_round(platform, Rules(questions=QUESTIONS, cap=7))


def open_round(platform: Platform, rules: Rules) -> RoundCard:
    """A round under these rules in the tables and in intake, open since yesterday."""
    now = datetime.now(UTC).replace(microsecond=0)
    session = db.session()
    contest = Contest(slug="test", title="Test", is_current=True, created_at=now)
    session.add(contest)
    session.flush()
    row = Round(
        contest_id=contest.id, number=1, theme="t", opens_at=now - timedelta(days=1), closes_at=now + timedelta(days=1),
        windows=None, rules=rules_document(rules), bank_version=1, key_version=1, draw_secret=b"s" * 32, shards=4,
        scheduled_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    create_for_round(session, row.id)
    session.add(
        KeyVersion(
            round_id=row.id, bank_version=1, version=1, key=[{"accept": [1], "void": False}] * QUESTIONS, created_at=now
        )
    )
    session.commit()
    opens, closes = clock.to_ms(row.opens_at), clock.to_ms(row.closes_at)
    made = RoundCard(
        id=row.id, contest_id=contest.id, number=1, theme="t", opens=opens, closes=closes, windows=[(opens, closes)],
        rules=row.rules, cap=rules.cap, limit=600_000, grace=30_000, late=0, bank_version=1, draw_secret=b"s" * 32,
        strata=[(list(range(QUESTIONS)), QUESTIONS)], shards=4, scheduled=opens, finalized=None, published=None,
    )  # fmt: skip
    primer.write_configs(platform.gateway.client, made)
    return made


def hand_in(
    platform: Platform,
    card: RoundCard,
    participant: int,
    attempt: int,
    right: int,
    unit: int = 1,
    prediction: int | None = None,
    after: int = 0,
) -> bytes:
    """Put an entry with so many right answers into its stream, as intake would `after` ms from now.

    Returns the event.
    """
    now = clock.to_ms(clock.now()) + after
    paper = calls.Paper(0, card.id, participant, attempt, unit, 1, list(range(QUESTIONS)), now - 60_000, now + 60_000)
    _, signed = platform.signer.sign_paper(paper)
    answers = [1] * right + [2] * (QUESTIONS - right)
    calls.hand_in(platform.gateway, platform.signer, card, signed, answers, prediction, now)
    stream = keys.entries(card.id, keys.shard_of(participant, card.shards))
    event: bytes = platform.gateway.client.xrevrange(stream, count=1)[0][1][b"e"]
    return event


def drain(platform: Platform, card: RoundCard) -> int:
    runner = Drain(db.engine, platform.gateway.client, "test")
    inserted = 0
    while (result := runner.turn([card], 0, 1, block_ms=1)).read:
        inserted += result.inserted
    return inserted
