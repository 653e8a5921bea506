"""Boards as pages: my row always in sight, search without accents, pages, shortened names."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quiz.extensions import db
from quiz.services import accounts, units
from quiz.services.board_pages import PAGE, page_of
from tests.browser import stage as staging
from tests.browser.stage import CLOSED, OPEN, Stage


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def rows_of(page: str) -> list[str]:
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r"<tr.*?</tr>", body, flags=re.DOTALL)


@dataclass(frozen=True)
class Row:
    name: str


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", ["Tỉnh Hà Tĩnh", "Thành phố Hà Nội", "Tỉnh Đắk Lắk"]),
        ("ha", ["Tỉnh Hà Tĩnh", "Thành phố Hà Nội"]),
        ("TINH ha", ["Tỉnh Hà Tĩnh"]),
        ("đắk", ["Tỉnh Đắk Lắk"]),
        ("dak lak", ["Tỉnh Đắk Lắk"]),
        ("inh", []),
        ("xyz", []),
    ],
)
def test_names_are_found_with_and_without_accents(q: str, found: list[str]) -> None:
    rows = [Row("Tỉnh Hà Tĩnh"), Row("Thành phố Hà Nội"), Row("Tỉnh Đắk Lắk")]
    assert [row.name for row in page_of(rows, q, 1).rows] == found


@pytest.mark.parametrize(("number", "shown", "first"), [(1, 1, 0), (3, 3, 40), (99, 3, 40), (0, 1, 0), (-4, 1, 0)])
def test_a_page_that_is_not_there_is_the_nearest(number: int, shown: int, first: int) -> None:
    page = page_of([Row(str(place)) for place in range(2 * PAGE + 5)], "", number)
    assert (page.number, page.pages, page.found) == (shown, 3, 45)
    assert page.rows[0].name == str(first)


def test_units_in_pages_with_my_row_in_sight(signed_in: FlaskClient, stage: Stage) -> None:
    first = text_of(signed_in.get("/boards"))
    assert len(rows_of(first)) == PAGE
    assert "Trang 1/2" in first
    second = text_of(signed_in.get("/boards?page=2"))
    assert len(rows_of(second)) == 40 - PAGE
    # On one of the pages my province stands in the table, on the other below it.
    assert sorted([first.count('<tr class="mine"'), second.count('<tr class="mine"')]) == [0, 1]
    assert first.count('class="mine-row"') + second.count('class="mine-row"') == 1
    found = text_of(signed_in.get("/boards?q=ha+tinh"))
    assert len(rows_of(found)) == 1
    assert "Tỉnh Hà Tĩnh" in rows_of(found)[0]
    assert "Không có đơn vị nào tên như vậy" in text_of(signed_in.get("/boards?q=zzz"))


def test_communes_of_a_province(signed_in: FlaskClient, stage: Stage) -> None:
    page = text_of(signed_in.get(f"/boards?parent={stage.home_province}&q=bac+hong"))
    assert "Phường Bắc Hồng Lĩnh" in rows_of(page)[0]
    assert "đơn vị của tôi" in page
    assert signed_in.get("/boards?parent=99").status_code == 404
    assert signed_in.get("/boards?round=99").status_code == 404
    assert signed_in.get("/boards?round=abc&page=xyz").status_code == 200


def test_people_are_shortened_and_wait_for_the_release(signed_in: FlaskClient, stage: Stage) -> None:
    unit = units.get(db.session(), stage.home)
    me = accounts.Account(1, "Nguyễn Thị Lan", "participant", 0, unit.id)
    stage.take(CLOSED, me, stage.now - timedelta(days=8), 1.0, random.Random(1))
    stage.take(OPEN, me, stage.now - timedelta(minutes=30), 1.0, random.Random(1))
    stage.count()
    page = text_of(signed_in.get(f"/boards/people?round={CLOSED}"))
    assert "N. T. Lan" in rows_of(page)[0]
    assert unit.name in rows_of(page)[0]
    assert "Nguyễn Thị Lan" not in "".join(rows_of(page))
    # My own row, with my own name, because only I see it.
    assert re.search(r'class="mine-row".*Nguyễn Thị Lan', page, flags=re.DOTALL)
    assert staging.PHONE not in page
    page = text_of(signed_in.get(f"/boards/people?round={OPEN}"))
    assert rows_of(page) == []
    assert "Điểm của tuần này công bố lúc" in page
    assert "mine-row" not in page


def test_each_reader_has_the_frame_in_their_language(client: FlaskClient, stage: Stage) -> None:
    """Its macros are made once for all pages, whoever asked first."""
    for code, said in (("vi", "Toàn cuộc thi"), ("en", "Whole contest"), ("vi", "Toàn cuộc thi")):
        page = text_of(client.get("/boards/people", headers={"Accept-Language": code}))
        assert f'<option value="">{said}</option>' in page
