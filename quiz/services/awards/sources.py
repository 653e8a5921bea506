"""Candidates in order, read from the tables, and no further than somebody asks.

People stand in line by the merit of their standings, which is indexed; units by what their tallies and papers come to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from quiz.clock import CONTEST_ZONE
from quiz.models import Round, Unit
from quiz.services.awards.choosing import Candidate, Held, Line
from quiz.services.awards.prizes import Prize, lines_of
from quiz.services.units import FIRST_LEVEL

_CHUNK = 200
_BARRED = (
    "(u.barred_at IS NOT NULL OR EXISTS (SELECT FROM contest_bar b WHERE b.contest_id = :contest "
    "AND b.user_id = u.id AND (b.function IS NULL OR b.function = ANY(:barred_kinds))))"
)
"""Barred from everything, from the contest, or for a function that the rules bar, whenever it was written down."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Where standings and papers are read; a dry run of a correction reads what would be instead."""

    standing: str = "standing"
    entry: str = "entry"


NOW = Tables()
CORRECTED = Tables(
    standing=(
        "(SELECT s.round_id, s.person_id, s.unit_id, s.rank, coalesce(a.merit, s.merit) AS merit, "
        "coalesce(a.score, s.score) AS score, coalesce(a.duration_ms, s.duration_ms) AS duration_ms, "
        "coalesce(a.received_at, s.received_at) AS received_at "
        "FROM standing s LEFT JOIN standing_after a USING (person_id))"
    ),
    entry="entry_regraded",
)
"""After scoring.regrade has laid a correction, in its transaction."""


