"""Nobody gets in by a password alone, by a code twice, or by a session that was ended."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyotp import TOTP
from sqlalchemy import select

from quiz import clock
from quiz.extensions import db
from quiz.models import AuditEvent, RecoveryCode, SecondFactor, User
from quiz.services import second_factor
from tests import staffing

PHONE = "0912000001"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """The clock of the application, half an hour further than at the first sign-in."""
    step, real = timedelta(minutes=30), clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + step)
    return step


def password(client: FlaskClient, **changes: str) -> str:
    data = {"phone": PHONE, "password": staffing.PASSWORD} | changes
    return client.post("/staff/sign-in", data=data).headers.get("Location", "")


def test_the_first_sign_in_sets_up_the_second_factor(app: Flask, client: FlaskClient) -> None:
    staffing.make("organizer")
    staffing.enter(client)
    assert client.get("/staff/log").status_code == 200
    acts = db.session.scalars(select(AuditEvent.action)).all()
    assert acts == ["staff.second_factor_set_up"]


def test_a_password_alone_opens_nothing(app: Flask, client: FlaskClient) -> None:
    staffing.make("organizer")
    password(client)
    assert client.get("/staff/log").status_code == 302
    # Neither does the participants' door.
    client.post("/sign-in", data={"phone": PHONE, "password": staffing.PASSWORD})
    assert client.get("/staff/log").status_code == 302


def test_a_participant_is_told_what_a_stranger_is_told(app: Flask, client: FlaskClient) -> None:
    staffing.make("participant", unit="40")
    answer = client.post("/staff/sign-in", data={"phone": PHONE, "password": staffing.PASSWORD})
    stranger = client.post("/staff/sign-in", data={"phone": "0912999999", "password": staffing.PASSWORD})
    assert answer.status_code == stranger.status_code == 401


def test_a_code_is_good_once(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    staffing.make("organizer")
    secret = staffing.enter(client)
    moment = clock.now() + timedelta(minutes=10)
    monkeypatch.setattr(clock, "now", lambda: moment)
    code = TOTP(secret).at(moment)
    for expected in (303, 401):
        other = app.test_client()
        password(other)
        assert other.post("/staff/second-factor", data={"code": code}).status_code == expected


@pytest.mark.parametrize("wrong", ["", "000000", "abc", "12345678901234567890" * 100, "１２３４５６"])
def test_a_wrong_code_is_refused(app: Flask, client: FlaskClient, wrong: str) -> None:
    staffing.make("organizer")
    staffing.enter(client)
    other = app.test_client()
    password(other)
    assert other.post("/staff/second-factor", data={"code": wrong}).status_code == 401
    assert other.get("/staff/log").status_code == 302


def test_guessing_codes_ends_soon(app: Flask, client: FlaskClient) -> None:
    staffing.make("organizer")
    secret = staffing.enter(client)
    other = app.test_client()
    password(other)
    seen = [other.post("/staff/second-factor", data={"code": f"{number:06}"}).status_code for number in range(11)]
    assert seen[-1] == 429
    right = TOTP(secret).at(clock.now() + timedelta(seconds=30))
    assert other.post("/staff/second-factor", data={"code": right}).status_code == 429


def test_a_recovery_code_opens_once(app: Flask, client: FlaskClient, later: timedelta) -> None:
    staffing.make("organizer")
    password(client)
    page = client.get("/staff/second-factor/set-up").get_data(as_text=True)
    secret = re.search(r'<code class="secret">(\w+)</code>', page)
    assert secret
    answer = client.post("/staff/second-factor/set-up", data={"code": TOTP(secret[1]).at(clock.now())})
    codes = re.findall(r"<li><code>([A-Z2-7-]+)</code></li>", answer.get_data(as_text=True))
    assert len(set(codes)) == second_factor.CODES
    for typed, expected in ((codes[0].lower(), 303), (codes[0], 401), (codes[1], 303)):
        other = app.test_client()
        password(other)
        assert other.post("/staff/second-factor", data={"code": typed}).status_code == expected
    assert db.session.scalars(select(RecoveryCode).where(RecoveryCode.used_at.is_not(None))).all()
    assert "staff.recovery_code_used" in db.session.scalars(select(AuditEvent.action)).all()


def test_the_tables_hold_no_secret_that_opens(app: Flask, client: FlaskClient) -> None:
    import base64

    user = staffing.make("organizer")
    secret = staffing.enter(client)
    held = db.session.get_one(SecondFactor, user.id)
    assert base64.b32decode(secret) not in (held.sealed, held.nonce)


def test_a_second_one_can_not_be_set_up_beside_the_first(app: Flask, client: FlaskClient) -> None:
    staffing.make("organizer")
    staffing.enter(client)
    other = app.test_client()
    assert password(other).startswith("/staff/second-factor")
    answer = other.get("/staff/second-factor/set-up")
    assert answer.status_code == 303
    assert other.post("/staff/second-factor/set-up", data={"code": "123456"}).status_code in {303, 401}
    assert other.get("/staff/log").status_code == 302


@pytest.mark.parametrize("change", ["epoch", "bar", "role", "reset"])
def test_what_the_tables_say_counts_on_the_next_request(app: Flask, client: FlaskClient, change: str) -> None:
    user = staffing.make("organizer")
    staffing.enter(client)
    assert client.get("/staff/log").status_code == 200
    if change == "epoch":
        user.auth_epoch += 1
    elif change == "bar":
        user.barred_at, user.barred_reason = clock.now(), "nghỉ việc"
    elif change == "role":
        user.role, user.unit_id = "participant", 2
    else:
        db.session.delete(db.session.get_one(SecondFactor, user.id))
    db.session.commit()
    assert client.get("/staff/log").status_code == 302


def test_a_session_lasts_a_working_day(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    staffing.make("organizer")
    staffing.enter(client)
    start = clock.now()

    def at(hours: float) -> datetime:
        return start + timedelta(hours=hours)

    monkeypatch.setattr(clock, "now", lambda: at(11.9))
    assert client.get("/staff/log").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: at(12.1))
    assert client.get("/staff/log").status_code == 302


def test_the_demo_shows_its_code_and_only_the_demo(app: Flask, client: FlaskClient) -> None:
    user = staffing.make("organizer")
    user.synthetic = True
    db.session.commit()
    password(client)
    page = client.get("/staff/second-factor").get_data(as_text=True)
    code = TOTP(second_factor.DEMO_SECRET).at(clock.now())
    assert code in page
    assert client.post("/staff/second-factor", data={"code": code}).status_code == 303
    assert client.get("/staff/log").status_code == 200
    real = staffing.make("organizer", "0912000002")
    assert not real.synthetic
    other = app.test_client()
    assert password(other, phone="0912000002").startswith("/staff/second-factor/set-up")
    assert db.session.get(User, real.id) is not None
