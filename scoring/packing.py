"""Events of one round → scored rows in PostgreSQL's binary COPY format. No I/O.

Packing rows here by `struct` costs a third of what an adapter per value costs; this module and `storing` have to
agree on the columns, so they stand here, beside the bytes.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quiz.intake.events import EntryEvent, Kind, Paper, decode_event
from scoring import ordering
from scoring import rules as rules_room
from scoring.rules import QuestionKey, Rules

EntryName = tuple[int, int, int]
"""(participant, issuer, attempt): within its round the identity of an entry."""


@dataclass(frozen=True, slots=True)
class RoundScorer:
    """What scoring an entry of a round needs, read in the transaction that stores it."""

    round_id: int
    contest_id: int
    rules: Rules
    keys: Mapping[int, Sequence[QuestionKey]]
    """By bank version; papers of an older frozen bank are still out."""
    key_version: int
    final: bool
    merit: Callable[[ordering.Facts], bytes]
    merged: Mapping[int, int]
    """Participant → person, for the few whose accounts were merged."""


class Packed(NamedTuple):
    """A batch ready to be copied, as long as its scorer is the one that holds."""

    scorer: RoundScorer
    size: int
    entries: bytes
    """Rows of ENTRY_COLUMNS, in the order of their key."""
    standings: bytes
    """Rows of INCOMING_COLUMNS: for each person with a counted entry the best of the batch, in the order of persons."""


# What an entry and a standing have in common is packed once.
SHARED_COLUMNS = (
    "participant_id", "issuer", "attempt", "score", "correct", "duration_ms", "received_at", "prediction", "merit",
)  # fmt: skip
ENTRY_COLUMNS = (
    "round_id", "unit_id", "bank_version", "key_version", "kind", "started_at", "counted", *SHARED_COLUMNS,
    "questions", "answers", "session_id", "excluded_reason", "channel", "device",
)  # fmt: skip
INCOMING_COLUMNS = ("person_id", "unit_id", "entries", *SHARED_COLUMNS)

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
PG_EPOCH_MS = 946_684_800_000
_ENTRY_HEAD = struct.Struct(">h ii ii ih ih ih iq i?")
_SHARED = struct.Struct(">iq ih ih ii ih ii iq")
_INCOMING_HEAD = struct.Struct(">h iq ii ii")
_PREDICTION = struct.Struct(">iq")
_SESSION = struct.Struct(">ii")
_LENGTH = struct.Struct(">i")


class _Scored(NamedTuple):
    """A counted entry of the batch, as its person's standing may need it."""

    merit: bytes
    attempt: int
    issuer: int
    unit: int
    shared: bytes


def pack(scorer: RoundScorer, events: Iterable[bytes], stored: Container[EntryName] = frozenset()) -> Packed:
    """Score and pack a batch.

    Args:
        stored: entries that the table has already: left out.

    Raises:
        UnreadableEvent, IndexError, KeyError, struct.error: an event of the batch is bad.
    """
    seen: set[EntryName] = set()
    rows: list[tuple[EntryName, bytes]] = []
    counted: dict[int, list[_Scored]] = {}
    for data in events:
        event, paper, kind = decode_event(data)
        name = (paper.participant, paper.issuer, paper.attempt)
        # The same entry twice in one batch: a redelivery met the original.
        if name in seen or name in stored:
            continue
        seen.add(name)
        excluded, scored = _score(scorer, event, paper, kind)
        rows.append((name, _entry_row(scorer, event, paper, kind, excluded, scored.shared)))
        if excluded is None:
            person = scorer.merged.get(paper.participant, paper.participant)
            counted.setdefault(person, []).append(scored)
    # In the order of the keys: neighbours in the index are written together, and two drains never wait in a circle.
    rows.sort()
    standings = [_incoming_row(scorer.rules.which, person, counted[person]) for person in sorted(counted)]
    return Packed(scorer, len(rows), block([row for _, row in rows]), block(standings))


def block(rows: Iterable[bytes]) -> bytes:
    """Packed rows as one whole COPY."""
    return b"".join((_HEADER, *rows, _END))


def shared_part(
    participant: int, issuer: int, attempt: int, score: int, correct: int, duration: int, received: int,
    prediction: int | None, merit: bytes,
) -> bytes:  # fmt: skip
    """SHARED_COLUMNS of a row; `received` in PostgreSQL's microseconds."""
    return (
        _SHARED.pack(8, participant, 2, issuer, 2, attempt, 4, score, 2, correct, 4, duration, 8, received)
        + (_NULL if prediction is None else _PREDICTION.pack(8, prediction))
        + _LENGTH.pack(len(merit))
        + merit
    )


def names_of(events: Iterable[bytes]) -> list[EntryName]:
    papers = (decode_event(data)[1] for data in events)
    return [(paper.participant, paper.issuer, paper.attempt) for paper in papers]


def _score(scorer: RoundScorer, event: EntryEvent, paper: Paper, kind: int) -> tuple[str | None, _Scored]:
    """(why the entry doesn't count, the entry scored)."""
    points, correct = rules_room.score(scorer.rules, scorer.keys[paper.bank], paper.questions, event.answers)
    excluded = "after_final" if scorer.final else None
    if kind == Kind.LATE:
        # Nothing right either: a late sheet must not rank by it, nor be one of the all-right people.
        points = correct = 0
        if scorer.rules.late.counts == "no" and not scorer.final:
            excluded = "late"
    received = event.received
    duration = max(0, received - paper.started)
    merit = scorer.merit(ordering.Facts(points, correct, received, duration, paper.attempt, paper.participant, None))
    shared = shared_part(
        paper.participant, paper.issuer, paper.attempt, points, correct, duration, (received - PG_EPOCH_MS) * 1000,
        event.prediction, merit,
    )  # fmt: skip
    return excluded, _Scored(merit, paper.attempt, paper.issuer, paper.unit, shared)


def _entry_row(
    scorer: RoundScorer, event: EntryEvent, paper: Paper, kind: int, excluded: str | None, shared: bytes
) -> bytes:
    count = len(paper.questions)
    head = _ENTRY_HEAD.pack(
        len(ENTRY_COLUMNS), 4, scorer.round_id, 4, paper.unit, 2, paper.bank, 2, scorer.key_version, 2, kind,
        8, (paper.started - PG_EPOCH_MS) * 1000, 1, excluded is None,
    )  # fmt: skip
    sheet = _sheet(count).pack(2 * count, *paper.questions, 2 * count, *event.answers)
    session = _NULL if paper.session is None else _SESSION.pack(4, paper.session)
    return head + shared + sheet + session + _text(excluded) + _text(paper.channel) + _text(paper.device)


def _incoming_row(which: str, person: int, entries: Sequence[_Scored]) -> bytes:
    """What a person's entries of this batch bring to the standing; the first one says which unit is home."""
    best = first = entries[0]
    for entry in entries[1:]:
        if ordering.better(which, entry[:3], best[:3]):
            best = entry
        if entry[1:3] < first[1:3]:
            first = entry
    return _INCOMING_HEAD.pack(len(INCOMING_COLUMNS), 8, person, 4, first.unit, 4, len(entries)) + best.shared


@functools.cache
def _sheet(count: int) -> struct.Struct:
    return struct.Struct(f">i{count}Hi{count}H")


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    raw = value.encode()
    return _LENGTH.pack(len(raw)) + raw
