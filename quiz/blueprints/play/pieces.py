"""A paper's questions as HTML: each rendered once a process for each way it is turned, joined in the paper's order.

A frozen bank has few questions and never changes, while everybody's paper is another choice of them. Ten questions by
the template cost four times what all the rest of the page does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from flask import render_template
from markupsafe import Markup

from quiz import wording
from quiz.intake.season import FrozenBank, RoundCard
from quiz.services import papers
from quiz.services.papers import Desk
from quiz.shells import Shell, mark

_CHECKED = "checked"


class Pieces:
    """The questions of one frozen bank."""

    def __init__(self, bank: FrozenBank) -> None:
        self.bank = bank
        self._questions: dict[tuple[str, int, int], Shell] = {}
        self._tiles: dict[int, Shell] = {}

    def sections(self, places: Sequence[int], turns: Sequence[int], answers: Mapping[str, Sequence[str]]) -> Markup:
        """The questions at these places of the bank, turned so, with the chosen options ticked.

        Args:
            answers: question id → option ids.
        """
        language, count = wording.language(), str(len(places))
        parts = []
        for number, (place, turn) in enumerate(zip(places, turns, strict=True), 1):
            chosen = answers.get(self.bank.questions[place].id, ())
            slots = defaultdict(
                str, {_CHECKED + option: " checked" for option in chosen}, number=str(number), count=count
            )
            parts.append(self._question(language, place, turn).filled(slots.__getitem__))
        return Markup("\n".join(parts))  # noqa: S704 - escaped by their template

    def tiles(self, places: Sequence[int]) -> Markup:
        """The overview's links to the questions."""
        parts = [
            self._tile(place).filled({"number": str(number)}.__getitem__) for number, place in enumerate(places, 1)
        ]
        return Markup("".join(parts))  # noqa: S704 - escaped by their template

    def _question(self, language: str, place: int, turn: int) -> Shell:
        question = self.bank.questions[place]
        turn %= len(question.options)
        held = self._questions.get((language, place, turn))
        if held is None:
            turned = papers.turned(question, turn)
            checked = {option.id: mark(_CHECKED + option.id) for option in turned.options}
            slots = {"number": mark("number"), "count": mark("count"), "checked": checked}
            rendered = render_template("play/_question.html", question=turned, **slots)
            held = self._questions[language, place, turn] = Shell(rendered)
        return held

    def _tile(self, place: int) -> Shell:
        held = self._tiles.get(place)
        if held is None:
            question = self.bank.questions[place]
            rendered = render_template("play/_tile.html", question=question, number=mark("number"))
            held = self._tiles[place] = Shell(rendered)
        return held


_held: dict[tuple[int, int], Pieces] = {}


def pieces_of(desk: Desk, card: RoundCard, version: int) -> Pieces:
    bank = desk.seasons.bank(card, version)
    held = _held.get((card.id, version))
    if held is None or held.bank is not bank:
        held = _held[card.id, version] = Pieces(bank)
    return held
