"""The boards as the web reads them: unit boards as scoring wrote them, people's boards from the standings.

What is cached here is the same for everybody who asks. `as_of` and ETag belong to a board's rows and change with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import msgspec
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from quiz.clock import from_ms, iso, to_ms
from quiz.errors import Refusal
from quiz.intake import boards as contract
from quiz.intake.boards import BoardDocument, BoardReader, UnitRow
from quiz.intake.season import ContestCard, RoundCard
from quiz.models import Unit
from quiz.services import brackets, releases, units
from quiz.services.names import shortened
from scoring.rules import rules_from

Level = Literal["province", "commune"]

MAX_PEOPLE = 500
_ROUND_FRESH_MS = 5_000
_CONTEST_FRESH_MS = 60_000
"""A people's board is asked of the tables again after this time at the earliest; the contest's is a long sum."""
_ASKING_MS = 30_000
_KEPT_SECONDS = 3_600


# Units


class UnitBoard(msgspec.Struct, frozen=True):
    as_of: str
    round: int | None
    rows: list[UnitRow]


_unit_board = msgspec.json.Decoder(UnitBoard)


def unit_document(
    reader: BoardReader,
    contest: ContestCard,
    card: RoundCard | None,
    level: Level = "province",
    above: Unit | None = None,
) -> BoardDocument:
    """The board of provinces and unions, or of communes, as finished JSON.

    Args:
        card: the round; None: the whole contest.
        above: only units right below it.

    Raises:
        Refusal: service_unavailable while the boards are not written (thrown away, not rebuilt yet).
    """
    scope = _scope(contest, card)
    if above is None or above.kind == "central":
        return _document(reader, scope, contract.PROVINCES if level == "province" else contract.COMMUNES)
    if level == "commune" and above.kind in units.FIRST_LEVEL:
        return _document(reader, scope, contract.communes_of(above.code))
    # Neither do provinces lie below a province nor communes below a commune.
    whole = _unit_board.decode(_document(reader, scope, contract.PROVINCES).body)
    body = msgspec.json.encode(UnitBoard(whole.as_of, whole.round, []))
    return BoardDocument(contract.etag_of(body), body)


def unit_board(
    reader: BoardReader,
    contest: ContestCard,
    card: RoundCard | None,
    level: Level = "province",
    above: Unit | None = None,
) -> UnitBoard:
    """The same as values, for pages."""
    return _unit_board.decode(unit_document(reader, contest, card, level, above).body)


def communes_board(reader: BoardReader, contest: ContestCard, card: RoundCard | None, code: str) -> UnitBoard:
    """The communes of the province or union of this code, without asking any table.

    Raises:
        Refusal: service_unavailable while the boards are not written; also for any other unit.
    """
    return read_unit_board(reader, _scope(contest, card), contract.communes_of(code))


def read_unit_board(reader: BoardReader, scope: str, name: str) -> UnitBoard:
    """A document by its name, without asking any table.

    Raises:
        Refusal: service_unavailable while the boards are not written.
    """
    return _unit_board.decode(_document(reader, scope, name).body)


def _scope(contest: ContestCard, card: RoundCard | None) -> str:
    return contract.contest_scope(contest.id) if card is None else contract.round_scope(card.id)


def _document(reader: BoardReader, scope: str, name: str) -> BoardDocument:
    document = reader.read(scope, name)
    if document is None:
        raise Refusal("service_unavailable", retry_after=2)
    return document


# People


class PersonRow(msgspec.Struct, frozen=True):
    rank: int
    name: str
    unit_code: str
    score: int
    duration_ms: int
    submitted_at: str


class PeopleBoard(msgspec.Struct, frozen=True):
    as_of: str
    rows: list[PersonRow]
    unit_names: dict[str, str]
    """By code, for pages: the document names a unit by its code alone."""


class _Kept(msgspec.Struct, array_like=True):
    """A people's board in the cache. Times in ms."""

    checked: int
    """When the tables were asked last."""
    as_of: int
    """Since when the rows are these."""
    rows: list[PersonRow]
    unit_names: dict[str, str] = {}
    """By code; none in what a release before this one kept."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which people's board: the key it is kept under, the rounds it is made of, whose people."""

    key: str
    rounds: list[int]
    together: bool
    """The rounds' scores summed up, not one round's standings."""
    unit_id: int | None
    fresh_ms: int
    among: str = "true"
    """Whose people of the round, and its values; see `brackets.condition`."""
    values: Mapping[str, Any] = field(default_factory=dict)


_kept_decoder = msgspec.msgpack.Decoder(_Kept)


def people_document(
    session: Session,
    cache: Redis,
    contest: ContestCard,
    card: RoundCard | None,
    above: Unit | None,
    limit: int,
    now: datetime,
    bracket: str | None = None,
) -> BoardDocument:
    """The best people of a round, or of the contest's released rounds together, as finished JSON.

    Raises:
        Refusal: not_found for a bracket that the round's rules don't have.
    """
    board = people_board(session, cache, contest, card, above, limit, now, bracket)
    body = msgspec.json.encode({"as_of": board.as_of, "rows": board.rows})
    return BoardDocument(contract.etag_of(body), body)


