"""The prizes of a rules document as lines of places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quiz.services.awards.choosing import Caps, Line, Slot

PARTS = ("prizes", "brackets", "prize_caps", "barred_kinds")
"""What of a rules document decides about prizes."""


@dataclass(frozen=True, slots=True)
class Prize:
    key: str
    name: str
    kind: str
    """individual, collective, spreading"""
    count: int
    value: int
    bracket: str | None
    by: str | None
    """Collective: participants, member_share, perfect_papers."""
    level: str | None
    """Collective: province, union, commune."""
    min_participants: int

    @property
    def line(self) -> str:
        """Prizes with the same are given along one order of candidates."""
        parts = [self.kind, self.bracket or ""]
        if self.kind == "collective":
            parts += [str(self.by), str(self.level), str(self.min_participants)]
        return ":".join(parts).rstrip(":")


def of_rules(document: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a rules document that awards are made of, as they are kept with a list."""
    return {name: document.get(name) for name in PARTS}


def prizes_of(rules: Mapping[str, Any]) -> list[Prize]:
    return [
        Prize(
            key=each["key"],
            name=each["name"],
            kind=each["kind"],
            count=each["count"],
            value=each.get("value") or 0,
            bracket=each.get("bracket"),
            by=each.get("by"),
            level=each.get("level"),
            min_participants=each.get("min_participants") or 0,
        )
        for each in rules.get("prizes") or []
    ]


def caps_of(rules: Mapping[str, Any]) -> Caps:
    held = rules.get("prize_caps") or {}
    return Caps(**{name: held.get(name) for name in Caps.__dataclass_fields__})


def lines_of(rules: Mapping[str, Any]) -> Iterator[tuple[Line, Prize]]:
    """Each line with one of its prizes, which says whose line it is; in the order of the rules."""
    found: dict[str, list[Prize]] = {}
    for prize in prizes_of(rules):
        found.setdefault(prize.line, []).append(prize)
    for key, together in found.items():
        slots = tuple(Slot(prize.key, place) for prize in together for place in range(1, prize.count + 1))
        yield Line(key, "unit" if together[0].kind == "collective" else "person", slots), together[0]
