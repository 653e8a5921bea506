"""Registering, signing in, and ending sessions."""

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select

from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.models import Identity, User
from quiz.services import accounts, bearer
from quiz.services.accounts import Registration

NOW = datetime(2025, 11, 10, 8, 0, tzinfo=UTC)
FORM = Registration("0912 345 678", "mùa xuân 1946", "Nguyễn  Thị Hoa ", "00004", 2003, consent=True)


@pytest.fixture
def session(app: Flask):
    return db.session()


def test_register_makes_an_account_that_can_sign_in(session, redis: Redis) -> None:
    made = accounts.register(session, FORM, NOW)
    user = session.get_one(User, made.id)
    assert (user.full_name, user.role, user.birth_year) == ("Nguyễn Thị Hoa", "participant", 2003)
    assert user.person_id == user.id
    assert user.consent_at == NOW
    assert user.password_hash is not None
    assert "1946" not in user.password_hash
    assert [(row.kind, row.value) for row in user.identities] == [("phone", "+84912345678")]
    assert accounts.sign_in(session, redis, "+84 912.345.678", "mùa xuân 1946") == made


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "12345"),
        ("password", "ngắn"),
        ("password", "0912345678"),
        ("full_name", "  "),
        ("full_name", "X"),
        ("full_name", "12 34"),
        ("full_name", "Hoa <b>"),
        ("full_name", "Hoa\x00Lan"),
        ("full_name", "Hoa " * 60),
        ("unit_code", "99999"),
        ("unit_code", ""),
        ("unit_code", "TW"),
        ("unit_code", "00001"),
        ("birth_year", 1800),
        ("birth_year", 2024),
        ("consent", False),
    ],
)
def test_each_wrong_field_is_named(session, field: str, value: object) -> None:
    with pytest.raises(Refusal, match="invalid_request") as refused:
        accounts.register(session, dataclasses.replace(FORM, **{field: value}), NOW)
    assert [error.field for error in refused.value.errors] == [field]
    assert session.scalar(select(func.count()).select_from(User)) == 0


def test_all_wrong_fields_are_named_at_once(session) -> None:
    with pytest.raises(Refusal) as refused:
        accounts.register(session, Registration("x", "y", "", "z", 1, consent=False), NOW)
    assert {error.field for error in refused.value.errors} == {
        "phone",
        "password",
        "full_name",
        "unit_code",
        "birth_year",
        "consent",
    }


@pytest.mark.parametrize("code", ["01", "00004", "TNQH"])
def test_provinces_communes_and_unions_are_homes(session, code: str) -> None:
    assert accounts.register(session, dataclasses.replace(FORM, unit_code=code), NOW).unit_id > 0


@pytest.mark.parametrize("name", ["H'Hen Niê", "Y Moan Ênuôl", "Lê Văn An-Tôn", "Ân", "Trần Văn B. 2"])
def test_names_of_all_peoples_are_names(session, name: str) -> None:
    made = accounts.register(session, dataclasses.replace(FORM, full_name=name), NOW)
    assert made.full_name == name


def test_a_taken_phone_is_refused_in_any_spelling(session) -> None:
    accounts.register(session, FORM, NOW)
    with pytest.raises(Refusal, match="phone_taken"):
        accounts.register(session, dataclasses.replace(FORM, phone="0084912345678"), NOW)


