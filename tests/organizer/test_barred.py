"""Who works for a contest: numbers pasted, people picked, taken off again; at once in open rounds."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.primer import read_contest_bars
from quiz.models import AuditEvent, Contest, ContestBar, Round
from quiz.services import accounts, papers, season, units

PAGE = "/staff/contests/cuoc-thi/barred"


@pytest.fixture
def people(contest: Contest) -> list[int]:
    session = db.session()
    unit = units.get(session, "00004").id
    made = [
        accounts.add_user(session, clock.now(), full_name=name, phone=f"+8491234567{place}", unit_id=unit)
        for place, name in enumerate(["Lê Thị An", "Trần Văn Bình"])
    ]
    session.get_one(Round, contest.rounds[1].id).rules = {**contest.rounds[1].rules, "barred_kinds": ["secretary"]}
    session.commit()
    return [each.id for each in made]


def barred_now(platform: Platform) -> set[int]:
    card = papers.round_of(platform.season.refresh(), None, 2)
    return read_contest_bars(platform.gateway.client, card)


def test_pasted_picked_and_taken_off(organizer: FlaskClient, people: list[int], platform: Platform) -> None:
    assert "Chưa ghi ai" in organizer.get(PAGE).get_data(as_text=True)
    sent = {"phones": "0912 345 670\n0912345671", "function": "committee", "reason": "Ban Tổ chức"}
    assert organizer.post(PAGE, data=sent).status_code == 303
    page = organizer.get(PAGE).get_data(as_text=True)
    assert "Lê Thị An" in page
    assert "Thành viên Ban Tổ chức" in page
    assert "0912" not in page
    # The rules of the round bar secretaries, not the committee.
    assert barred_now(platform) == set()

    found = organizer.get(f"{PAGE}?q=binh").get_data(as_text=True)
    assert f'name="user" value="{people[1]}"' in found
    assert organizer.post(PAGE, data={"user": people[1], "function": "", "reason": "Đơn xin rút"}).status_code == 303
    assert db.session().get_one(ContestBar, (1, people[1])).function is None
    assert organizer.post(f"{PAGE}/{people[0]}/remove").status_code == 303
    assert [row.user_id for row in db.session.query(ContestBar)] == [people[1]]
    acts = db.session.query(AuditEvent).filter(AuditEvent.action.like("contest.%barred")).order_by(AuditEvent.id)
    assert [(act.action, act.reason) for act in acts] == [
        ("contest.barred", "Ban Tổ chức"),
        ("contest.barred", "Đơn xin rút"),
        ("contest.unbarred", ""),
    ]


def test_a_function_is_copied_where_the_rules_bar_it(
    organizer: FlaskClient, people: list[int], platform: Platform
) -> None:
    season.prime_all(db.session(), platform.gateway.client, clock.now())
    sent = {"phones": "0912345670", "function": "secretary", "reason": "Tổ thư ký"}
    platform.season.forget()
    organizer.post(PAGE, data=sent)
    assert barred_now(platform) == {people[0]}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"phones": "", "reason": "x"}, "Dán số điện thoại"),
        ({"phones": "0912345670\n0987654321", "reason": "x"}, "không có ai đăng ký: 2."),
        ({"phones": "0912345670", "reason": " "}, "ghi lý do"),
        ({"phones": "0912345670", "reason": "x", "function": "cook"}, "Hãy chọn nhiệm vụ"),
        ({"user": "999999", "reason": "x"}, "Không tìm thấy"),
    ],
)
def test_what_is_refused(organizer: FlaskClient, people: list[int], sent: dict[str, str], said: str) -> None:
    answer = organizer.post(PAGE, data=sent)
    assert answer.status_code in (404, 422)
    assert said in answer.get_data(as_text=True)
    assert db.session.query(ContestBar).count() == 0
