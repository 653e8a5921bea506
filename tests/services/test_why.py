"""Why one is above the other, for any two of a board and in both languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import Round
from quiz.services import why
from scoring import finalize
from scoring.ordering import Decision, Facts, decide, merit_maker
from scoring.rules import RANKING_KEYS, Prediction, Rules
from tests.scoring.conftest import QUESTIONS, drain, hand_in, open_round

EARLY = clock.to_ms(datetime(2026, 11, 21, 13, 0, 5, 123_000, tzinfo=UTC))
LATE = EARLY + 2_004


@pytest.mark.parametrize(
    ("decision", "vietnamese", "english"),
    [
        (Decision("score", True, 10, 9), "10 điểm so với 9", "10 points against 9"),
        (Decision("score", False, 0, 1), "1 điểm so với 0", "1 point against 0"),
        (Decision("correct", True, 9, 8), "9 câu đúng so với 8", "9 right answers against 8"),
        (
            Decision("prediction_gap", True, 1_050, 20_000),
            "dự đoán lệch 1.050 so với 20.000",
            "the prediction is off by 1,050 against 20,000",
        ),
        (
            Decision("prediction_gap", False, None, 7),
            "chỉ người xếp trên có dự đoán",
            "only the first of them made a prediction",
        ),
        (
            Decision("received_at", True, EARLY, LATE),
            "nộp bài lúc 20:00:05,123 21/11/2026 so với 20:00:07,127 21/11/2026",
            "handed in at 20:00:05.123 21 Nov 2026 against 20:00:07.127 21 Nov 2026",
        ),
        (
            Decision("received_second", True, EARLY // 1000 * 1000, LATE // 1000 * 1000),
            "nộp bài lúc 20:00:05 21/11/2026 so với 20:00:07 21/11/2026",
            "handed in at 20:00:05 21 Nov 2026 against 20:00:07 21 Nov 2026",
        ),
        (
            Decision("duration", True, 62_125, 62_126),
            "làm bài trong 62,125 giây so với 62,126",
            "62.125 seconds against 62.126",
        ),
        (
            Decision("attempts", True, 1, 3),
            "bằng lượt thi thứ 1 so với lượt thứ 3",
            "with attempt 1 against attempt 3",
        ),
        (Decision("lot", True, 77, 5), "thăm lớn hơn, 77 so với 5", "the greater lot, 77 against 5"),
    ],
    ids=lambda value: value.key if isinstance(value, Decision) else "",
)
def test_what_decides_in_words(app: Flask, decision: Decision, vietnamese: str, english: str) -> None:
    with app.test_request_context(), force_locale("vi"):
        assert why.sentence(decision, "Hoa", "Bình") == f"Hoa xếp trên Bình: {vietnamese}."
    with app.test_request_context(), force_locale("en"):
        assert why.sentence(decision, "Hoa", "Bình") == f"Hoa is above Bình: {english}."


def test_equal_people_share_the_rank(app: Flask) -> None:
    with app.test_request_context(), force_locale("vi"):
        said = why.sentence(None, "Hoa", "Bình")
    assert said == "Hoa và Bình đồng hạng: bằng nhau ở mọi điều mà thể lệ xét."


@pytest.mark.parametrize("key", RANKING_KEYS)
def test_every_key_of_a_ranking_can_be_said(app: Flask, key: str) -> None:
    rules = Rules(ranking=(key,))
    merit = merit_maker(rules)
    decision = decide(
        rules,
        merit(Facts(score=2, correct=2, received=1_000, duration=1, attempt=1, participant=1, prediction_gap=1)),
        merit(Facts(score=1, correct=1, received=9_000, duration=2, attempt=2, participant=2, prediction_gap=2)),
    )
    with app.test_request_context(), force_locale("vi"):
        assert decision is not None
        assert "Hoa xếp trên Bình: " in why.sentence(decision, "Hoa", "Bình")


PREDICTED = Rules(
    questions=QUESTIONS,
    prediction=Prediction("all_correct", "Bao nhiêu người?"),
    ranking=("score", "prediction_gap", "received_second"),
)


def test_down_the_board_of_a_final_round(platform: Platform) -> None:
    card = open_round(platform, PREDICTED)
    # Four people answer everything right, so 4 is the true number.
    second = 1_000 - clock.to_ms(clock.now()) % 1_000
    hand_in(platform, card, 11, 1, QUESTIONS, prediction=4, after=second + 5_000)
    hand_in(platform, card, 12, 1, QUESTIONS, prediction=4, after=second + 5_400)
    hand_in(platform, card, 13, 1, QUESTIONS, prediction=9, after=0)
    hand_in(platform, card, 14, 1, QUESTIONS, prediction=None, after=0)
    hand_in(platform, card, 15, 1, QUESTIONS - 1, prediction=4, after=0)
    drain(platform, card)
    session = db.session()
    finalize.finalize_round(session, card.id, clock.now())
    session.commit()
    ranked = session.get_one(Round, card.id)
    said = why.down_the_board(session, ranked, 10)
    assert [(pair.above, pair.below) for pair in said] == [(11, 12), (12, 13), (13, 14), (14, 15)]
    assert [pair.decision for pair in said] == [
        None,
        Decision("prediction_gap", True, 0, 5),
        Decision("prediction_gap", True, 5, None),
        Decision("score", True, 4, 3),
    ]
    assert why.down_the_board(session, ranked, 1, offset=2) == said[2:3]
    assert why.between(session, ranked, 15, 13) == why.Neighbours(13, 15, Decision("score", True, 4, 3))
    assert why.between(session, ranked, 15, 99) is None