def test_of_many_who_race_for_a_phone_one_gets_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the look before the hash taken out, the constraint alone decides."""
    monkeypatch.setattr(accounts, "_identity", lambda _session, _phone: None)
    barrier, outcomes = threading.Barrier(6), []

    def register() -> None:
        with app.app_context():
            barrier.wait(30)
            try:
                outcomes.append(accounts.register(db.session(), FORM, NOW).id)
            except Refusal as refusal:
                outcomes.append(refusal.code)

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, outcomes))[1:] == ["phone_taken"] * 5
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert db.session.scalar(select(func.count()).select_from(Identity)) == 1


@pytest.mark.parametrize(("phone", "password"), [("0912345678", "wrong one"), ("0900000000", "x"), ("no", "x")])
def test_wrong_credentials_say_nothing_more(session, redis: Redis, phone: str, password: str) -> None:
    accounts.register(session, FORM, NOW)
    with pytest.raises(Refusal, match="wrong_credentials") as refused:
        accounts.sign_in(session, redis, phone, password)
    assert refused.value.errors == ()


def test_an_account_without_a_password_never_signs_in(session, redis: Redis) -> None:
    made = accounts.register(session, FORM, NOW)
    session.get_one(User, made.id).password_hash = None
    session.commit()
    for guess in ("", "nobody's password", "None"):
        with pytest.raises(Refusal, match="wrong_credentials"):
            accounts.sign_in(session, redis, "0912345678", guess)


def test_too_many_tries_pause_one_account_and_no_other(session, redis: Redis) -> None:
    accounts.register(session, FORM, NOW)
    accounts.register(session, dataclasses.replace(FORM, phone="0987654321"), NOW)
    for _ in range(accounts.TRIES):
        with pytest.raises(Refusal, match="wrong_credentials"):
            accounts.sign_in(session, redis, "0912345678", "wrong one")
    with pytest.raises(Refusal, match="too_many_requests") as refused:
        accounts.sign_in(session, redis, "0912345678", "mùa xuân 1946")
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 300
    assert accounts.sign_in(session, redis, "0987654321", "mùa xuân 1946").id
    redis.delete("quiz80:tries:phone:+84912345678")
    assert accounts.sign_in(session, redis, "0912345678", "mùa xuân 1946").id


def test_signing_in_well_forgets_the_tries(session, redis: Redis) -> None:
    accounts.register(session, FORM, NOW)
    for _ in range(3 * accounts.TRIES):
        accounts.sign_in(session, redis, "0912345678", "mùa xuân 1946")


def test_profile_shows_the_owner_everything(session) -> None:
    made = accounts.register(session, FORM, NOW)
    profile = accounts.profile(session, made.id)
    assert profile.phone == "+84912345678"
    assert profile.home is not None
    assert (profile.home.code, profile.home.province_code) == ("00004", "01")


class TestBearer:
    ACCOUNT = accounts.Account(7, "Hoa", "participant", 3, 12)

    def test_says_who(self, platform: Platform) -> None:
        issued = bearer.issue(platform.signer, self.ACCOUNT, NOW)
        assert issued.expires_at == NOW + bearer.LIFETIME
        claims = bearer.read(platform.signer, issued.token, _ms(NOW))
        assert claims is not None
        assert (claims.user, claims.unit, claims.auth_epoch, claims.role) == (7, 12, 3, "participant")

    def test_ends(self, platform: Platform) -> None:
        issued = bearer.issue(platform.signer, self.ACCOUNT, NOW)
        end = _ms(NOW + bearer.LIFETIME)
        assert bearer.read(platform.signer, issued.token, end - 1) is not None
        assert bearer.read(platform.signer, issued.token, end) is None

    @pytest.mark.parametrize(
        "spoil", [lambda t: t[:-2] + "AA", lambda t: t + "A", lambda t: t[:2], lambda t: "k9" + t[2:]]
    )
    def test_forged_ones_are_nobodys(self, platform: Platform, spoil) -> None:
        token = bearer.issue(platform.signer, self.ACCOUNT, NOW).token
        assert bearer.read(platform.signer, spoil(token), _ms(NOW)) is None

    def test_another_purpose_is_no_bearer(self, platform: Platform) -> None:
        payload = platform.signer.unseal(b"bearer", bearer.issue(platform.signer, self.ACCOUNT, NOW).token)
        assert payload is not None
        assert bearer.read(platform.signer, platform.signer.seal(b"other", payload), _ms(NOW)) is None


def _ms(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
