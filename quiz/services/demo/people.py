"""Who takes part in the demo, and at home where: some provinces far ahead, many communes silent, as life is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from quiz.models import Unit
from quiz.services.demo.chance import dice
from quiz.services.demo.names import full_name
from quiz.services.synthetic import SyntheticPerson

PARTICIPANTS = 6_000
_AHEAD = {"42": 3.2, "40": 2.6, "44": 2.3, "20": 2.0, "24": 1.9, "37": 2.2, "38": 1.4, "01": 1.2, "79": 0.8}
"""Hà Tĩnh, Nghệ An, Quảng Trị, Lạng Sơn, Bắc Ninh and Ninh Bình were commended in week 12 of the real contest."""
_BEHIND = {"96": 0.35, "91": 0.45, "66": 0.5, "12": 0.5, "82": 0.6}
_UNION_SHARE = 0.06
_UNION_WEIGHT = {"TNQH": 2.5, "TNCP": 1.4, "TNDTW": 1.0}
MEMBER_CODE = "00004"
"""The commune of the participant one can sign in as."""


@dataclass(frozen=True, slots=True)
class Home:
    """A unit that people belong to; `province` is None for a union."""

    unit_id: int
    code: str
    province: str | None


def homes(session: Session) -> list[Home]:
    """All communes and unions of today, in the order of their codes."""
    above = aliased(Unit)
    rows = session.execute(
        select(Unit.id, Unit.code, Unit.kind, above.code)
        .join(above, above.id == Unit.parent_id)
        .where(Unit.kind.in_(("commune", "union")), Unit.valid_to.is_(None))
        .order_by(Unit.code)
    )
    return [Home(unit_id, code, parent if kind == "commune" else None) for unit_id, code, kind, parent in rows]


def weights(all_homes: list[Home]) -> list[float]:
    """How many of the participants a home draws; 0 for a silent commune."""
    throw = dice("homes")
    zeal = {
        code: throw.lognormvariate(0, 0.35) * _AHEAD.get(code, 1.0) * _BEHIND.get(code, 1.0)
        for code in sorted({home.province for home in all_homes if home.province is not None})
    }
    drawn = [_weight(throw, home, zeal) for home in all_homes]
    communes = sum(weight for home, weight in zip(all_homes, drawn, strict=True) if home.province is not None)
    unions = sum(weight for home, weight in zip(all_homes, drawn, strict=True) if home.province is None)
    scale = communes * _UNION_SHARE / unions if unions else 1.0
    return [
        weight if home.province is not None else weight * scale for home, weight in zip(all_homes, drawn, strict=True)
    ]


def _weight(throw: random.Random, home: Home, zeal: dict[str, float]) -> float:
    eager, size = throw.random(), throw.paretovariate(1.3)
    if home.province is None:
        return _UNION_WEIGHT.get(home.code, 0.6)
    # Where a province pulls, fewer of its communes stay silent.
    silent = 0.62 - 0.16 * min(zeal[home.province], 2.5)
    return 0.0 if eager < silent else min(size, 12.0) * zeal[home.province]


def participants(all_homes: list[Home], first_seen: Sequence[datetime], now: datetime) -> list[SyntheticPerson]:
    """The demo's people, registered some time before they are first seen; the first is the one whose login is shown."""
    throw = dice("people")
    chosen = throw.choices(all_homes, weights(all_homes), k=PARTICIPANTS)
    chosen[0] = next((home for home in all_homes if home.code == MEMBER_CODE), chosen[0])
    return [_person(throw, home, seen, now) for home, seen in zip(chosen, first_seen, strict=True)]


def _person(throw: random.Random, home: Home, seen: datetime, now: datetime) -> SyntheticPerson:
    age = min(60, max(15, round(throw.gammavariate(3.2, 3.4) + 14)))
    registered = seen - timedelta(hours=throw.uniform(0.1, 72))
    return SyntheticPerson(full_name(throw, home.province), home.unit_id, registered, now.year - age)
