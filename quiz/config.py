"""The one place that reads the environment.

Everything else receives a frozen `Settings`; a missing secret or a bad value stops the process with a
sentence that names the variable, so that a half-configured server never takes an answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """A variable is missing or malformed; the text names it and says what is expected."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key for papers, receipts and bearer tokens; the first of the list signs, all of them verify."""

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str = field(repr=False)
    intake_redis_url: str = field(repr=False)
    queue_redis_url: str = field(repr=False)
    cache_redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    signing_keys: tuple[SigningKey, ...]
    embedded: bool
    """True only under `make run` with its own servers: demo logins and synthetic tokens exist only there."""
    issuer: int
    """Who signs papers: 0 is the central installation, others are a hall's own box."""
    drain_lanes: int
    log_level: str
    secure_cookies: bool
    door_patience_ms: int = 600
    """How late a web process may be before newcomers wait; 0: nobody ever waits."""
    door_per_s: int = 0
    """How many newcomers a web process lets in a second; 0: as many as it finds it can."""


def _required(environ: Mapping[str, str], name: str) -> str:
    """Read NAME, or the file that NAME_FILE points to (the way containers hand over secrets)."""
    if value := environ.get(name, "").strip():
        return value
    if path := environ.get(f"{name}_FILE", "").strip():
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE points to {path}, which can't be read: {error}") from error
    raise SettingsError(f"{name} is not set. Set it, or {name}_FILE; `make run` without it uses embedded servers.")


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _boolean(environ: Mapping[str, str], name: str, default: bool) -> bool:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if text not in ("0", "1"):
        raise SettingsError(f"{name} must be 0 or 1, not {text!r}.")
    return text == "1"


def _log_level(environ: Mapping[str, str]) -> str:
    text = environ.get("QUIZ80_LOG_LEVEL", "").strip().upper() or "INFO"
    if text not in LOG_LEVELS:
        raise SettingsError(f"QUIZ80_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {text!r}.")
    return text


def _signing_keys(text: str) -> tuple[SigningKey, ...]:
    """Parse "k2:<hex>,k1:<hex>": the newest first; at least 32 bytes each."""
    keys = []
    for part in text.split(","):
        key_id, _, secret = part.strip().partition(":")
        try:
            raw = bytes.fromhex(secret)
        except ValueError as error:
            raise SettingsError("QUIZ80_SIGNING_KEYS must look like k1:<64 hexadecimal digits>.") from error
        if not key_id.isalnum() or not 32 <= len(raw) <= 64:
            raise SettingsError("QUIZ80_SIGNING_KEYS needs an alphanumeric id and 32 to 64 bytes for each key.")
        keys.append(SigningKey(key_id, raw))
    if len({key.key_id for key in keys}) != len(keys):
        raise SettingsError("QUIZ80_SIGNING_KEYS names one id twice: papers of one of the two would not be known.")
    return tuple(keys)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the whole configuration.

    Raises:
        SettingsError: naming the first variable that is missing or malformed.
    """
    env = os.environ if environ is None else environ
    redis_url = env.get("REDIS_URL", "").strip()

    def redis_role(name: str) -> str:
        return env.get(name, "").strip() or redis_url or _required(env, "REDIS_URL")

    secret_key = _required(env, "SECRET_KEY")
    if len(secret_key) < 32:
        raise SettingsError("SECRET_KEY must have at least 32 characters.")
    return Settings(
        database_url=_required(env, "DATABASE_URL"),
        intake_redis_url=redis_role("INTAKE_REDIS_URL"),
        queue_redis_url=redis_role("QUEUE_REDIS_URL"),
        cache_redis_url=redis_role("CACHE_REDIS_URL"),
        secret_key=secret_key,
        signing_keys=_signing_keys(_required(env, "QUIZ80_SIGNING_KEYS")),
        embedded=_boolean(env, "QUIZ80_EMBEDDED", default=False),
        issuer=_integer(env, "QUIZ80_ISSUER", default=0, low=0, high=255),
        drain_lanes=_integer(env, "QUIZ80_DRAIN_LANES", default=1, low=1, high=16),
        log_level=_log_level(env),
        secure_cookies=_boolean(env, "QUIZ80_SECURE_COOKIES", default=False),
        door_patience_ms=_integer(env, "QUIZ80_DOOR_PATIENCE_MS", default=600, low=0, high=60_000),
        door_per_s=_integer(env, "QUIZ80_DOOR_PER_S", default=0, low=0, high=100_000),
    )
