"""How the questions of a round did: how many had them right, whether they tell the good from the lucky, idle options.

Measured on first attempts alone: later ones have often seen the question before. Of a large round a part of the
people is looked at, chosen by their numbers, so that the same page shows the same figures again.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz.models import Entry, Round, Tally
from quiz.services.corrections import key_in_force
from scoring.rules import QuestionKey, key_from

SAMPLE = 20_000
"""About so many sheets are read: enough for a share that is right to half a percent, and quick enough for a page."""
ENOUGH = 30
"""With fewer answers nothing is called weak."""
TOO_HARD, TOO_EASY = 0.2, 0.95
LEAST_DISCRIMINATION = 0.15
Sheet = tuple[Sequence[int], Sequence[int]]
"""(places of the questions, bit masks of what was chosen)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One question of the frozen bank; its place there is its number."""

    place: int
    shown: int
    right: float | None
    """Share of those who got it and had it right; None: nobody got it."""
    discrimination: float | None
    """Correlation of having it right with the share of the other questions that were right; None: no spread."""
    chosen: list[float]
    """Share of those who got it that chose each option."""
    idle: list[int]
    """Wrong options that nobody chose."""
    weak: list[str]
    """too_hard, too_easy, does_not_discriminate, idle_options: words for the page to explain."""


@dataclass(slots=True)
class _Sums:
    options: int
    shown: int = 0
    right: int = 0
    rest: float = 0.0
    rest_squared: float = 0.0
    rest_when_right: float = 0.0
    chosen: list[int] = field(default_factory=list)

    def add(self, right: bool, rest: float, answer: int) -> None:
        self.shown += 1
        self.right += right
        self.rest += rest
        self.rest_squared += rest * rest
        self.rest_when_right += rest if right else 0.0
        for bit in range(self.options):
            self.chosen[bit] += answer >> bit & 1

    def correlation(self) -> float | None:
        n = self.shown
        spread = (n * self.right - self.right**2) * (n * self.rest_squared - self.rest**2)
        # Sums of shares are not exact: what is within their error of no spread at all is none.
        if n < 2 or spread <= 1e-9 * n**4:
            return None
        return (n * self.rest_when_right - self.right * self.rest) / math.sqrt(spread)


def measure(options: Sequence[int], key: Sequence[QuestionKey], sheets: Iterable[Sheet]) -> list[Figures]:
    """The figures of every question, in the order of the bank. Pure.

    Args:
        options: how many options each question has.
    """
    sums = [_Sums(count, chosen=[0] * count) for count in options]
    for questions, answers in sheets:
        marks = [_is_right(key[place], answer) for place, answer in zip(questions, answers, strict=True)]
        others = len(marks) - 1
        for place, answer, right in zip(questions, answers, marks, strict=True):
            sums[place].add(right, (sum(marks) - right) / others if others else 0.0, answer)
    return [_figures(place, held, key[place]) for place, held in enumerate(sums)]


def _is_right(item: QuestionKey, answer: int) -> bool:
    return item.void or answer in item.accept


def _figures(place: int, held: _Sums, item: QuestionKey) -> Figures:
    share = held.right / held.shown if held.shown else None
    discrimination = held.correlation()
    accepted = 0
    for mask in item.accept:
        accepted |= mask
    idle = [bit for bit, count in enumerate(held.chosen) if held.shown and not count and not accepted >> bit & 1]
    weak = [] if share is None or held.shown < ENOUGH or item.void else list(_weak(share, discrimination, idle))
    chosen = [count / held.shown if held.shown else 0.0 for count in held.chosen]
    return Figures(place, held.shown, share, discrimination, chosen, idle, weak)


def _weak(share: float, discrimination: float | None, idle: Sequence[int]) -> Iterable[str]:
    if share < TOO_HARD:
        yield "too_hard"
    if share > TOO_EASY:
        yield "too_easy"
    if discrimination is not None and discrimination < LEAST_DISCRIMINATION:
        yield "does_not_discriminate"
    if idle:
        yield "idle_options"


@dataclass(frozen=True, slots=True)
class Report:
    sheets: int
    one_in: int
    """One person of so many was looked at."""
    rows: list[tuple[Mapping[str, Any], QuestionKey, Figures]]
    """The question as frozen, its key, its figures; weak ones first, the most wrong first among them."""


def report(session: Session, of: Round) -> Report:
    """The figures of a round under the key in force.

    Raises:
        Refusal: not_found, if no bank is frozen.
    """
    content, document = key_in_force(session, of)
    key = key_from(document)
    people = session.scalar(select(func.sum(Tally.participants)).where(Tally.round_id == of.id)) or 0
    one_in = max(1, -(-int(people) // SAMPLE))
    found = session.execute(
        select(Entry.questions, Entry.answers).where(
            Entry.round_id == of.id,
            Entry.bank_version == of.bank_version,
            Entry.attempt == 1,
            Entry.counted,
            Entry.participant_id % one_in == 0,
        )
    ).all()
    figures = measure(
        [len(question["options"]) for question in content], key, (_sheet(row.questions, row.answers) for row in found)
    )
    rows = [(content[each.place], key[each.place], each) for each in figures]
    rows.sort(key=lambda row: (-len(row[2].weak), 2.0 if row[2].right is None else row[2].right, row[2].place))
    return Report(len(found), one_in, rows)


def _sheet(questions: bytes, answers: bytes) -> Sheet:
    count = len(questions) // 2
    return struct.unpack(f">{count}H", questions), struct.unpack(f">{count}H", answers)
