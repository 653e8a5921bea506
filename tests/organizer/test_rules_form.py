"""The form of rules: what it shows is what is stored, rows come and go, what is wrong stands beside its field."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from werkzeug.datastructures import MultiDict

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import AuditEvent, Contest, Round
from quiz.services import papers, rules_form, season
from quiz.services.rules_problems import _MESSAGES, LABELS
from scoring.rules import PROBLEMS, InvalidRules, Rules, rules_document, rules_from
from tests.forms import form_of, inputs_of
from tests.scoring.test_rules_schema import DOCUMENTS
from tests.services.test_rules_text import EVERYTHING, PEOPLE_AND_PRIZES

PAGE = "/staff/contests/cuoc-thi/rounds/3/rules"
OPEN_PAGE = "/staff/contests/cuoc-thi/rounds/2/rules"
OVER_PAGE = "/staff/contests/cuoc-thi/rounds/1/rules"


def stored(number: int) -> dict[str, Any]:
    db.session.rollback()
    return db.session.query(Round).filter_by(number=number).one().rules


# Without a page


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_a_document_goes_into_the_form_and_comes_back(document: dict[str, Any]) -> None:
    try:
        rules = rules_from(document)
    except InvalidRules:
        assert rules_form.problems(document)
        return
    assert rules_form.problems(document) == {}
    state = rules_form.state_of(rules_document(rules))
    again = rules_form.document_of(state)
    # Nothing was typed: what the form holds is what it was made of.
    assert rules_form.problems(again) == {}
    assert rules_from(again) == rules
    sent = rules_form.state_from(MultiDict(form_of(rules_document(rules))), {})
    assert rules_from(rules_form.document_of(sent)) == rules


def test_every_problem_has_its_sentence_and_every_field_its_label() -> None:
    assert _MESSAGES.keys() == PROBLEMS.keys()
    held = {name for fields in rules_form.SECTIONS.values() for name in fields}
    assert held == set(Rules.__dataclass_fields__)
    assert set(LABELS) >= held
    assert {f"{name}.{part}" for name, parts in rules_form.ROWS.items() for part in parts} <= set(LABELS)
    assert {*rules_form.NUMBERS, *rules_form.TEXTS, *rules_form.FLAGS} <= set(LABELS)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = rules_form.problems(
        {
            "questions": "zehn",
            "cap": 0,
            "prediction": {"kind": "weather", "text": " "},
            "brackets": [{"key": "", "name": "", "min_age": 0, "kinds": []}],
            "prizes": [{"key": "a", "name": "A", "kind": "lucky", "count": None}, {"key": "b"}],
        }
    )
    assert set(wrong) == {
        *("questions", "cap", "prediction.kind", "prediction.text", "brackets.0.key", "brackets.0.name"),
        *("brackets.0.min_age", "prizes.0.kind", "prizes.0.count", "prizes.1.name", "prizes.1.kind"),
    }


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("5000000", 5_000_000), ("5.000.000", 5_000_000), ("5 000 000", 5_000_000), ("5.00", "5.00"), ("1e6", "1e6")],
)
def test_money_may_be_written_with_dots(typed: str, meant: Any) -> None:
    state = rules_form.state_of({})
    rules_form.act(state, "add:prizes")
    state.rows["prizes"][0] |= {"name": "Giải Nhất", "value": typed}
    assert rules_form.document_of(state)["prizes"][0]["value"] == meant


def test_rows_come_go_and_move() -> None:
    state = rules_form.state_of({})
    for _ in range(3):
        rules_form.act(state, "add:prizes")
    for row, name in zip(state.rows["prizes"], ("Nhất", "Nhì", "Nhì"), strict=True):
        row["name"] = name
    rules_form.act(state, "up:prizes:1")
    rules_form.act(state, "down:prizes:1")
    rules_form.act(state, "up:prizes:0")
    assert [row["key"] for row in rules_form.document_of(state)["prizes"]] == ["nhi", "nhi-2", "nhat"]
    rules_form.act(state, "remove:prizes:0")
    assert [row["name"] for row in state.rows["prizes"]] == ["Nhì", "Nhất"]
    # A row without a name has no key yet: it is made of the name that it gets.
    rules_form.act(state, "add:prizes")
    rules_form.act(state, "add:prizes")
    assert set(rules_form.problems(rules_form.document_of(state))) == {"prizes.2.name", "prizes.3.name"}
    state.rows["prizes"][3]["name"] = "Ba"
    assert rules_form.document_of(state)["prizes"][3]["key"] == "ba"
    rules_form.act(state, "remove:prizes:2")
    rules_form.act(state, "remove:prizes:2")
    rules_form.act(state, "add:ranking", "lot")
    rules_form.act(state, "add:ranking", "lot")
    rules_form.act(state, "up:ranking:3")
    rules_form.act(state, "remove:ranking:0")
    assert state.many["ranking"] == ["prediction_gap", "lot", "received_at"]
    for nonsense in ("remove:prizes:99", "up:prizes:x", "add:king", "", "dance:prizes:0", "add:ranking", "up:draw:0"):
        rules_form.act(state, nonsense, "nothing")
    assert len(state.rows["prizes"]) == 2


# The page


@pytest.mark.parametrize("document", [{}, EVERYTHING, PEOPLE_AND_PRIZES], ids=["plain", "everything", "people"])
def test_the_page_holds_what_is_stored(organizer: FlaskClient, contest: Contest, document: dict[str, Any]) -> None:
    made = db.session.query(Round).filter_by(number=3).one()
    made.rules = rules_document(rules_from(document))
    db.session.commit()
    before = stored(3)
    page = organizer.get(PAGE).get_data(as_text=True)
    answer = organizer.post(PAGE, data=MultiDict(inputs_of(page)))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert stored(3) == before
    assert db.session.query(AuditEvent).filter_by(action="round.rules_changed").count() == 0


def test_a_round_that_comes_is_changed_and_told(organizer: FlaskClient, contest: Contest, platform: Platform) -> None:
    form = form_of({**stored(3), "cap": 2, "prizes": PEOPLE_AND_PRIZES["prizes"][1:]})
    assert organizer.post(PAGE, data=MultiDict(form)).status_code == 303
    assert stored(3)["cap"] == 2
    act = db.session.query(AuditEvent).filter_by(action="round.rules_changed").one()
    assert act.detail["before"] == {"cap": 7, "prizes": []}
    assert act.detail["after"]["cap"] == 2
    assert [prize["name"] for prize in act.detail["after"]["prizes"]] == ["Giải Nhì", "Giải tập thể", "Giải lan tỏa"]
    card = papers.round_of(platform.season.refresh(), None, 3)
    assert card.cap == 2
    config = platform.gateway.client.hget(f"{{r{card.id}:s0}}:config", "cap")
    assert config == b"2"
    page = organizer.get("/rounds/3", headers={"Accept-Language": "vi"}).get_data(as_text=True)
    assert "<li>Giải Nhì: 2 giải, mỗi giải 3.000.000 đồng.</li>" in page


def test_the_buttons_of_the_form_keep_what_was_typed(organizer: FlaskClient, contest: Contest) -> None:
    page = organizer.get(PAGE).get_data(as_text=True)
    for act in ("add:prizes", "add:prizes", "add:draw", "add:brackets", "add:ranking", "down:ranking:0"):
        sent = [*inputs_of(page), ("act", act)]
        answer = organizer.post(PAGE, data=MultiDict(sent))
        assert answer.status_code == 200
        page = answer.get_data(as_text=True)
    held = dict(inputs_of(page))
    assert (held["prizes.rows"], held["draw.rows"], held["brackets.rows"]) == ("2", "1", "1")
    assert [value for name, value in inputs_of(page) if name == "ranking"] == [
        *("prediction_gap", "score", "received_at", "correct"),
    ]
    assert stored(3)["prizes"] == []
    assert "Chưa thành thể lệ." in page
    # Rows that were just added are named by the preview, and not marked before they are filled in.
    assert "Bảng 1: Tên bảng" in page


def test_the_preview_says_what_participants_would_read(organizer: FlaskClient, contest: Contest) -> None:
    form = [*form_of({**stored(3), "questions": 5, "eligible_units": ["79"]}), ("act", "preview")]
    page = organizer.post(PAGE, data=MultiDict(form)).get_data(as_text=True)
    assert "Mỗi lượt thi rút ngẫu nhiên 5 câu hỏi" in page
    assert "Dành cho người thuộc: Thành phố Hồ Chí Minh." in page
    assert stored(3)["questions"] == 10


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"questions": "0"}, "questions", "Hãy nhập một số nguyên từ 1 đến 200."),
        ({"questions": "21"}, "questions", "Tuần thi 3: Ngân hàng"),
        ({"questions": "20", "draw.rows": "1", "draw.0.count": "3"}, "draw", "Tổng các phần"),
        ({"min_age": "30", "max_age": "20"}, "max_age", "Không được nhỏ hơn số đứng trước."),
        ({"eligible_units": "79, ZZ"}, "eligible_units", "Không có đơn vị mang mã ZZ."),
        ({"brackets.rows": "1", "brackets.0.units": "ZZ"}, "brackets.0.name", "Hãy điền mục này."),
        ({"prizes.rows": "1", "prizes.0.name": "A", "prizes.0.kind": "collective", "prizes.0.count": "1"},
         "prizes.0.by", "Giải tập thể cần mục này."),
        ({"prizes.rows": "1", "prizes.0.name": "A", "prizes.0.kind": "individual", "prizes.0.count": "x"},
         "prizes.0.count", "Hãy nhập một số nguyên từ 1 đến 10.000."),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(
    organizer: FlaskClient, contest: Contest, changes: dict[str, str], name: str, said: str
) -> None:
    form = [(each, value) for each, value in form_of(stored(3)) if each not in changes] + list(changes.items())
    answer = organizer.post(PAGE, data=MultiDict(form))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    found = re.search(rf'id="{re.escape(name)}-error">.*?<span>([^<]*)</span></span>', page)
    assert found, page
    assert said in found[1]
    assert rules_document(rules_from(stored(3))) == rules_document(Rules())


def test_an_open_round_changes_its_prizes_alone(organizer: FlaskClient, contest: Contest, platform: Platform) -> None:
    page = organizer.get(OPEN_PAGE).get_data(as_text=True)
    assert "Chỉ còn sửa được giải thưởng" in page
    assert {name for name, _ in inputs_of(page) if name == "questions"} == set()
    prize = {"key": "nhat", "name": "Giải Nhất", "kind": "individual", "count": 1, "value": 1_000_000}
    form = form_of({**stored(2), "prizes": [prize], "barred_kinds": ["committee"]}, "prizes", "barred")
    assert organizer.post(OPEN_PAGE, data=MultiDict(form)).status_code == 303
    assert stored(2)["prizes"][0]["value"] == 1_000_000
    assert platform.season.refresh().numbers["cuoc-thi", 2].rules["barred_kinds"] == ["committee"]
    for field, value in (("cap", 9), ("ranking", ["lot"]), ("min_age", 20)):
        answer = organizer.post(OPEN_PAGE, data=MultiDict(form_of({**stored(2), field: value})))
        assert answer.status_code == 422
        assert "đề đã được rút theo thể lệ này" in answer.get_data(as_text=True)
    assert stored(2)["cap"] == 7


def test_a_round_that_is_over_changes_nothing(organizer: FlaskClient, contest: Contest) -> None:
    page = organizer.get(OVER_PAGE).get_data(as_text=True)
    assert "Lưu thể lệ này" not in page
    assert "Thí sinh sẽ đọc" in page
    answer = organizer.post(OVER_PAGE, data=MultiDict(form_of({**stored(1), "prize_caps": {"person_round": 1}})))
    assert answer.status_code == 422
    assert "thể lệ không đổi được nữa" in answer.get_data(as_text=True)


def test_a_minute_before_it_opens_a_round_counts_as_open(contest: Contest) -> None:
    made = contest.rounds[2]
    assert "questions" in season.may_change(made, made.opens_at - timedelta(minutes=2))
    assert season.may_change(made, made.opens_at - timedelta(seconds=30)) == set(season.OPEN_MAY_CHANGE)


def test_the_contest_gives_its_rules_to_what_has_not_opened(
    organizer: FlaskClient, contest: Contest, platform: Platform
) -> None:
    page = organizer.get("/staff/contests/cuoc-thi/rules").get_data(as_text=True)
    assert "21 tuần thi chưa mở" in page
    form = form_of({**rules_document(Rules()), "cap": 3})
    assert organizer.post("/staff/contests/cuoc-thi/rules", data=MultiDict(form)).status_code == 303
    db.session.rollback()
    assert [each.rules["cap"] for each in contest.rounds] == [7, 7, *[3] * 21]
    assert contest.rules is not None
    assert contest.rules["cap"] == 3
    assert db.session.query(AuditEvent).filter_by(action="round.rules_changed").count() == 21
    said = db.session.query(AuditEvent).filter_by(action="contest.rules_changed").one().detail
    assert said["rounds"] == list(range(3, 24))
    assert platform.season.refresh().numbers["cuoc-thi", 23].cap == 3
    # A bank that can't fill it: the round is named, and nothing is written.
    answer = organizer.post("/staff/contests/cuoc-thi/rules", data=MultiDict(form_of({"questions": 40})))
    assert answer.status_code == 422
    assert "Tuần thi 3: Ngân hàng" in answer.get_data(as_text=True)
    assert stored(3)["questions"] == 10


def test_a_contest_begins_with_the_rules_of_a_template(organizer: FlaskClient) -> None:
    sent = {"slug": "thi-moi", "title": "Cuộc thi mới", "template": "cong-dan-2026"}
    assert organizer.post("/staff/contests/new", data=sent).status_code == 303
    made = db.session.query(Contest).filter_by(slug="thi-moi").one()
    assert made.rules is not None
    assert (made.rules["cap"], made.rules["ranking"]) == (1, ["score", "prediction_gap"])
    page = organizer.get("/staff/contests/thi-moi/rules").get_data(as_text=True)
    assert ("cap", "1") in inputs_of(page)
    start = (clock.now() + timedelta(days=9)).date().isoformat()
    plan = {"start": start, "weekday": "0", "hour": "8", "hours": "100", "every": "7", "count": "2", "create": "1"}
    assert organizer.post("/staff/contests/thi-moi/plan", data={**plan, "template": "contest"}).status_code == 303
    db.session.rollback()
    assert [each.rules["cap"] for each in made.rounds] == [1, 1]