@dataclass(slots=True)
class Sources:
    """The candidates of a round's lines."""

    session: Session
    round: Round
    rules: Mapping[str, Any]
    tables: Tables = NOW
    _units: dict[int, tuple[int | None, str, str, int | None]] = field(default_factory=dict)

    def lines(self) -> Iterator[tuple[Line, Iterable[Candidate]]]:
        for line, prize in lines_of(self.rules):
            yield line, self.of(prize)

    def of(self, prize: Prize) -> Iterable[Candidate]:
        if prize.kind == "collective":
            return self._collective(prize)
        return self._spreading(prize) if prize.kind == "spreading" else self._individual(prize)

    def line(self, key: str) -> tuple[Line, Prize]:
        """
        Raises:
            LookupError: the rules have no such line.
        """
        return next((line, prize) for line, prize in lines_of(self.rules) if line.key == key)

    # People

    def _individual(self, prize: Prize) -> Iterator[Candidate]:
        where, values = self._bracket(prize.bracket, "s.unit_id")
        rows = self.session.execute(
            text(
                f"SELECT s.person_id, s.merit, s.unit_id, s.rank, s.score, s.duration_ms, {_BARRED} AS barred "
                f"FROM {self.tables.standing} s JOIN users u ON u.id = s.person_id "
                f"WHERE s.round_id = :round {where} ORDER BY s.merit DESC, s.person_id"
            ),
            {"round": self.round.id, **self._bars(), **values},
            execution_options={"yield_per": _CHUNK},
        )
        with rows:
            for row in rows:
                facts = {"rank": row.rank, "score": row.score, "duration_ms": row.duration_ms}
                bar = "barred" if row.barred else None
                yield Candidate(row.person_id, bytes(row.merit), self.first_level(row.unit_id), bar, facts)

    def _spreading(self, prize: Prize) -> Iterator[Candidate]:
        """People by how many they brought: persons of their own with a counting entry in the round."""
        where, values = self._bracket(prize.bracket, "u.unit_id")
        rows = self.session.execute(
            text(
                f"SELECT u.id, u.unit_id, {_BARRED} AS barred, brought.people FROM ("
                "  SELECT inviter.person_id, count(*) AS people FROM users i"
                "  JOIN users inviter ON inviter.id = i.invited_by AND inviter.person_id <> i.person_id"
                f"  JOIN {self.tables.standing} s ON s.round_id = :round AND s.person_id = i.id"
                "  WHERE i.invited_by IS NOT NULL AND i.person_id = i.id GROUP BY 1"
                f") brought JOIN users u ON u.id = brought.person_id WHERE true {where} "
                "ORDER BY brought.people DESC, u.id"
            ),
            {"round": self.round.id, **self._bars(), **values},
            execution_options={"yield_per": _CHUNK},
        )
        with rows:
            for row in rows:
                bar = "barred" if row.barred else None
                home = self.first_level(row.unit_id)
                yield Candidate(row.id, row.people, home, bar, {"people": row.people})

    def _bars(self) -> dict[str, Any]:
        return {"contest": self.round.contest_id, "barred_kinds": self.rules.get("barred_kinds") or []}

    def _bracket(self, key: str | None, unit: str) -> tuple[str, dict[str, Any]]:
        """SQL that keeps the people of a bracket: whom it fits and no bracket before it."""
        if key is None:
            return "", {}
        parts: list[str] = []
        values: dict[str, Any] = {}
        for place, bracket in enumerate(self.rules["brackets"]):
            condition, given = self._fits(bracket, unit, place)
            values |= given
            if bracket["key"] == key:
                return "".join(f" AND NOT {each}" for each in parts) + f" AND {condition}", values
            parts.append(condition)
        raise LookupError(f"the rules have no bracket {key}")

    def _fits(self, bracket: Mapping[str, Any], unit: str, place: int) -> tuple[str, dict[str, Any]]:
        parts = ["true"]
        values: dict[str, Any] = {}
        if bracket.get("units"):
            inside = f"coalesce({unit} = ANY(:units_{place}), false)"
            parts.append(f"NOT {inside}" if bracket.get("outside") else inside)
            values[f"units_{place}"] = self._below(bracket["units"])
        if bracket.get("kinds"):
            parts.append(f"u.member_kind = ANY(:kinds_{place})")
            values[f"kinds_{place}"] = list(bracket["kinds"])
        year = self.round.opens_at.astimezone(CONTEST_ZONE).year
        for name, sign in (("min_age", ">="), ("max_age", "<=")):
            if bracket.get(name) is not None:
                parts.append(f":year - u.birth_year {sign} :{name}_{place}")
                values |= {"year": year, f"{name}_{place}": bracket[name]}
        return f"coalesce({' AND '.join(parts)}, false)", values

    # Units

    def _collective(self, prize: Prize) -> list[Candidate]:
        people = self._rolled_up(self._people_by_unit(), prize.level or "")
        papers = self._rolled_up(self._perfect_by_unit(), prize.level or "") if prize.by == "perfect_papers" else {}
        found = []
        for unit_id, participants in people.items():
            members = self.units[unit_id][3]
            facts = {"participants": participants, "members": members, "papers": papers.get(unit_id, 0)}
            measure = _measure(prize.by or "", facts)
            if participants >= prize.min_participants and measure is not None and measure > 0:
                found.append(Candidate(unit_id, measure, None, None, facts))
        return sorted(found, key=_by_measure)

    def _people_by_unit(self) -> dict[int, int]:
        rows = self.session.execute(
            text("SELECT unit_id, sum(participants) FROM tally WHERE round_id = :round GROUP BY 1"),
            {"round": self.round.id},
        )
        return {unit_id: int(count) for unit_id, count in rows}

    def _perfect_by_unit(self) -> dict[int, int]:
        """Papers with every question right that count, for the home of whose they are."""
        rows = self.session.execute(
            text(
                f"SELECT s.unit_id, count(*) FROM {self.tables.entry} e JOIN users u ON u.id = e.participant_id "
                "JOIN standing s ON s.round_id = :round AND s.person_id = u.person_id "
                "WHERE e.round_id = :round AND e.counted AND e.correct = :all GROUP BY 1"
            ),
            {"round": self.round.id, "all": self.round.rules["questions"]},
        )
        return {unit_id: int(count) for unit_id, count in rows}

    def _rolled_up(self, counts: Mapping[int, int], level: str) -> dict[int, int]:
        found: Counter[int] = Counter()
        for unit_id, count in counts.items():
            above = self._above(unit_id, (level,))
            if above is not None:
                found[above] += count
        return dict(found)

    # The tree

    @property
    def units(self) -> dict[int, tuple[int | None, str, str, int | None]]:
        """Unit → (parent, kind, code, members)."""
        if not self._units:
            rows = self.session.execute(select(Unit.id, Unit.parent_id, Unit.kind, Unit.code, Unit.members))
            self._units.update({row.id: (row.parent_id, row.kind, row.code, row.members) for row in rows})
        return self._units

    def first_level(self, unit_id: int | None) -> int | None:
        """The province or union that a unit lies in."""
        return self._above(unit_id, FIRST_LEVEL)

    def _above(self, unit_id: int | None, kinds: Iterable[str]) -> int | None:
        while unit_id is not None and (unit := self.units.get(unit_id)) is not None:
            if unit[1] in kinds:
                return unit_id
            unit_id = unit[0]
        return None

    def _below(self, codes: Iterable[str]) -> list[int]:
        wanted = set(codes)

        def inside(unit_id: int | None) -> bool:
            while unit_id is not None:
                parent, _, code, _ = self.units[unit_id]
                if code in wanted:
                    return True
                unit_id = parent
            return False

        return [unit_id for unit_id in self.units if inside(unit_id)]


def _by_measure(unit: Candidate) -> tuple[Fraction, int]:
    return -Fraction(cast("Fraction | int", unit.tie)), unit.id


def _measure(by: str, facts: Mapping[str, Any]) -> Fraction | int | None:
    """What a unit is compared by; None: it can't be, its members were never counted."""
    if by == "participants":
        return int(facts["participants"])
    if by == "perfect_papers":
        return int(facts["papers"])
    return Fraction(facts["participants"], facts["members"]) if facts["members"] else None


def held_elsewhere(session: Session, of: Round) -> Held:
    """Prizes that people hold in the other rounds of the season: of each round the newest list that stands."""
    rows = session.execute(
        text(
            "SELECT a.person_id, a.home_id FROM award a JOIN award_list l ON l.id = a.list_id "
            "WHERE l.contest_id = :contest AND l.round_id <> :round AND a.person_id IS NOT NULL "
            "AND a.state IN ('held', 'offered') AND l.version = (SELECT max(newer.version) FROM award_list newer "
            "  WHERE newer.round_id = l.round_id AND newer.state <> 'replaced')"
        ),
        {"contest": of.contest_id, "round": of.id},
    )
    held = Held()
    for person_id, home_id in rows:
        held.persons[person_id] += 1
        if home_id is not None:
            held.homes[home_id] += 1
    return held
