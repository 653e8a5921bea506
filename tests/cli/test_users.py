import pytest
from flask import Flask
from redis import Redis

from quiz.extensions import db
from quiz.models import User
from quiz.services import accounts
from tests import staffing

GOOD = ["--phone", "0912 345 678", "--name", "Trần Thị Mai", "--password", "tre xanh 2025"]


def create(app: Flask, *more: str, given: str | None = None):
    return app.test_cli_runner().invoke(args=["users", "create", *more], input=given)


@pytest.mark.parametrize(
    ("role", "unit", "scope"),
    [("participant", "00004", None), ("officer", "01", "01"), ("organizer", None, None), ("administrator", None, None)],
)
def test_an_account_of_each_role_can_sign_in(
    app: Flask, redis: Redis, role: str, unit: str | None, scope: str | None
) -> None:
    result = create(app, *GOOD, "--role", role, *(["--unit", unit] if unit else []))
    assert result.exit_code == 0, result.output
    assert "0912 345 678" in result.output
    user = db.session.query(User).one()
    assert (user.role, user.scope_unit_id is not None, user.unit_id is not None) == (
        role,
        scope is not None,
        bool(unit),
    )
    assert accounts.sign_in(db.session(), redis, "0912345678", "tre xanh 2025").id == user.id


def test_the_password_is_asked_for(app: Flask) -> None:
    result = create(app, *GOOD[:4], "--unit", "00004", given="tre xanh 2025\ntre xanh 2025\n")
    assert result.exit_code == 0, result.output
    assert "tre xanh" not in result.output


def test_what_is_wrong_is_named(app: Flask) -> None:
    result = create(app, "--phone", "1", "--name", "x", "--password", "y")
    assert result.exit_code == 1
    for field in ("phone", "full_name", "password", "unit_code"):
        assert f"{field}:" in result.output
    assert create(app, *GOOD, "--role", "organizer", "--unit", "01").exit_code == 1
    assert create(app, *GOOD, "--role", "king").exit_code == 2
    assert db.session.query(User).count() == 0


def test_a_taken_phone(app: Flask) -> None:
    assert create(app, *GOOD, "--unit", "00004").exit_code == 0
    result = create(app, *GOOD, "--unit", "00004")
    assert result.exit_code == 1
    assert "đã có tài khoản" in result.output


def test_a_second_factor_is_reset_when_nobody_gets_in(app: Flask) -> None:
    user = staffing.make("administrator")
    browser = app.test_client()
    staffing.enter(browser)
    run = app.test_cli_runner().invoke
    command = ["users", "reset-second-factor", "--reason", "SECRET_KEY đã đổi", "--phone"]
    assert run(args=[*command, "0912 999 999"]).exit_code == 1
    assert run(args=[*command, "no number"]).exit_code == 1
    assert browser.get("/staff/log").status_code == 200
    assert run(args=[*command, "0912 000 001"]).exit_code == 0
    assert browser.get("/staff/log").status_code == 302
    staffing.enter(app.test_client())
    assert db.session.get_one(User, user.id).auth_epoch == 1
