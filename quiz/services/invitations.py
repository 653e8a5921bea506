"""The link by which somebody brings others: a code of the account that says nothing and needs no table.

The account's number goes through four rounds of a Feistel network keyed with the application's secret: codes of
neighbours have nothing in common, and of a trillion codes hardly one that is guessed is anybody's.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.models import User

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without i, l, o, u: nobody mistakes them for digits."""
_LENGTH = 8
_HALF = 20
_MASK = (1 << _HALF) - 1
_ROUNDS = 4


def code_of(secret: str, user_id: int) -> str:
    """Eight letters for an account."""
    left, right = user_id >> _HALF & _MASK, user_id & _MASK
    for turn in range(_ROUNDS):
        left, right = right, left ^ _mix(secret, turn, right)
    number = left << _HALF | right
    return "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))


def account_of(secret: str, code: str) -> int | None:
    """The account that a code would be of; whether there is one is for the table to say."""
    tidy = code.strip().lower()
    if len(tidy) != _LENGTH or any(letter not in _LETTERS for letter in tidy):
        return None
    number = 0
    for letter in tidy:
        number = number << 5 | _LETTERS.index(letter)
    left, right = number >> _HALF, number & _MASK
    for turn in reversed(range(_ROUNDS)):
        left, right = right ^ _mix(secret, turn, left), left
    return left << _HALF | right


def inviter(session: Session, secret: str, code: str | None) -> int | None:
    """The participant whose link somebody came by; None: nobody's."""
    found = account_of(secret, code) if code else None
    if found is None:
        return None
    return session.scalar(select(User.id).where(User.id == found, User.role == "participant"))


def _mix(secret: str, turn: int, half: int) -> int:
    key = hashlib.sha256(secret.encode()).digest()
    digest = hashlib.blake2b(
        half.to_bytes(3), digest_size=4, key=key, salt=bytes([turn]), person=b"invitation"
    ).digest()
    return int.from_bytes(digest) & _MASK
