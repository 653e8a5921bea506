"""Bearer tokens of the API: signed, dated, and tied to the account's auth epoch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from quiz.clock import from_ms, to_ms
from quiz.intake.signing import Signer
from quiz.services.accounts import Account

LIFETIME = timedelta(days=30)
_PURPOSE = b"bearer"


class Claims(msgspec.Struct, array_like=True, frozen=True):
    """Who the token's holder is. Fields may only be added at the end, with a default."""

    user: int
    unit: int
    auth_epoch: int
    role: str
    expires: int
    """ms since 1970."""


@dataclass(frozen=True, slots=True)
class Issued:
    token: str
    expires_at: datetime


_encode = msgspec.msgpack.encode
_decoder = msgspec.msgpack.Decoder(Claims)


def issue(signer: Signer, account: Account, now: datetime) -> Issued:
    expires = to_ms(now + LIFETIME)
    claims = Claims(account.id, account.unit_id, account.auth_epoch, account.role, expires)
    return Issued(signer.seal(_PURPOSE, _encode(claims)), from_ms(expires))


def read(signer: Signer, token: str, now_ms: int) -> Claims | None:
    """The claims of a token that we signed and that has not expired; its epoch is checked where it matters."""
    payload = signer.unseal(_PURPOSE, token)
    if payload is None:
        return None
    try:
        claims = _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
    return claims if now_ms < claims.expires else None
