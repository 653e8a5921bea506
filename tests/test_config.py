"""A half-configured server never starts, and it says which variable is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from quiz.config import SettingsError, SigningKey, load_settings

GOOD = {
    "DATABASE_URL": "postgresql+psycopg://db/quiz",
    "REDIS_URL": "redis://redis:6379/0",
    "SECRET_KEY": "s" * 32,
    "QUIZ80_SIGNING_KEYS": f"k2:{'ab' * 32},k1:{'cd' * 32}",
}


def test_defaults_are_the_production_ones() -> None:
    settings = load_settings(GOOD)
    assert settings.signing_keys == (SigningKey("k2", b"\xab" * 32), SigningKey("k1", b"\xcd" * 32))
    assert settings.intake_redis_url == settings.queue_redis_url == settings.cache_redis_url == GOOD["REDIS_URL"]
    assert not settings.embedded
    assert settings.issuer == 0


def test_each_role_of_redis_may_have_its_own_server() -> None:
    own = {"INTAKE_REDIS_URL": "redis://a", "QUEUE_REDIS_URL": "redis://b", "CACHE_REDIS_URL": "redis://c"}
    settings = load_settings({**{k: v for k, v in GOOD.items() if k != "REDIS_URL"}, **own})
    assert (settings.intake_redis_url, settings.queue_redis_url, settings.cache_redis_url) == tuple(own.values())


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({k: v for k, v in GOOD.items() if k != name})
    with pytest.raises(SettingsError, match=name):
        load_settings({**GOOD, name: "  "})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("QUIZ80_SIGNING_KEYS", "k1"),
        ("QUIZ80_SIGNING_KEYS", "k1:not-hexadecimal"),
        ("QUIZ80_SIGNING_KEYS", f"k1:{'ab' * 31}"),
        ("QUIZ80_SIGNING_KEYS", f"k1:{'ab' * 65}"),
        ("QUIZ80_SIGNING_KEYS", f"k.1:{'ab' * 32}"),
        ("QUIZ80_SIGNING_KEYS", f"k1:{'ab' * 32},"),
        ("QUIZ80_ISSUER", "256"),
        ("QUIZ80_ISSUER", "-1"),
        ("QUIZ80_DRAIN_LANES", "0"),
        ("QUIZ80_DRAIN_LANES", "many"),
        ("QUIZ80_EMBEDDED", "yes"),
        ("QUIZ80_SECURE_COOKIES", "true"),
        ("QUIZ80_LOG_LEVEL", "chatty"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({**GOOD, name: value})


def test_two_keys_with_one_id_are_refused() -> None:
    """The second would silently never verify anything."""
    with pytest.raises(SettingsError, match="QUIZ80_SIGNING_KEYS"):
        load_settings({**GOOD, "QUIZ80_SIGNING_KEYS": f"k1:{'ab' * 32},k1:{'cd' * 32}"})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("f" * 40 + "\n", encoding="utf-8")
    environ = {k: v for k, v in GOOD.items() if k != "SECRET_KEY"}
    assert load_settings({**environ, "SECRET_KEY_FILE": str(file)}).secret_key == "f" * 40
    with pytest.raises(SettingsError, match="SECRET_KEY_FILE"):
        load_settings({**environ, "SECRET_KEY_FILE": str(tmp_path / "absent")})


def test_a_printed_settings_object_shows_no_secret() -> None:
    printed = repr(load_settings(GOOD))
    for secret in ("s" * 32, "ab" * 8, r"\xab", "redis://", "postgresql"):
        assert secret not in printed
