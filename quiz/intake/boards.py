"""The boards as the web reads them: finished JSON documents in the cache Redis, written by scoring.boards.

A document belongs to a scope (a round `r7` or a whole contest `c1`) and has a name:

    provinces          rows of all provinces and unions
    communes           rows of all communes, ranked over the country
    communes:CODE      rows of the communes of one province, ranked within it

The body is the answer of `GET /api/v1/boards/units`: `{"as_of", "round", "rows"}`, each row a `UnitRow`. ETag and
`as_of` belong to the document's content and change only with it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from redis import Redis

DIRTY = "quiz80:boards:dirty"
"""Set of round ids whose tallies moved since their boards were written."""
PROVINCES = "provinces"
COMMUNES = "communes"

_HOLD_SECONDS = 0.25


class BoardDocument(NamedTuple):
    etag: str
    body: bytes


class UnitRow(msgspec.Struct, frozen=True, gc=False):
    """A unit on a board. Percentages are of its targets, to one decimal; None: no target, or no score to show yet."""

    rank: int
    code: str
    name: str
    participants: int
    entries: int
    participants_target: int | None
    entries_target: int | None
    participants_pct: float | None
    entries_pct: float | None
    average_score: float | None


def communes_of(code: str) -> str:
    return f"{COMMUNES}:{code}"


def round_scope(round_id: int) -> str:
    return f"r{round_id}"


def contest_scope(contest_id: int) -> str:
    return f"c{contest_id}"


def key_of(scope: str) -> str:
    return f"quiz80:boards:{scope}"


def etag_of(rows: bytes) -> str:
    return hashlib.blake2b(rows, digest_size=8).hexdigest()


def write_documents(redis: Redis, scope: str, documents: Mapping[str, BoardDocument]) -> None:
    """Replace documents by absolute values; readers see all of them change at once."""
    if documents:
        redis.hset(
            key_of(scope),
            mapping={name: document.etag.encode() + b"\n" + document.body for name, document in documents.items()},
        )


def read_document(redis: Redis, scope: str, name: str) -> BoardDocument | None:
    """The document as it is now, or None: never written, or thrown away and not rebuilt yet."""
    raw = redis.hget(key_of(scope), name)
    if not isinstance(raw, bytes):
        return None
    etag, _, body = raw.partition(b"\n")
    return BoardDocument(etag.decode(), body)


class BoardReader:
    """Documents of one web process, each asked for again after a quarter of a second at the earliest."""

    def __init__(self, redis: Redis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._monotonic = monotonic
        self._held: dict[tuple[str, str], tuple[float, BoardDocument | None]] = {}

    def read(self, scope: str, name: str) -> BoardDocument | None:
        held = self._held.get((scope, name))
        now = self._monotonic()
        if held is not None and now < held[0]:
            return held[1]
        document = read_document(self._redis, scope, name)
        self._held[scope, name] = now + _HOLD_SECONDS, document
        return document

    def forget(self) -> None:
        self._held.clear()
