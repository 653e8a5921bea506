"""POST /participants and POST /tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from quiz.errors import Refusal
from quiz.extensions import db
from quiz.models import User
from quiz.services import accounts, bearer, passwords
from tests.api.conftest import NOW, PASSWORD, Caller, World, refused


def test_register_answers_with_a_token_and_the_participant(anybody: Caller) -> None:
    response = anybody.register(birth_year=2003)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    assert set(response.json) == {"token", "expires_at", "participant"}
    user = db.session.query(User).one()
    assert response.json["participant"] == {
        "id": str(user.id),
        "full_name": "Nguyễn Thị Hoa",
        "unit": {"code": "00004", "name": "Phường Ba Đình", "kind": "commune", "province_code": "01"},
    }
    assert user.birth_year == 2003
    assert anybody.get("/me").status_code == 200


def test_a_union_has_no_province(anybody: Caller) -> None:
    unit = anybody.register(unit_code="TNQH").json["participant"]["unit"]
    assert (unit["kind"], unit["province_code"]) == ("union", None)


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ({"phone": "123"}, {"phone"}),
        ({"phone": None}, {"phone"}),
        ({"password": "short"}, {"password"}),
        ({"full_name": ""}, {"full_name"}),
        ({"full_name": "A\x00B"}, {"full_name"}),
        ({"unit_code": "99"}, {"unit_code"}),
        ({"unit_code": "0\x00"}, {"unit_code"}),
        ({"birth_year": 1.5}, {"birth_year"}),
        ({"birth_year": 10**30}, {"birth_year"}),
        ({"birth_year": "2003"}, {"birth_year"}),
        ({"consent": False}, {"consent"}),
        ({"consent": "yes"}, {"consent"}),
        ({"consent": 1}, {"consent"}),
        ({"phone": "1", "consent": False}, {"phone", "consent"}),
    ],
)
def test_each_wrong_field_is_named(anybody: Caller, part: dict[str, object], fields: set[str]) -> None:
    problem = refused(anybody.register(**part), 422, "invalid_request")
    assert {error["field"] for error in problem["errors"]} == fields
    assert all(error["message"] for error in problem["errors"])


def test_an_empty_body_is_told_all_that_is_missing(anybody: Caller) -> None:
    problem = refused(anybody.post("/participants", {}), 422, "invalid_request")
    assert {error["field"] for error in problem["errors"]} == {
        "phone",
        "password",
        "full_name",
        "unit_code",
        "consent",
    }


@pytest.mark.parametrize("spelling", ["012 345 678", "+84 {}", "84{}", "0084{}"])
def test_a_phone_is_taken_in_every_spelling(hoa: Caller, spelling: str) -> None:
    national = hoa.phone.removeprefix("0")
    phone = hoa.phone if "{" not in spelling else spelling.format(national)
    refused(hoa.register(phone=phone), 409, "phone_taken")


def test_sign_in(world: World, hoa: Caller) -> None:
    response = hoa.post("/tokens", {"phone": "+84 " + hoa.phone[1:], "password": PASSWORD})
    assert response.status_code == 200
    assert set(response.json) == {"token", "expires_at"}
    assert datetime.fromisoformat(response.json["expires_at"]) == NOW + bearer.LIFETIME
    hoa.token = response.json["token"]
    world.at.forward(days=30, seconds=-1)
    assert hoa.get("/me").status_code == 200
    world.at.forward(seconds=1)
    refused(hoa.get("/me"), 401, "login_required")


@pytest.mark.parametrize("body", [{"password": "wrong one"}, {"phone": "0900000000"}, {"phone": "no phone"}])
def test_wrong_credentials(hoa: Caller, body: dict[str, str]) -> None:
    problem = refused(hoa.post("/tokens", {"phone": hoa.phone, "password": PASSWORD, **body}), 401, "wrong_credentials")
    assert "errors" not in problem


def test_missing_credentials_are_named(hoa: Caller) -> None:
    problem = refused(hoa.post("/tokens", {"phone": hoa.phone}), 422, "invalid_request")
    assert [error["field"] for error in problem["errors"]] == ["password"]


def test_too_many_tries_are_told_when_to_come_back(hoa: Caller) -> None:
    for _ in range(accounts.TRIES):
        refused(hoa.post("/tokens", {"phone": hoa.phone, "password": "wrong one"}), 401, "wrong_credentials")
    response = hoa.post("/tokens", {"phone": hoa.phone, "password": PASSWORD})
    refused(response, 429, "too_many_requests")
    assert int(response.headers["Retry-After"]) <= accounts.TRIES_WINDOW / timedelta(seconds=1)


def test_a_flood_of_hashes_is_refused(anybody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING_LIMIT", 0)
    refused(anybody.register(), 429, "too_many_requests")
    with pytest.raises(Refusal):
        passwords.hash_password("x")


def test_signing_out_everywhere_ends_every_token_at_once(world: World, hoa: Caller) -> None:
    parts = world.platform
    accounts.sign_out_everywhere(
        db.session(), parts.gateway.client, parts.season.get(), db.session.query(User).one().id
    )
    refused(hoa.post("/rounds/2/papers"), 401, "login_required")
    refused(hoa.get("/me/entries"), 401, "login_required")
    world.platform.gateway.client.flushall()
    world.prime()
    refused(hoa.post("/rounds/2/papers"), 401, "login_required")


class TestChangePassword:
    def change(self, world: World, old: str, new: str) -> accounts.Account:
        parts = world.platform
        user = db.session.query(User).one()
        return accounts.change_password(
            db.session(), parts.cache, parts.gateway.client, parts.season.get(), user.id, old, new
        )

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [("wrong one", "tre xanh 2025", "old_password"), (PASSWORD, "short", "new_password")],
    )
    def test_refused(self, world: World, hoa: Caller, old: str, new: str, field: str) -> None:
        with pytest.raises(Refusal, match="invalid_request") as refusal:
            self.change(world, old, new)
        assert [error.field for error in refusal.value.errors] == [field]
        assert hoa.get("/me").status_code == 200

    def test_the_old_password_ends(self, world: World, hoa: Caller) -> None:
        assert self.change(world, PASSWORD, "tre xanh 2025").auth_epoch == 1
        refused(hoa.post("/tokens", {"phone": hoa.phone, "password": PASSWORD}), 401, "wrong_credentials")
        assert hoa.post("/tokens", {"phone": hoa.phone, "password": "tre xanh 2025"}).status_code == 200

    def test_guessing_it_is_bounded(self, world: World, hoa: Caller) -> None:
        for _ in range(accounts.TRIES):
            with pytest.raises(Refusal, match="invalid_request"):
                self.change(world, "wrong one", "tre xanh 2025")
        with pytest.raises(Refusal, match="too_many_requests"):
            self.change(world, PASSWORD, "tre xanh 2025")
