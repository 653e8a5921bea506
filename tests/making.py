"""Makers of what tests need again and again; plain values, no fixtures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from redis import Redis

from quiz.intake import primer
from quiz.intake.events import Paper
from quiz.intake.season import BankOption, BankQuestion, ContestCard, RoundCard, write_bank, write_season
from scoring.rules import Rules, rules_document

OPENS = 1_767_000_000_000
MINUTE = 60_000
CLOSES = OPENS + 7 * 24 * 60 * MINUTE
QUESTIONS = 20


def card(**changes: Any) -> RoundCard:
    """A round of 20 questions, 10 on a paper, cap 7, 10 minutes, grace 30 s, nothing late."""
    rules = changes.pop("rules", None) or Rules()
    made = RoundCard(
        id=7,
        contest_id=1,
        number=3,
        theme="Chủ đề",
        opens=OPENS,
        closes=CLOSES,
        windows=[(OPENS, CLOSES)],
        rules=rules_document(rules),
        cap=7,
        limit=10 * MINUTE,
        grace=30_000,
        late=0,
        bank_version=1,
        draw_secret=b"\x05" * 32,
        strata=[(list(range(QUESTIONS)), 10)],
        shards=4,
        scheduled=OPENS - MINUTE,
        finalized=None,
        published=None,
    )
    return msgspec.structs.replace(made, **changes)


def bank(questions: int = QUESTIONS, options: int = 4) -> list[BankQuestion]:
    return [
        BankQuestion(
            id=str(place + 1),
            text=f"Câu hỏi {place + 1}?",
            multiple=place % 5 == 4,
            options=[BankOption(id="abcdefgh"[bit], text=f"Phương án {bit + 1}") for bit in range(options)],
        )
        for place in range(questions)
    ]


def open_round(redis: Redis, round_card: RoundCard) -> RoundCard:
    """Publish a round to intake the way priming does: bank, season, and the configs last."""
    write_bank(redis, round_card.id, round_card.bank_version or 1, bank())
    write_season(redis, [ContestCard(round_card.contest_id, "cuoc-thi", "Cuộc thi", True, [round_card])])
    primer.write_configs(redis, round_card)
    return round_card


def paper(**changes: Any) -> Paper:
    made = Paper(
        issuer=0,
        round_id=7,
        participant=123_456,
        attempt=2,
        unit=3_001,
        bank=1,
        questions=[4, 0, 19, 7, 2, 11, 3, 18, 9, 5],
        started=OPENS + MINUTE,
        deadline=OPENS + 11 * MINUTE,
    )
    return msgspec.structs.replace(made, **changes)


def rules(**changes: Any) -> Rules:
    return replace(Rules(), **changes)
