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


PEOPLE_AND_PRIZES: dict[str, Any] = {
    "questions": 10,
    "fixed": True,
    "seconds_per_question": 30,
    "eligible_kinds": ["union_member", "student"],
    "eligible_units": ["79", "TNQH"],
    "barred_kinds": ["committee", "secretary"],
    "brackets": [
        {"key": "sv", "name": "Sinh viên", "kinds": ["student"], "max_age": 25},
        {"key": "trong", "name": "Trong thành phố", "units": ["79"]},
        {"key": "ngoai", "name": "Ngoài thành phố", "units": ["79"], "outside": True, "min_age": 16},
        {"key": "khac", "name": "Khác"},
    ],
    "prizes": [
        {"key": "nhat", "name": "Giải Nhất", "kind": "individual", "value": 5_000_000, "bracket": "sv"},
        {"key": "nhi", "name": "Giải Nhì", "kind": "individual", "count": 2, "value": 3_000_000},
        {
            "key": "tt", "name": "Giải tập thể", "kind": "collective", "count": 10, "by": "member_share",
            "level": "commune", "min_participants": 1_000,
        },
        {"key": "lt", "name": "Giải lan tỏa", "kind": "spreading", "count": 10, "value": 1_000_000},
    ],
    "prize_caps": {"person_round": 1, "person_season": 2, "unit_round": 3, "unit_season": 40},
}  # fmt: skip


def test_people_and_prizes_in_words(app: Flask) -> None:
    rules = rules_from(PEOPLE_AND_PRIZES)
    with app.test_request_context(), force_locale("vi"):
        said = rules_text.sentences(rules, {"79": "Thành phố Hồ Chí Minh"})
        assert said[:2] == [
            "Mọi lượt thi đều gồm cùng 10 câu hỏi, theo cùng thứ tự.",
            "Câu hỏi hiện lần lượt từng câu; bạn có 30 giây cho mỗi câu, tổng cộng 5 phút, theo đồng hồ của máy chủ.",
        ]
        assert said[-5:] == [
            "Dành cho: đoàn viên; sinh viên.",
            "Dành cho người thuộc: Thành phố Hồ Chí Minh, TNQH.",
            "Không được dự thi: thành viên Ban Tổ chức; thành viên tổ thư ký.",
            "Thí sinh còn được xếp hạng theo bảng, mỗi người vào bảng đầu tiên phù hợp: "
            "“Sinh viên” (không quá 25 tuổi; sinh viên); “Trong thành phố” (thuộc Thành phố Hồ Chí Minh); "
            "“Ngoài thành phố” (ngoài Thành phố Hồ Chí Minh; từ 16 tuổi); “Khác” (tất cả những người còn lại).",
            "Tuổi tính bằng năm nay trừ năm sinh.",
        ]
        assert rules_text.prizes(rules) == [
            "Giải Nhất: 1 giải, mỗi giải 5.000.000 đồng, dành cho bảng “Sinh viên”.",
            "Giải Nhì: 2 giải, mỗi giải 3.000.000 đồng.",
            "Giải tập thể: 10 giải, dành cho xã, phường, đặc khu có tỷ lệ đoàn viên dự thi cao nhất, "
            "xét đơn vị có từ 1.000 người dự thi.",
            "Giải lan tỏa: 10 giải, mỗi giải 1.000.000 đồng, dành cho việc lan tỏa cuộc thi.",
            "Mỗi người nhận không quá 1 giải trong một tuần thi.",
            "Mỗi người nhận không quá 2 giải trong cả cuộc thi.",
            "Mỗi tỉnh, thành đoàn hoặc đoàn trực thuộc có không quá 3 giải trong một tuần thi.",
            "Mỗi tỉnh, thành đoàn hoặc đoàn trực thuộc có không quá 40 giải trong cả cuộc thi.",
        ]
    assert rules_text.unit_codes(rules) == {"79", "TNQH"}


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_any_rules_can_be_said(made_app: Flask, document: dict[str, Any]) -> None:
    try:
        rules = rules_from(document)
    except InvalidRules:
        return
    with made_app.test_request_context(), force_locale("vi"):
        said = rules_text.sentences(rules) + rules_text.prizes(rules) + rules_text.releases(rules)
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
