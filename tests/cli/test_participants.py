"""flask participants import: all of the people, or none and every bad line."""

import io
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import Workbook
from redis import Redis

from quiz.extensions import db
from quiz.models import AuditEvent, Identity, User
from quiz.services import accounts

HEAD = ["phone", "full_name", "unit_code", "birth_year", "password"]
PEOPLE = [
    ["0912345678", "Trần Thị Mai", "00004", "2003", "tre xanh 2025"],
    ["+84 987 654 321", "Lê Văn An", "TNQH", "", ""],
]


def commas(*rows: list[str], delimiter: str = ",") -> bytes:
    return "\n".join(delimiter.join(row) for row in rows).encode()


def xlsx(*rows: list[object]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@pytest.fixture
def run(app: Flask, tmp_path: Path):
    def call(content: bytes):
        file = tmp_path / "list"
        file.write_bytes(content)
        result = app.test_cli_runner().invoke(args=["participants", "import", str(file)])
        db.session.rollback()
        return result

    return call


VIETNAMESE = ["Số điện thoại", "Họ và tên", "Mã đơn vị", "Năm sinh", "Mật khẩu"]


@pytest.mark.parametrize(
    "content",
    [
        commas(HEAD, *PEOPLE),
        commas(VIETNAMESE, *PEOPLE),
        commas(HEAD, *PEOPLE, delimiter=";"),
        commas(HEAD, *PEOPLE, delimiter="\t"),
        b"\xef\xbb\xbf" + commas(HEAD, *PEOPLE),
        commas(["Danh sách thí sinh"], [], ["STT", *HEAD], ["1", *PEOPLE[0]], [""], ["2", *PEOPLE[1]]),
        xlsx(HEAD, *PEOPLE),
        # As Excel keeps them when it is let: numbers without their zeros.
        xlsx(VIETNAMESE, [912345678, "Trần Thị Mai", "00004", 2003, "tre xanh 2025"], PEOPLE[1]),
    ],
    ids=["csv", "vietnamese", "semicolons", "tabs", "bom", "titles", "xlsx", "numbers"],
)
def test_everybody_comes_in(run, redis: Redis, content: bytes) -> None:
    result = run(content)
    assert result.exit_code == 0, result.output
    assert "2 participants imported." in result.output
    mai, an = db.session.query(User).order_by(User.id).all()
    assert (mai.full_name, mai.birth_year, mai.role, mai.consent_at) == ("Trần Thị Mai", 2003, "participant", None)
    assert (mai.person_id, an.person_id) == (mai.id, an.id)
    assert an.password_hash is None
    assert {row.value for row in db.session.query(Identity)} == {"+84912345678", "+84987654321"}
    assert accounts.sign_in(db.session(), redis, "0912345678", "tre xanh 2025").id == mai.id
    assert db.session.query(AuditEvent).one().detail == {"count": 2}


def test_every_bad_line_is_listed_and_nobody_comes_in(run) -> None:
    rows = [
        PEOPLE[0],
        ["123", "X", "99999", "1800", "y"],
        ["", "", "", "", ""],
        [PEOPLE[0][0], "Ngô Văn Bảy", "00004", "", ""],
        ["0933333333", "Hồ Thị Chín", "00004", "hai nghìn", ""],
    ]
    result = run(commas(HEAD, *rows))
    assert result.exit_code == 1
    assert "Nothing was imported." in result.output
    for field in HEAD:
        assert f"line 3, {field}:" in result.output
    assert "line 5, phone: Trùng số với dòng 2." in result.output
    assert "line 6, birth_year:" in result.output
    assert "line 2" not in result.output
    assert db.session.query(User).count() == 0


def test_numbers_that_have_an_account_are_listed(run) -> None:
    assert run(commas(HEAD, PEOPLE[0])).exit_code == 0
    result = run(commas(HEAD, PEOPLE[1], ["84912345678", "Trần Thị Mai", "00004", "", ""]))
    assert result.exit_code == 1
    assert "line 3, phone: Số điện thoại này đã có tài khoản." in result.output
    assert db.session.query(User).count() == 1


@pytest.mark.parametrize(("code", "found"), [("166", "00166"), ("00166", "00166"), ("tnqh", "TNQH"), ("4", None)])
def test_codes_that_lost_their_zeros(run, code: str, found: str | None) -> None:
    result = run(commas(HEAD[:3], ["0912345678", "Trần Thị Mai", code]))
    assert (result.exit_code == 0) == (found is not None), result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "dòng tiêu đề"),
        (b"a,b\n1,2\n", "dòng tiêu đề"),
        (commas(HEAD), "không có ai"),
        (commas(HEAD[:2], ["0912345678", "Mai"]), "unit_code"),
        ("phone,full_name,unit_code\n0912345678,Mai Đỗ,00004".encode("utf-16-le"), "Không đọc được tệp"),
        (b"PK\x03\x04 broken", "Không đọc được tệp"),
        (b'phone,full_name,unit_code\n"0912345678,' + b"x" * 200_000, "không đúng dạng CSV"),
    ],
    ids=["empty", "no headings", "nobody", "column missing", "encoding", "damaged", "csv"],
)
def test_a_file_that_is_no_list(run, content: bytes, said: str) -> None:
    result = run(content)
    assert result.exit_code == 1
    assert said in result.output
    assert db.session.query(User).count() == 0


def test_many_people_come_in_at_once(run) -> None:
    rows = [[f"09{n:08d}", "Trần Thị Mai", "00004"] for n in range(4_500)]
    assert "4500 participants imported." in run(commas(HEAD[:3], *rows)).output
    assert db.session.query(User).filter(User.person_id == User.id).count() == 4_500
