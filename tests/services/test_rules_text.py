"""Thể lệ in words: the published contests' rules, as their participants would read them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from hypothesis import given, settings
from redis import Redis

from quiz.extensions import Platform, db
from quiz.services import rules_text
from scoring.rules import RANKING_KEYS, InvalidRules, Rules, rules_from
from tests import seasons
from tests.published import CONTESTS
from tests.scoring.test_rules_schema import DOCUMENTS

TIME = "Thời gian làm bài là {} phút, tính từ lúc bạn bắt đầu, theo đồng hồ của máy chủ."
ALWAYS = (
    "Hết giờ, bài tự nộp với những câu bạn đã trả lời.",
    "Một câu được tính là đúng khi chọn đủ các phương án đúng và không chọn phương án nào khác.",
    "Mỗi câu đúng được 1 điểm.",
)
BEST = "Lấy bài tốt nhất của bạn."
WITHOUT = "Khi xét đến dự đoán, ai không dự đoán thì xếp sau những người có dự đoán."
ALL_RIGHT = "Cuối bài có câu dự đoán: “Bao nhiêu người trả lời đúng tất cả các câu hỏi?”"
TAKE_PART = "Cuối bài có câu dự đoán: “Bao nhiêu người dự thi?”"
SHARED = "Ai không phân được hơn kém theo đó thì đồng hạng."
BY_PREDICTION = "Thứ hạng xét lần lượt theo: nhiều điểm hơn; dự đoán sát hơn; {}."


def drawn(count: int) -> str:
    return f"Mỗi lượt thi rút ngẫu nhiên {count} câu hỏi theo chủ đề của tuần."


# Beside what is said of every one of them, in its order.
IN_WORDS: dict[str, list[str]] = {
    "bau-cu-2026": [
        *(drawn(10), TIME.format(10), "Bạn được thi tối đa 7 lượt.", BEST, TAKE_PART, WITHOUT),
        BY_PREDICTION.format("nộp bài sớm hơn"),
    ],
    "dai-hoi-dang-2025": [
        *(drawn(10), TIME.format(10), "Bạn được thi tối đa 7 lượt.", BEST),
        "Thứ hạng xét lần lượt theo: nhiều điểm hơn; nộp bài sớm hơn.",
    ],
    "cong-dan-2026": [
        *(drawn(10), TIME.format(10), "Bạn được thi một lượt.", ALL_RIGHT, WITHOUT),
        "Thứ hạng xét lần lượt theo: nhiều điểm hơn; dự đoán sát hơn.",
    ],
    "lich-su-dang-2019": [
        *(drawn(5), TIME.format(10), "Bạn được thi không giới hạn số lượt.", BEST, ALL_RIGHT, WITHOUT),
        BY_PREDICTION.format("nộp bài sớm hơn, tính đến giây"),
    ],
    "tuyen-giao-2020": [
        *(drawn(10), TIME.format(10), "Bạn được thi không giới hạn số lượt.", BEST, ALL_RIGHT, WITHOUT),
        BY_PREDICTION.format("nộp bài sớm hơn, tính đến giây"),
        *("Dành cho người từ 14 tuổi.", "Tuổi tính bằng năm nay trừ năm sinh."),
    ],
    "viet-lao-2022": [
        *(drawn(10), TIME.format(10), "Bạn được thi không giới hạn số lượt.", BEST),
        "Thứ hạng xét lần lượt theo: nhiều điểm hơn; nộp bài sớm hơn.",
    ],
    "phap-luat-2021": [
        *(drawn(19), TIME.format(20), "Bạn được thi không giới hạn số lượt.", BEST, TAKE_PART, WITHOUT),
        BY_PREDICTION.format("nộp bài sớm hơn"),
    ],
    "quang-nam-2014": [
        *(drawn(15), TIME.format(10), "Bạn được thi một lượt.", ALL_RIGHT, WITHOUT),
        BY_PREDICTION.format("làm bài nhanh hơn"),
    ],
    "cong-doan-2023": [
        *(drawn(20), TIME.format(20), "Bạn được thi tối đa 2 lượt.", BEST),
        "Thứ hạng chỉ xét theo một điều: nhiều điểm hơn.",
    ],
}


@pytest.mark.parametrize("name", CONTESTS)
def test_a_published_contest_in_words(app: Flask, name: str) -> None:
    with app.test_request_context(), force_locale("vi"):
        said = rules_text.sentences(rules_from(CONTESTS[name].rules))
    assert set(said) >= {*ALWAYS, SHARED}
    assert [sentence for sentence in said if sentence not in {*ALWAYS, SHARED}] == IN_WORDS[name]


EVERYTHING: dict[str, Any] = {
    "draw": [{"count": 5, "topic": "Hiến pháp", "difficulty": 1}, {"count": 3, "difficulty": 2}, {"count": 2}],
    "which": "first",
    "points": 10,
    "complete_only": True,
    "ranking": ["correct", "lot"],
    "late": {"accept_minutes": 10, "counts": "participation"},
    "min_age": 16,
    "max_age": 30,
    "release": {"score": "at_once", "key": "after_publish"},
}


def test_everything_else_in_words(app: Flask) -> None:
    with app.test_request_context(), force_locale("vi"):
        assert rules_text.paragraph(rules_from(EVERYTHING)) == (
            "Mỗi lượt thi rút ngẫu nhiên 10 câu hỏi: 5 câu thuộc chủ đề “Hiến pháp” có độ khó 1; 3 câu có độ khó 2; "
            "2 câu bất kỳ. Thời gian làm bài là 10 phút, tính từ lúc bạn bắt đầu, theo đồng hồ của máy chủ. "
            "Hết giờ, bài tự nộp với những câu bạn đã trả lời. Bạn được thi tối đa 7 lượt. "
            "Một câu được tính là đúng khi chọn đủ các phương án đúng và không chọn phương án nào khác. "
            "Mỗi câu đúng được 10 điểm. Bài còn câu bỏ trống thì không có điểm. Lấy bài đầu tiên của bạn. "
            "Thứ hạng xét lần lượt theo: nhiều câu đúng hơn; bốc thăm. "
            "Bài đến muộn không quá 10 phút được tính là có dự thi, không có điểm. "
            "Dành cho người từ 16 đến 30 tuổi. Tuổi tính bằng năm nay trừ năm sinh. "
            "Bạn biết điểm của mình ngay sau khi nộp bài. Bạn xem được đáp án khi công bố kết quả."
        )
    with app.test_request_context(), force_locale("en"):
        assert rules_text.paragraph(rules_from(EVERYTHING)) == (
            "Each attempt draws 10 questions by lot: 5 questions of the topic “Hiến pháp” of difficulty 1; "
            "3 questions of difficulty 2; 2 questions of any kind. "
            "You have 10 minutes for them, from the moment you start, by the server's clock. "
            "When the time is over, the sheet is handed in by itself with what you answered until then. "
            "You may take part up to 7 times. A question is right when all its right options were chosen and no other. "
            "A right answer gives 10 points. A sheet with an unanswered question gets no points. "
            "Of your entries the first one counts. "
            "These decide on the rank, one after the other: more right answers; the draw of lots. "
            "A sheet that comes in up to 10 minutes late counts as taking part, with no points. "
            "Open to people from 16 to 30 years of age. Age is this year less the year of birth. "
            "You learn your score at once. You see the right answers when the results are published."
        )


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_any_rules_can_be_said(made_app: Flask, document: dict[str, Any]) -> None:
    try:
        rules = rules_from(document)
    except InvalidRules:
        return
    with made_app.test_request_context(), force_locale("vi"):
        said = rules_text.sentences(rules) + rules_text.releases(rules)
    assert all(sentence.strip()[-1] in ".”" and "%(" not in sentence for sentence in said)


def test_the_order_shown_is_the_order_used(app: Flask) -> None:
    ranking = tuple(reversed([name for name in RANKING_KEYS if name != "prediction_gap"]))
    with app.test_request_context(), force_locale("vi"):
        keys = "; ".join(rules_text.ranking_key(name) for name in ranking)
        assert keys in rules_text.paragraph(Rules(ranking=ranking))


def test_the_page_shows_the_sentences_with_their_times(platform: Platform, redis: Redis, client: FlaskClient) -> None:
    session = db.session()
    rules = {"cap": 1, "release": {"score": "after_close", "key": "never"}}
    seasons.published(session, redis, seasons.scheduled_round(session, seasons.contest(session), rules=rules))
    page = client.get("/rounds/1", headers={"Accept-Language": "vi"}).get_data(as_text=True)
    assert "<li>Bạn được thi một lượt.</li>" in page
    assert "<li>Bạn biết điểm của mình sau khi tuần thi đóng, lúc 7:00 thứ Hai 12/1.</li>" in page
    assert "<li>Đáp án không được công bố.</li>" in page
