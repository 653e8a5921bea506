"""Tickets: a place in the line, signed, in a cookie of the pages and in a header of the API."""

from __future__ import annotations

from typing import Any

import msgspec

from quiz.intake.signing import Signer

COOKIE = "ticket"
HEADER = "X-Waiting-Ticket"
LIFETIME_S = 6 * 3600

_PURPOSE = b"ticket"


class Ticket(msgspec.Struct, array_like=True, frozen=True):
    """Fields may only be added at the end, with a default."""

    number: int
    line: int
    """When its line began, ms since 1970."""
    taken: int
    """ms since 1970."""
    language: str


_encode = msgspec.msgpack.encode
_decoder = msgspec.msgpack.Decoder(Ticket)


def seal(signer: Signer, ticket: Ticket) -> str:
    return signer.seal(_PURPOSE, _encode(ticket))


def read(signer: Signer, environ: dict[str, Any], now_ms: int) -> Ticket | None:
    """The ticket that a request brings; None: none, forged, or of another day."""
    text = environ.get("HTTP_X_WAITING_TICKET") or cookie(environ, COOKIE)
    payload = signer.unseal(_PURPOSE, text) if text else None
    if payload is None:
        return None
    try:
        ticket = _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
    return ticket if now_ms < ticket.taken + LIFETIME_S * 1000 else None


def cookie(environ: dict[str, Any], name: str) -> str:
    """One cookie of ours, none of which needs quoting: a waiting crowd is answered without taking the rest apart."""
    for part in environ.get("HTTP_COOKIE", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return str(value)
    return ""
