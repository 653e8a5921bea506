"""Makers of contests, rounds and banks in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis
from sqlalchemy.orm import Session

from quiz.models import Contest, Round
from quiz.services import questions, season
from quiz.services.questions import OptionDraft, QuestionDraft

OPENS = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def drafts(count: int = 20, *, options: int = 4, right: int = 0) -> list[QuestionDraft]:
    """Questions whose right option stands at place `right` of every one."""
    return [
        QuestionDraft(
            text=f"Câu hỏi {number}?",
            options=tuple(OptionDraft(f"Phương án {number}.{place}", place == right) for place in range(options)),
            explanation=f"Giải thích {number}.",
            source="Nguồn",
            topic="chẵn" if number % 2 == 0 else "lẻ",
            difficulty=1 + number % 3,
        )
        for number in range(1, count + 1)
    ]


def contest(session: Session, slug: str = "cuoc-thi", **changes: Any) -> Contest:
    return season.create_contest(session, slug, "Cuộc thi", OPENS, **{"current": True, **changes})


def draft_round(
    session: Session,
    of: Contest,
    number: int = 1,
    *,
    bank: Sequence[QuestionDraft] | None = None,
    rules: dict[str, Any] | None = None,
    **changes: Any,
) -> Round:
    """A round with questions, neither frozen nor scheduled: open for a week from the 5th of January 2026."""
    opens = OPENS + (number - 1) * WEEK
    made = season.create_round(session, of, number, f"Chủ đề {number}", opens, opens + WEEK, rules or {}, **changes)
    questions.add_questions(session, made, drafts() if bank is None else bank, OPENS)
    return made


def scheduled_round(session: Session, of: Contest, number: int = 1, **changes: Any) -> Round:
    made = draft_round(session, of, number, **changes)
    season.freeze_bank(session, made, OPENS - WEEK)
    season.schedule_round(session, made, OPENS - WEEK)
    return made


def published(session: Session, redis: Redis, made: Round, now: datetime = OPENS) -> Round:
    """Commit and give it to intake, as after an organizer's act."""
    session.commit()
    season.prime_all(session, redis, now)
    session.commit()
    return made
