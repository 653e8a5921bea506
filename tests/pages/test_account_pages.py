"""Registering, signing in, the own account; and that nobody is sent to a stranger's page."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quiz.extensions import db
from quiz.models import User
from quiz.sessions import safe_next
from tests.browser import stage as staging
from tests.browser.stage import Stage


def text_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def form(stage: Stage, **changes: str) -> dict[str, str]:
    return {
        "province": stage.home_province,
        "commune": stage.home,
        "full_name": "Lê Văn Bình",
        "phone": "0987654321",
        "password": staging.PASSWORD,
        "consent": "yes",
    } | changes


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", "/"),
        ("/entries?x=1", "/entries?x=1"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("https://evil.example", None),
        ("javascript:alert(1)", None),
        ("/a\\b", None),
        ("", None),
        (None, None),
    ],
)
def test_only_our_own_pages_come_next(target: str | None, expected: str | None) -> None:
    assert safe_next(target) == expected


def test_register_lands_where_one_wanted_to_go(client: FlaskClient, stage: Stage) -> None:
    answer = client.post("/register", data=form(stage, next="/boards"))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/boards"
    assert "Lê Văn Bình" in text_of(client.get("/account"))


def test_a_union_is_its_own_unit(client: FlaskClient, stage: Stage) -> None:
    assert client.post("/register", data=form(stage, province="TNQH", commune="")).status_code == 303
    assert "Đoàn Thanh niên Quốc hội" in text_of(client.get("/account"))


def test_a_province_alone_only_when_it_is_meant(client: FlaskClient, stage: Stage) -> None:
    answer = client.post("/register", data=form(stage, commune=""))
    assert answer.status_code == 422
    assert "Hãy chọn xã" in text_of(answer)
    assert client.post("/register", data=form(stage, commune="unknown")).status_code == 303


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phone": "123"}, "Hãy nhập số di động Việt Nam"),
        ({"password": "short"}, "Ít nhất 8 ký tự"),
        ({"full_name": " "}, "Hãy nhập họ và tên"),
        ({"consent": ""}, "Bạn cần đồng ý"),
        ({"birth_year": "19x0"}, "Hãy nhập năm"),
        ({"commune": "00000"}, "Hãy chọn xã"),
    ],
)
def test_a_refusal_names_the_field_and_keeps_the_rest(
    client: FlaskClient, stage: Stage, changes: dict[str, str], message: str
) -> None:
    answer = client.post("/register", data=form(stage, **changes))
    page = text_of(answer)
    assert answer.status_code == 422
    assert message in page
    assert 'role="alert"' in page
    assert staging.PASSWORD not in page
    if "phone" not in changes:
        assert 'value="0987654321"' in page
    assert db.session.query(User).count() == 0


def test_a_taken_phone_is_said_at_the_phone(client: FlaskClient, stage: Stage) -> None:
    staging.person(stage)
    answer = client.post("/register", data=form(stage, phone=staging.PHONE))
    assert answer.status_code == 409
    assert 'id="phone-error"' in text_of(answer)


def test_wrong_credentials_keep_the_phone(client: FlaskClient, stage: Stage) -> None:
    answer = client.post("/sign-in", data={"phone": "0911111111", "password": "no"})
    assert answer.status_code == 401
    assert "Sai số điện thoại hoặc mật khẩu" in text_of(answer)
    assert 'value="0911111111"' in text_of(answer)


def test_no_demo_logins_without_the_demo(client: FlaskClient, stage: Stage) -> None:
    assert "chạy thử" not in text_of(client.get("/sign-in"))


def test_a_new_password_ends_the_other_sessions(app: Flask, signed_in: FlaskClient) -> None:
    other = app.test_client()
    other.post("/sign-in", data={"phone": staging.PHONE, "password": staging.PASSWORD})
    assert other.get("/account").status_code == 200
    wrong = {"old_password": "nope", "new_password": "một câu khác hẳn"}
    assert "Mật khẩu hiện tại chưa đúng" in text_of(signed_in.post("/account/password", data=wrong))
    right = wrong | {"old_password": staging.PASSWORD}
    assert signed_in.post("/account/password", data=right).status_code == 303
    assert signed_in.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


def test_signing_out_everywhere(app: Flask, signed_in: FlaskClient) -> None:
    other = app.test_client()
    other.post("/sign-in", data={"phone": staging.PHONE, "password": staging.PASSWORD})
    assert signed_in.post("/account/sign-out-everywhere").status_code == 303
    assert other.get("/entries").status_code == 302
    assert "Đăng nhập" in text_of(other.get("/"))


def test_a_shared_phone_forgets_who_was_here(signed_in: FlaskClient) -> None:
    signed_in.post("/preferences", data={"language": "en", "back": "/"})
    signed_in.post("/sign-out")
    with signed_in.session_transaction() as session:
        assert set(session) <= {"language", "_permanent", "_flashes"}


def test_forms_of_other_sites_are_refused(app: Flask, signed_in: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    for path in ("/sign-out", "/account/password", "/account/sign-out-everywhere", "/rounds/13/start", "/register"):
        assert signed_in.post(path).status_code == 400, path


def test_preferences_send_nobody_away(client: FlaskClient, stage: Stage) -> None:
    answer = client.post("/preferences", data={"language": "en", "back": "//evil.example"})
    assert answer.headers["Location"] == "/"
    client.post("/preferences", data={"language": "xx", "theme": "<b>"})
    assert 'lang="en"' in text_of(client.get("/"))
