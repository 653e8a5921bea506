"""The second factor of staff: time-based codes of an app (RFC 6238), and recovery codes for a lost phone.

The shared secret is stored sealed with a key that comes from the installation's SECRET_KEY, recovery codes as keyed
hashes: whoever copies the tables alone can make no code. If SECRET_KEY changes, staff set their app up again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError
from redis import Redis
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from quiz.config import Settings
from quiz.errors import Refusal
from quiz.models import RecoveryCode, SecondFactor, User
from quiz.services import audit
from quiz.services.accounts import count_try

ISSUER = "quiz80"
CODES = 10
DEMO_SECRET = "QUIZDEMOQUIZDEMOQUIZDEMOQUIZDEMO"  # noqa: S105 - public by design
"""Of the demo's made-up staff on embedded servers, shown beside their passwords: it protects nothing."""
_SECRET_BYTES = 20
_RECOVERY_BYTES = 10
_STEPS_BESIDE = 1
"""Codes of the step before and after are taken: phones' clocks are a little off."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs, shown until the first right code."""

    secret: str
    uri: str


class Keys:
    """The keys of this module, made from the installation's secret."""

    def __init__(self, settings: Settings) -> None:
        root = settings.secret_key.encode()
        self._seal = hmac.digest(root, b"quiz80 second factor", "sha256")
        self._codes = hmac.digest(root, b"quiz80 recovery code", "sha256")

    def mask(self, secret: bytes, user_id: int, nonce: bytes) -> bytes:
        """Seal or unseal: the secret XOR a keyed stream that a fresh nonce makes unlike any other."""
        stream = hashlib.blake2b(b"%d:%b" % (user_id, nonce), key=self._seal, digest_size=_SECRET_BYTES).digest()
        return bytes(one ^ other for one, other in zip(secret, stream, strict=True))

    def hash_code(self, user_id: int, code: str) -> bytes:
        return hmac.digest(self._codes, f"{user_id}:{code}".encode(), "sha256")


def is_set_up(session: Session, user_id: int) -> bool:
    return session.scalar(select(SecondFactor.confirmed_at).where(SecondFactor.user_id == user_id)) is not None


def is_demo(settings: Settings, user: User) -> bool:
    """Made-up staff of the embedded demo: their secret is shown to everybody."""
    return settings.embedded and user.synthetic


def begin(session: Session, keys: Keys, user_id: int, label: str, now: datetime) -> Enrolment:
    """A fresh secret, or the one begun before, so that a reload shows the same picture. Commits.

    Raises:
        Refusal: forbidden, if the account has a second factor already.
    """
    _store(session, keys, user_id, secrets.token_bytes(_SECRET_BYTES), now)
    held = session.get_one(SecondFactor, user_id)
    if held.confirmed_at is not None:
        raise Refusal("forbidden")
    code = _code_of(keys, held)
    session.commit()
    return Enrolment(code.secret, code.provisioning_uri(name=label, issuer_name=ISSUER))


def confirm(session: Session, keys: Keys, cache: Redis, user_id: int, typed: str, now: datetime) -> list[str]:
    """Take the app's first code, and give the recovery codes, which are never shown again. Commits.

    Raises:
        Refusal: wrong_code, too_many_requests.
    """
    tries = _tries(user_id)
    count_try(cache, tries)
    held = session.get(SecondFactor, user_id, with_for_update=True)
    if held is None or held.confirmed_at is not None:
        raise Refusal("wrong_code")
    held.last_counter = _counter(keys, held, typed, now)
    held.confirmed_at = now
    codes = _new_codes(session, keys, user_id)
    audit.append(session, now, user_id, "staff.second_factor_set_up", f"user:{user_id}")
    session.commit()
    cache.delete(tries)
    return codes


def check(session: Session, keys: Keys, cache: Redis, user_id: int, typed: str, now: datetime) -> None:
    """Take a code of the app or a recovery code, once. Commits.

    Raises:
        Refusal: wrong_code, too_many_requests.
    """
    tries = _tries(user_id)
    count_try(cache, tries)
    plain = "".join(typed.split()).replace("-", "").upper()
    if plain.isdecimal() and len(plain) == 6:
        _take_app_code(session, keys, user_id, plain, now)
    else:
        _take_recovery_code(session, keys, user_id, plain, now)
    audit.append(session, now, user_id, "staff.signed_in", f"user:{user_id}")
    session.commit()
    cache.delete(tries)


def enrol_demo(session: Session, keys: Keys, user_id: int, now: datetime) -> None:
    """Give a made-up account of the embedded demo its well-known secret. Commits."""
    _store(session, keys, user_id, base64.b32decode(DEMO_SECRET), now, confirmed_at=now)
    session.commit()


def demo_code(now: datetime) -> str:
    """The demo's code of this moment, for whoever has no app at hand."""
    return pyotp.TOTP(DEMO_SECRET).at(now)


def reset(session: Session, user_id: int, now: datetime, *, actor_id: int | None, reason: str) -> None:
    """Forget the second factor and its recovery codes: the next sign-in sets it up anew. The caller commits."""
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    audit.append(session, now, actor_id, "staff.second_factor_reset", f"user:{user_id}", reason=reason)


def codes_left(session: Session, user_id: int) -> int:
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def _store(
    session: Session, keys: Keys, user_id: int, secret: bytes, now: datetime, confirmed_at: datetime | None = None
) -> None:
    nonce = secrets.token_bytes(16)
    session.execute(
        insert(SecondFactor)
        .values(
            user_id=user_id,
            sealed=keys.mask(secret, user_id, nonce),
            nonce=nonce,
            last_counter=0,
            created_at=now,
            confirmed_at=confirmed_at,
        )
        .on_conflict_do_nothing()
    )


def _code_of(keys: Keys, held: SecondFactor) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(keys.mask(held.sealed, held.user_id, held.nonce)).decode())


def _counter(keys: Keys, held: SecondFactor, typed: str, now: datetime) -> int:
    plain = "".join(typed.split())
    try:
        return _code_of(keys, held).verify_and_get_timecode(plain, for_time=now, valid_window=_STEPS_BESIDE)
    except OTPVerificationError as error:
        raise Refusal("wrong_code") from error


def _take_app_code(session: Session, keys: Keys, user_id: int, typed: str, now: datetime) -> None:
    held = session.get(SecondFactor, user_id, with_for_update=True, populate_existing=True)
    if held is None or held.confirmed_at is None:
        raise Refusal("wrong_code")
    counter = _counter(keys, held, typed, now)
    # The demo's secret is public: its code may be used by two people within half a minute.
    if counter <= held.last_counter and _code_of(keys, held).secret != DEMO_SECRET:
        raise Refusal("wrong_code")
    held.last_counter = max(counter, held.last_counter)


def _take_recovery_code(session: Session, keys: Keys, user_id: int, typed: str, now: datetime) -> None:
    taken = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.hash == keys.hash_code(user_id, typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    ).one_or_none()
    if taken is None:
        raise Refusal("wrong_code")
    left = {"left": codes_left(session, user_id)}
    audit.append(session, now, user_id, "staff.recovery_code_used", f"user:{user_id}", left)


def _new_codes(session: Session, keys: Keys, user_id: int) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode() for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user_id, hash=keys.hash_code(user_id, code)) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def _tries(user_id: int) -> str:
    return f"quiz80:tries:factor:{user_id}"
