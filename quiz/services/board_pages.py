"""What pages make of the boards: the lines of one's own units, a search without accents, a page of rows, one's rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from quiz.errors import Refusal
from quiz.intake.boards import PROVINCES, BoardReader, UnitRow, communes_of, contest_scope
from quiz.intake.season import ContestCard, RoundCard
from quiz.models import Standing, Unit, User
from quiz.services import releases
from quiz.services.boards import UnitBoard, read_unit_board
from quiz.services.ranks import rank_of
from quiz.services.vietnamese import fold

PAGE = 20


class Named(Protocol):
    @property
    def name(self) -> str: ...


Row = TypeVar("Row", bound=Named)


# On the home page: no query, everything is in the documents


@dataclass(frozen=True, slots=True)
class Line:
    """A unit's row with the number of units it is ranked among; `below` names the board of the communes it opens."""

    row: UnitRow
    count: int
    parent: str | None


@dataclass(frozen=True, slots=True)
class Glance:
    lines: tuple[Line, ...]
    participants: int
    """Of the whole country."""
    entries: int


def glance(reader: BoardReader, contest: ContestCard, code: str | None, province: str | None) -> Glance | None:
    """The whole contest at a glance, with the lines of a commune and its province; None while no board can be read."""
    scope = contest_scope(contest.id)
    try:
        provinces = read_unit_board(reader, scope, PROVINCES)
        first = _line(provinces, province or code, None)
        own = None
        if province is not None and code not in (None, province):
            own = _line(read_unit_board(reader, scope, communes_of(province)), code, province)
    except (Refusal, RedisError):
        # Thrown away and not rebuilt yet, or the cache is away: the rest of the page stands.
        return None
    rows = provinces.rows
    lines = tuple(line for line in (own, first) if line is not None)
    return Glance(lines, sum(row.participants for row in rows), sum(row.entries for row in rows))


def _line(board: UnitBoard, code: str | None, parent: str | None) -> Line | None:
    row = next((row for row in board.rows if row.code == code), None)
    return None if row is None else Line(row, len(board.rows), parent)


# Search and pages


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    number: int
    pages: int
    found: int
    """Rows that the search found, on all pages."""


def page_of(rows: Sequence[Row], q: str, number: int) -> Page:
    """The rows in whose names every word of `q` begins a word, accents or not, in pages.

    Too high a number is the last page.
    """
    words = fold(q).split()
    found = [row for row in rows if _names(row.name, words)]
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(1, number), pages)
    return Page(found[(number - 1) * PAGE : number * PAGE], number, pages, len(found))


def _names(name: str, words: Sequence[str]) -> bool:
    if not words:
        return True
    folded = f" {fold(name)}"
    return all(f" {word}" in folded for word in words)


def names_of(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """Names of today's units by code."""
    statement = select(Unit.code, Unit.name).where(Unit.code.in_(set(codes)), Unit.valid_to.is_(None))
    return {row.code: row.name for row in session.execute(statement)}


# One's own rank among people


@dataclass(frozen=True, slots=True)
class OwnStanding:
    rank: int
    score: int
    duration_ms: int


def own_standing(session: Session, card: RoundCard, user_id: int, now_ms: int) -> OwnStanding | None:
    """Where somebody stands in a round over the whole country, once its scores are out."""
    if not releases.score_is_out(card, now_ms):
        return None
    statement = select(Standing).join(User, User.person_id == Standing.person_id)
    standing = session.scalar(statement.where(Standing.round_id == card.id, User.id == user_id))
    if standing is None:
        return None
    rank = standing.rank or rank_of(session, card.id, standing.merit)
    return OwnStanding(rank, standing.score, standing.duration_ms)
