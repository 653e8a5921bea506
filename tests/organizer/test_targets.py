"""Units and what they shall reach: shown, set, brought in as a list, taken out and brought back."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from quiz.extensions import Platform, db
from quiz.intake.boards import DIRTY
from quiz.models import AuditEvent, Contest, Target, Unit
from tests import staffing

HEAD = "Mã đơn vị,Thí sinh,Lượt thi\n"


@pytest.fixture
def home(organizer: FlaskClient, contest: Contest, platform: Platform) -> FlaskClient:
    platform.cache.delete(DIRTY)
    return organizer


def held() -> dict[str, tuple[int, int]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Unit.code, Target.participants, Target.entries).join(Target, Target.unit_id == Unit.id)
    )
    return {code: (participants, entries) for code, participants, entries in rows}


def page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def send(browser: FlaskClient, content: str | bytes, name: str = "chi-tieu.csv") -> TestResponse:
    raw = content.encode() if isinstance(content, str) else content
    return browser.post("/staff/units", data={"file": (io.BytesIO(raw), name)})


def test_units_are_found_and_lead_to_what_is_below_them(home: FlaskClient) -> None:
    assert "Tỉnh Nghệ An" in page(home, "/staff/units")
    found = page(home, "/staff/units?q=nghe an")
    assert "Tỉnh Nghệ An" in found
    assert "Tỉnh Hà Tĩnh" not in found
    assert 'href="/staff/units?parent=40"' in found
    below = page(home, "/staff/units?parent=40")
    assert 'href="/staff/users?unit=40"' in below
    assert below.count("<tr>") > 100
    assert home.get("/staff/units?parent=nobody").status_code == 404


def test_a_target_is_set_changed_and_taken_away_and_the_boards_follow(home: FlaskClient, platform: Platform) -> None:
    form = {"participants": "12.000", "entries": "40000"}
    assert home.post("/staff/units/40", data=form).status_code == 303
    assert held() == {"40": (12_000, 40_000)}
    assert platform.cache.scard(DIRTY) == 1
    assert "12.000" in page(home, "/staff/units")
    home.post("/staff/units/40", data=form | {"entries": "50000"})
    home.post("/staff/units/40", data=form | {"entries": "50000"})  # the same again
    home.post("/staff/units/40", data={"participants": "", "entries": ""})
    assert held() == {}
    traces = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "target.set").order_by(AuditEvent.id)
    ).all()
    assert [(each.detail["before"], each.detail["after"]) for each in traces] == [
        (None, [12_000, 40_000]),
        ([12_000, 40_000], [12_000, 50_000]),
        ([12_000, 50_000], None),
    ]


@pytest.mark.parametrize(
    "wrong", [{"participants": "viele"}, {"entries": "-1"}, {"entries": ""}, {"entries": "9" * 12}]
)
def test_what_is_no_number_is_refused_and_stays_typed(home: FlaskClient, wrong: dict[str, str]) -> None:
    answer = home.post("/staff/units/40", data={"participants": "7777", "entries": "1"} | wrong)
    assert answer.status_code == 422
    assert "Tỉnh Nghệ An" in answer.get_data(as_text=True)
    assert held() == {}


def test_a_list_comes_in_whole(home: FlaskClient, platform: Platform) -> None:
    assert send(home, HEAD + '40,"1.000",3000\n1,500,900\n42,,\n').status_code == 303
    assert held() == {"40": (1_000, 3_000), "01": (500, 900)}  # a spreadsheet had lost the zero in front
    assert platform.cache.scard(DIRTY) == 1
    assert send(home, HEAD + "40,1000,3000\n01,600,900\n").status_code == 303
    traces = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "targets.imported")).all()
    assert [len(each.detail["units"]) for each in traces] == [2, 1]


def test_an_excel_list_comes_in_too(home: FlaskClient) -> None:
    book = Workbook()
    for row in (["Chỉ tiêu năm nay"], ["Mã", "Tên", "Số thí sinh", "Số lượt thi"], ["40", "Nghệ An", 10, 20]):
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    assert send(home, out.getvalue(), "chi-tieu.xlsx").status_code == 303
    assert held() == {"40": (10, 20)}


def test_a_bad_list_names_every_bad_line_and_writes_nothing(home: FlaskClient) -> None:
    answer = send(home, HEAD + "40,10,20\nZZ,1,2\n40,1,2\n42,mười,2\n")
    said = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert all(f"Dòng {number}" in said for number in (3, 4, 5))
    assert held() == {}
    assert send(home, HEAD + "40,,\n").status_code == 422
    assert send(home, "x,y\n1,2\n").status_code == 422
    assert home.post("/staff/units").status_code == 422


def test_what_goes_out_comes_back(home: FlaskClient) -> None:
    send(home, HEAD + "40,1000,3000\n01,500,900\n")
    before = held()
    file = home.get("/staff/units/targets.csv").get_data()
    assert file.count(b"\n") > 3_000
    for code in before:
        home.post(f"/staff/units/{code}", data={"participants": "", "entries": ""})
    assert held() == {}
    assert send(home, file).status_code == 303
    assert held() == before


def test_the_people_of_a_unit_are_listed_with_those_below_it(home: FlaskClient) -> None:
    staffing.make("officer", "0912000007", unit="40", name="Hồ Thị Lan")
    assert "Hồ Thị Lan" in page(home, "/staff/units?parent=40")
    assert "Hồ Thị Lan" in page(home, "/staff/users?unit=40")
    assert "Hồ Thị Lan" not in page(home, "/staff/users?unit=42")
