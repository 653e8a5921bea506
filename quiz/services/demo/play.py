"""Playing the plan through the real intake: every paper is started and handed in, at the time it would have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quiz.intake import calls
from quiz.intake.gateway import Gateway
from quiz.intake.season import RoundCard, Season
from quiz.intake.signing import Signer
from quiz.services.demo.plan import Attempt, Visit
from quiz.services.synthetic import in_parallel


@dataclass(frozen=True, slots=True)
class Player:
    """A participant as a signed token would say it."""

    user_id: int
    unit_id: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A question of the frozen bank, as somebody who knows the key marks it."""

    right: int
    wrong: tuple[int, ...]
    """Bit masks of answers."""


@dataclass(frozen=True, slots=True)
class Stage:
    gateway: Gateway
    signer: Signer
    issuer: int
    season: Season
    cards: Mapping[int, RoundCard]
    """By number of the round."""
    sheets: Mapping[int, Sequence[Sheet]]
    players: Sequence[Player]


def play(stage: Stage, visits: Sequence[Visit]) -> int:
    """Hand in everything that is not handed in yet; how many papers that were."""
    begun = _begun(stage, visits)
    return sum(in_parallel(lambda visit: _visit(stage, visit, begun[visit.round, visit.person]), visits))


def _begun(stage: Stage, visits: Sequence[Visit]) -> dict[tuple[int, int], int]:
    """(round, person) → attempts handed in by a load that was interrupted."""
    found = {}
    for number, card in stage.cards.items():
        people = [visit.person for visit in visits if visit.round == number]
        used = calls.attempts_over(stage.gateway, card, [stage.players[person].user_id for person in people])
        found.update({(number, person): count for person, count in zip(people, used, strict=True)})
    return found


def _visit(stage: Stage, visit: Visit, over: int) -> int:
    rest = visit.attempts[over:]
    for attempt in rest:
        _take_part(stage, visit, attempt)
    return len(rest)


def _take_part(stage: Stage, visit: Visit, attempt: Attempt) -> None:
    card, player = stage.cards[visit.round], stage.players[visit.person]
    who = calls.Starter(player.user_id, player.unit_id, 0, channel=visit.channel)
    started = calls.start(stage.gateway, stage.signer, stage.issuer, stage.season, card, who, attempt.started)
    signed = stage.signer.verify_paper(started.token)
    sheets = [stage.sheets[visit.round][place] for place in started.paper.questions]
    answers = [_mark(sheet, right, attempt.started) for sheet, right in zip(sheets, attempt.right, strict=True)]
    calls.hand_in(
        stage.gateway, stage.signer, card, signed, answers, attempt.prediction, attempt.started + attempt.duration
    )


def _mark(sheet: Sheet, right: bool | None, luck: int) -> int:
    if right is None:
        return 0
    return sheet.right if right else sheet.wrong[luck % len(sheet.wrong)]
