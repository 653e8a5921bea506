"""Every contest that published its rules, and one that uses everything else, set up through the form and played.

The small rounds and what they come to are worked out by hand in tests/scoring/test_published_contests.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.datastructures import MultiDict

from quiz.clock import to_ms
from quiz.extensions import Platform, db
from quiz.intake.errors import NotEligible
from quiz.models import Entry, Round
from quiz.services import why
from quiz.services.season import TEMPLATES
from scoring import recount
from scoring.rules import rules_document, rules_from
from tests.forms import form_of, inputs_of
from tests.golden import Golden, Play, person
from tests.published import CONTESTS, INVENTED, Published
from tests.scoring import test_stepped_round as stepped
from tests.scoring.test_published_contests import CASES

RULES = "/staff/contests/cuoc-thi/rules"
BARRED = "/staff/contests/cuoc-thi/barred"
WEEK_PRIZES = {
    "bau-cu-2026": [(1, 5_000_000), (2, 3_000_000), (3, 2_000_000), (10, 1_000_000), (10, 0), (10, 1_000_000)],
    "dai-hoi-dang-2025": [(1, 2_000_000)],
    "lich-su-dang-2019": [(11, 0)],
    "tuyen-giao-2020": [(1, 4_000_000), (2, 2_000_000), (5, 1_500_000), (8, 1_000_000)],
    "viet-lao-2022": [(1, 3_000_000), (2, 2_000_000), (5, 1_000_000)],
    "phap-luat-2021": [(1, 6_000_000), (5, 3_000_000), (10, 2_000_000), (20, 1_000_000)],
    "hoi-quang-nam-2019": [(1, 500_000), (2, 300_000), (3, 200_000), (1, 0), (1, 0)],
    "tim-hieu-dang-2019": [(1, 0), (1, 0)],
}
"""Count and value of each prize, as the contests published them."""
BY = {
    "bau-cu-2026": ["participants"],
    "hoi-quang-nam-2019": ["participants", "member_share"],
    "tim-hieu-dang-2019": ["participants", "member_share"],
}
BARRED_KINDS = {"dai-hoi-dang-2025": ["committee", "expert", "secretary"], "tuyen-giao-2020": ["committee"]}
ONLY_PRIZES = {
    name: Published(str(TEMPLATES[name].name), CONTESTS["dai-hoi-dang-2025"].start, TEMPLATES[name].rounds)
    for name in ("hoi-quang-nam-2019", "tim-hieu-dang-2019")
}
"""What these two published of the questions and the ranking is nothing: they play by the defaults."""
ALL = {**CONTESTS, **ONLY_PRIZES}


def typed(name: str) -> dict[str, Any]:
    """The published rules, with the prizes and whom they bar."""
    offered = TEMPLATES[name].rules
    return {**ALL[name].rules, **{part: offered[part] for part in ("prizes", "barred_kinds") if part in offered}}


def through_the_form(organizer: FlaskClient, rules: dict[str, Any]) -> None:
    answer = organizer.post(RULES, data=MultiDict(form_of(rules)))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    # What was typed stands in the form again.
    shown = {pair for pair in inputs_of(organizer.get(RULES).get_data(as_text=True)) if pair[0] != "csrf_token"}
    assert {pair for pair in form_of(rules) if pair[1]} <= shown


def write_down(organizer: FlaskClient, who: int, function: str) -> None:
    sent = {"user": str(who), "function": function, "reason": "Ban Tổ chức"}
    assert organizer.post(BARRED, data=sent).status_code == 303


def test_each_row_of_the_table_is_offered() -> None:
    """The published contests and the weekly one: a new contest may begin with the rules of any of them."""
    assert TEMPLATES.keys() == {"weekly", *ALL}
    for name in ALL:
        offered = rules_document(rules_from(TEMPLATES[name].rules))
        expected = rules_document(rules_from(CONTESTS[name].rules if name in CONTESTS else {}))
        same = set(offered) - {"prediction", "prizes", "barred_kinds"}
        assert {part: offered[part] for part in same} == {part: expected[part] for part in same}
        kinds = [rules["prediction"] and rules["prediction"]["kind"] for rules in (offered, expected)]
        assert kinds[0] == kinds[1]
        assert [(prize["count"], prize["value"]) for prize in offered["prizes"]] == WEEK_PRIZES.get(name, [])
        assert [prize["by"] for prize in offered["prizes"] if prize["by"]] == BY.get(name, [])
        assert offered["barred_kinds"] == BARRED_KINDS.get(name, [])


@pytest.mark.parametrize("name", ALL)
def test_set_up_through_the_form_it_ranks_as_its_rules_say(
    organizer: FlaskClient, platform: Platform, name: str
) -> None:
    session, contest = db.session(), ALL[name]
    case = CASES[name if name in CASES else "dai-hoi-dang-2025"]
    people = [person(session, who) for who in ("An", "Bình", "Chi", "Dũng")]
    people += [person(session, "Út", 2006), person(session, "Em", 2007), person(session, "Không rõ", None)]
    people.append(person(session, "Thư ký"))
    rules = typed(name)
    barred = bool(rules.get("barred_kinds"))

    def written(ids: dict[str, int]) -> None:
        through_the_form(organizer, rules)
        write_down(organizer, ids["Thư ký"], rules["barred_kinds"][-1] if barred else "committee")

    made = Golden(platform, session, contest, people, case.most_right, written=written)
    assert {each.id: each.rules for each in made.rounds} == {
        each.id: rules_document(rules_from(rules)) for each in made.rounds
    }
    for played in case.plays:
        made.play(played)
    for played, refusal in case.refused:
        if played.who != "Thư ký" or barred:
            with pytest.raises(refusal):
                made.play(played)
    made.make_final()
    assert made.ranks() == case.ranks
    board = why.down_the_board(session, session.get_one(Round, made.card.id), 100)
    assert [pair.decision and pair.decision.key for pair in board] == case.decided
    assert recount.check(session, [made.card.id]) == []


EVERYTHING_ELSE: dict[str, Any] = {
    **INVENTED.rules,
    "eligible_kinds": ["union_member", "student", "pupil"],
    "eligible_units": ["TW"],
    "barred_kinds": ["expert", "soldier"],
    "brackets": [
        {"key": "tre", "name": "Đến 25 tuổi", "max_age": 25},
        {"key": "sinh-vien", "name": "Sinh viên", "kinds": ["student"]},
        {"key": "trong", "name": "Trong cả nước", "units": ["TW"]},
        {"key": "ngoai", "name": "Ngoài nước", "units": ["TW"], "outside": True},
    ],
    "prizes": [
        {"key": "nhat", "name": "Giải Nhất", "kind": "individual", "count": 1, "value": 5_000_000, "bracket": "tre"},
        {"key": "nhi", "name": "Giải Nhì", "kind": "individual", "count": 2, "value": 3_000_000},
        {"key": "dong", "name": "Đông nhất", "kind": "collective", "by": "participants", "level": "province"},
        {"key": "ty-le", "name": "Tỷ lệ cao nhất", "kind": "collective", "by": "member_share", "level": "commune",
         "min_participants": 10},
        {"key": "dung-het", "name": "Đúng hết", "kind": "collective", "by": "perfect_papers", "level": "union"},
        {"key": "lan-toa", "name": "Lan tỏa", "kind": "spreading", "count": 10, "value": 1_000_000},
    ],
    "prize_caps": {"person_round": 1, "person_season": 2, "unit_round": 5, "unit_season": 20},
}  # fmt: skip


def test_a_contest_that_uses_everything_else(organizer: FlaskClient, platform: Platform) -> None:
    """Windows by weekday and hour, a draw in parts, the last entry, complete sheets, brackets, kinds, bars."""
    session = db.session()
    people = [person(session, who) for who in ("An", "Bình", "Chi", "Chuyên gia", "Chiến sĩ", "Không khai")]
    people += [person(session, "Dũng", 2004), person(session, "Em", 2011), person(session, "Cụ", 1989)]
    for one in people:
        one.member_kind = {"Chiến sĩ": "soldier", "Không khai": None, "Bình": "student"}.get(
            one.full_name, "union_member"
        )

    def written(ids: dict[str, int]) -> None:
        through_the_form(organizer, EVERYTHING_ELSE)
        write_down(organizer, ids["Chuyên gia"], "expert")

    made = Golden(platform, session, INVENTED, people, written=written)
    first = to_ms(INVENTED.windows(INVENTED.start)[0][0]) - made.card.opens  # type: ignore[misc]
    made.play(Play("An", first + 1_000, right=6))
    made.play(Play("An", first + 2_000, right=5))
    made.play(Play("Bình", first + 3_000, right=4))
    made.play(Play("Chi", first + 4_000, right=6))
    made.play(Play("Dũng", first + 5_000, right=3))
    for who in ("Chuyên gia", "Chiến sĩ", "Không khai", "Em", "Cụ"):
        with pytest.raises(NotEligible):
            made.play(Play(who, first + 6_000, right=6))
    made.make_final()
    # More right answers, then fewer attempts; the last entry counts, 10 points a question.
    assert made.ranks() == {"Chi": (1, 1, 60), "An": (2, 2, 50), "Bình": (3, 1, 40), "Dũng": (4, 1, 30)}
    ranked = session.get_one(Round, made.card.id)
    in_brackets = {
        bracket["key"]: [line.name for line in why.ranking(session, ranked, 10, bracket=bracket["key"])]
        for bracket in EVERYTHING_ELSE["brackets"]
    }
    assert in_brackets == {"tre": ["Dũng"], "sinh-vien": ["Bình"], "trong": ["Chi", "An"], "ngoai": []}
    page = organizer.get("/rounds/1", headers={"Accept-Language": "vi"}).get_data(as_text=True)
    for said in (
        "Không được dự thi: thành viên tổ chuyên gia; cán bộ, chiến sĩ lực lượng vũ trang.",
        "Giải Nhất: 1 giải, mỗi giải 5.000.000 đồng, dành cho bảng “Đến 25 tuổi”.",
        "Mỗi người nhận không quá 1 giải trong một tuần thi.",
        "Dành cho người thuộc: Trung ương Đoàn.",
    ):
        assert said in page
    assert recount.check(session, [made.card.id]) == []


def test_a_fixed_set_of_questions_is_the_same_for_everybody(organizer: FlaskClient, platform: Platform) -> None:
    session = db.session()
    people = [person(session, "An"), person(session, "Bình")]
    rules = {"questions": 5, "fixed": True, "cap": 1}
    made = Golden(
        platform, session, CONTESTS["cong-doan-2023"], people, questions_of=5,
        written=lambda _: through_the_form(organizer, rules),
    )  # fmt: skip
    made.play(Play("An", 2_000, right=4))
    made.play(Play("Bình", 1_000, right=5))
    made.make_final()
    assert made.ranks() == {"Bình": (1, 1, 5), "An": (2, 1, 4)}
    papers = session.scalars(text("SELECT questions FROM entry WHERE round_id = :id"), {"id": made.card.id})
    drawn = {bytes(paper) for paper in papers}
    assert len(drawn) == 1


def test_seconds_for_each_question_typed_into_the_form_decide(organizer: FlaskClient, platform: Platform) -> None:
    """The numbers worked out by hand in tests/scoring/test_stepped_round.py, with the rules as they are typed."""
    session = db.session()
    people = [person(session, who) for who in stepped.PACES]
    made = Golden(
        platform, session, stepped.ROUND, people, written=lambda _: through_the_form(organizer, stepped.ROUND.rules)
    )
    assert made.rounds[0].rules == rules_document(rules_from(stepped.ROUND.rules))
    assert made.card.limit == 100_000
    for who, paces in stepped.PACES.items():
        made.walk(who, paces, handed_in=who != "Em")
    assert made.settle() == 1
    made.make_final()
    assert made.ranks() == stepped.RANKS
    names = {number: name for name, number in made.people.items()}
    took = session.execute(select(Entry.participant_id, Entry.duration_ms))
    assert {names[who]: ms for who, ms in took} == stepped.TOOK
    board = why.down_the_board(session, session.get_one(Round, made.card.id), 100)
    # Five points by time, then four points by time, then three.
    assert [pair.decision and pair.decision.key for pair in board] == ["duration", "score", "duration", "score"]
    page = organizer.get("/rounds/1", headers={"Accept-Language": "vi"}).get_data(as_text=True)
    assert "Câu hỏi hiện lần lượt từng câu; bạn có 20 giây cho mỗi câu, tổng cộng 1 phút 40 giây" in page
    assert recount.check(session, [made.card.id]) == []