def people_board(
    session: Session,
    cache: Redis,
    contest: ContestCard,
    card: RoundCard | None,
    above: Unit | None,
    limit: int,
    now: datetime,
    bracket: str | None = None,
) -> PeopleBoard:
    """The same as values, for pages. People are ranked among those below `above`, and within the bracket asked for."""
    wanted = _wanted(contest, card, None if above is None else above.id, to_ms(now))
    if bracket is not None:
        wanted = _in_bracket(wanted, card, bracket)
    kept = _people(session, cache, wanted, to_ms(now))
    return PeopleBoard(iso(from_ms(kept.as_of)), kept.rows[:limit], kept.unit_names)


def _wanted(contest: ContestCard, card: RoundCard | None, unit_id: int | None, now_ms: int) -> _Wanted:
    cards = contest.rounds if card is None else [card]
    rounds = [one.id for one in cards if one.scheduled is not None and releases.score_is_out(one, now_ms)]
    scope = _scope(contest, card)
    # A release makes another board of it: the empty one of before is not waited out.
    key = f"quiz80:boards:people:{scope}:{len(rounds)}:{unit_id or 'all'}"
    return _Wanted(key, rounds, card is None, unit_id, _CONTEST_FRESH_MS if card is None else _ROUND_FRESH_MS)


def _in_bracket(wanted: _Wanted, card: RoundCard | None, bracket: str) -> _Wanted:
    if card is None:
        # Rules are those of a round.
        raise Refusal("not_found")
    among, values = brackets.condition(rules_from(card.rules), from_ms(card.opens), bracket)
    return replace(wanted, key=f"{wanted.key}:{bracket}", among=among, values=values)


def _people(session: Session, cache: Redis, wanted: _Wanted, now_ms: int) -> _Kept:
    raw: Any = cache.get(wanted.key)
    held = None if raw is None else _kept_decoder.decode(raw)
    if held is not None and now_ms - held.checked < wanted.fresh_ms:
        return held
    # One asks the tables; whoever comes meanwhile is given the board of before, if there is one.
    leads = cache.set(f"{wanted.key}:asking", "1", nx=True, px=_ASKING_MS)
    if held is not None and not leads:
        return held
    rows, unit_names = _ask(session, wanted)
    same = held is not None and held.rows == rows
    kept = _Kept(now_ms, held.as_of if held is not None and same else now_ms, rows, unit_names)
    cache.set(wanted.key, msgspec.msgpack.encode(kept), ex=_KEPT_SECONDS)
    cache.delete(f"{wanted.key}:asking")
    return kept


def _ask(session: Session, wanted: _Wanted) -> tuple[list[PersonRow], dict[str, str]]:
    """The rows, and the names of their units by code."""
    below = None if wanted.unit_id is None else units.subtree(session, wanted.unit_id)
    statement = _TOGETHER if wanted.together else text(_ONE_ROUND.format(among=wanted.among))
    rows = session.execute(statement, {"rounds": wanted.rounds, "units": below, "limit": MAX_PEOPLE, **wanted.values})
    ranked: list[PersonRow] = []
    names: dict[str, str] = {}
    rank, previous = 0, None
    for place, row in enumerate(rows, 1):
        if row.merit != previous:
            rank, previous = place, row.merit
        submitted = iso(row.submitted_at)
        ranked.append(PersonRow(rank, shortened(row.full_name), row.code, row.score, row.duration_ms, submitted))
        names[row.code] = row.unit_name
    return ranked, names


_ONE_ROUND = """
    SELECT s.merit, u.full_name, n.code, n.name AS unit_name, s.score, s.duration_ms, s.received_at AS submitted_at
    FROM standing s JOIN users u ON u.id = s.person_id JOIN unit n ON n.id = s.unit_id
    WHERE s.round_id = ANY(:rounds) AND (CAST(:units AS integer[]) IS NULL OR s.unit_id = ANY(:units))
        AND {among}
    ORDER BY s.merit DESC, s.person_id
    LIMIT :limit
"""
# Of the whole contest: the greater sum of scores, then the less time for it, then who was done earlier; a score of a
# round that is not released must not be guessed from a sum, so the sums are made of released rounds alone.
_TOGETHER = text(
    """
    SELECT (t.score, t.duration_ms, t.submitted_at)::text AS merit, u.full_name, n.code, n.name AS unit_name,
           t.score, t.duration_ms, t.submitted_at
    FROM (
        SELECT s.person_id, sum(s.score)::bigint AS score, sum(s.duration_ms)::bigint AS duration_ms,
               max(s.received_at) AS submitted_at
        FROM standing s
        WHERE s.round_id = ANY(:rounds)
        GROUP BY s.person_id
    ) t
    JOIN contest_standing c ON c.person_id = t.person_id
        AND c.contest_id = (SELECT contest_id FROM round WHERE id = (CAST(:rounds AS integer[]))[1])
        AND (CAST(:units AS integer[]) IS NULL OR c.unit_id = ANY(:units))
    JOIN users u ON u.id = t.person_id JOIN unit n ON n.id = c.unit_id
    ORDER BY t.score DESC, t.duration_ms, t.submitted_at, t.person_id
    LIMIT :limit
    """
)
