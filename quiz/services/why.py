"""Why a person stands above another on a round's board, read from the merits that rank them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext, ngettext
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from quiz import wording
from quiz.models import Round, Standing
from quiz.services import brackets
from scoring.ordering import Decision, decide
from scoring.rules import Rules, rules_from


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two standings next to each other in the order of a round, and what decides between them."""

    above: int
    below: int
    """Person ids."""
    decision: Decision | None
    """None: they share the rank."""


def between(session: Session, ranked: Round, first: int, second: int) -> Neighbours | None:
    """What decides between two people of a round, the better one named first; None if one of them has no standing."""
    rows = session.execute(
        select(Standing.person_id, Standing.merit)
        .where(Standing.round_id == ranked.id, Standing.person_id.in_((first, second)))
        .order_by(Standing.merit.desc(), Standing.person_id)
    ).all()
    return _pair(rules_from(ranked.rules), rows[0], rows[1]) if len(rows) == 2 else None


def down_the_board(session: Session, ranked: Round, limit: int, offset: int = 0) -> list[Neighbours]:
    """Each pair of neighbours among the standings from `offset` on, in the order of the board."""
    rows = session.execute(
        select(Standing.person_id, Standing.merit)
        .where(Standing.round_id == ranked.id)
        .order_by(Standing.merit.desc(), Standing.person_id)
        .offset(offset)
        .limit(limit + 1)
    ).all()
    rules = rules_from(ranked.rules)
    return [_pair(rules, above, below) for above, below in itertools.pairwise(rows)]


MOST_LINES = 1_000
"""Prizes go to the first; nobody pages through a million, and no query counts its way there."""


@dataclass(frozen=True, slots=True)
class Line:
    """A standing of the ranking with what puts it above the next one."""

    rank: int
    person_id: int
    name: str
    score: int
    reason: str | None
    """None for the last one there is."""


def ranking(session: Session, ranked: Round, limit: int, offset: int = 0, bracket: str | None = None) -> list[Line]:
    """The standings from `offset` on, as they stand now, each with what decides between it and the next.

    Args:
        bracket: key of one of the rules' brackets: its people alone, ranked among themselves.
    """
    rules = rules_from(ranked.rules)
    among, values = brackets.condition(rules, ranked.opens_at, bracket)
    values |= {"round": ranked.id, "limit": limit + 1, "offset": offset}
    rows = session.execute(text(_RANKING.format(among=among)), values).all()
    if not rows:
        return []
    values["merit"] = rows[0].merit
    rank = 1 + session.execute(text(_BETTER.format(among=among)), values).scalar_one()
    lines = []
    for place, (row, following) in enumerate(itertools.zip_longest(rows, rows[1:])):
        if place and row.merit != rows[place - 1].merit:
            rank = offset + place + 1
        reason = None
        if following is not None:
            reason = sentence(decide(rules, row.merit, following.merit), row.full_name, following.full_name)
        lines.append(Line(rank, row.person_id, row.full_name, row.score, reason))
    return lines[:limit]


_RANKING = """
    SELECT s.person_id, s.merit, s.score, u.full_name FROM standing s JOIN users u ON u.id = s.person_id
    WHERE s.round_id = :round AND {among} ORDER BY s.merit DESC, s.person_id OFFSET :offset LIMIT :limit
"""
_BETTER = """
    SELECT count(*) FROM standing s JOIN users u ON u.id = s.person_id
    WHERE s.round_id = :round AND s.merit > :merit AND {among}
"""


def _pair(rules: Rules, above: Row[int, bytes], below: Row[int, bytes]) -> Neighbours:
    return Neighbours(above.person_id, below.person_id, decide(rules, above.merit, below.merit))


def sentence(decision: Decision | None, above: str, below: str) -> str:
    """What decides between two names, the better one first, with both values."""
    if decision is None:
        return str(
            gettext(
                "%(above)s and %(below)s share the rank: they are equal in everything the rules rank by.",
                above=above,
                below=below,
            )
        )
    better, worse = decision.left, decision.right
    if not decision.left_first:
        better, worse = worse, better
    reason = _reason(decision.key, better, worse)
    return str(gettext("%(above)s is above %(below)s: %(reason)s.", above=above, below=below, reason=reason))


def _reason(key: str, better: int | None, worse: int | None) -> str:
    if better is None or worse is None:
        # Only a prediction can be missing, and whoever made one is the better.
        return str(gettext("only the first of them made a prediction"))
    return str(_SAYERS[key](better, worse))


def _points(better: int, worse: int) -> str:
    return str(ngettext("%(num)d point against %(worse)s", "%(num)d points against %(worse)s", better, worse=worse))


def _right(better: int, worse: int) -> str:
    return str(
        ngettext(
            "%(num)d right answer against %(worse)s", "%(num)d right answers against %(worse)s", better, worse=worse
        )
    )


def _gap(better: int, worse: int) -> str:
    return str(
        gettext(
            "the prediction is off by %(better)s against %(worse)s",
            better=wording.number(better),
            worse=wording.number(worse),
        )
    )


def _handed_in(better: int, worse: int) -> str:
    return str(
        gettext(
            "handed in at %(better)s against %(worse)s",
            better=wording.to_the_millisecond(better),
            worse=wording.to_the_millisecond(worse),
        )
    )


def _handed_in_second(better: int, worse: int) -> str:
    return str(
        gettext("handed in at %(better)s against %(worse)s", better=wording.exact(better), worse=wording.exact(worse))
    )


def _duration(better: int, worse: int) -> str:
    return str(
        gettext("%(better)s seconds against %(worse)s", better=wording.seconds(better), worse=wording.seconds(worse))
    )


def _attempt(better: int, worse: int) -> str:
    return str(gettext("with attempt %(better)s against attempt %(worse)s", better=better, worse=worse))


def _lot(better: int, worse: int) -> str:
    return str(gettext("the greater lot, %(better)s against %(worse)s", better=better, worse=worse))


_SAYERS: dict[str, Callable[[int, int], str]] = {
    "score": _points,
    "correct": _right,
    "prediction_gap": _gap,
    "received_at": _handed_in,
    "received_second": _handed_in_second,
    "duration": _duration,
    "attempts": _attempt,
    "lot": _lot,
}
