"""Races for the steps of one paper, each run with the guard and without it, as in test_attempts.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest
from redis import Redis

from deploy import embedded
from quiz.config import SigningKey
from quiz.intake import calls, gateway, keys, steps
from quiz.intake.calls import Starter
from quiz.intake.events import decode_event
from quiz.intake.gateway import Gateway
from quiz.intake.season import ContestCard, RoundCard, Season
from quiz.intake.signing import SignedPaper, Signer
from quiz.intake.steps import Act, Answered, Asked
from scoring.rules import Rules, rules_document
from tests.concurrency.test_attempts import at_once, without
from tests.making import OPENS, card, open_round

pytestmark = pytest.mark.concurrency

CLIENTS = 100
PROCESSES = 8
COUNT = 10
GUARD = "local answered, mask = tonumber(ARGV[9]), tonumber(ARGV[10])"


@dataclass
class House:
    """The web processes of one installation, and one person's stepped paper in each of their hands."""

    redis: Redis
    gateways: list[Gateway]
    signer: Signer
    card: RoundCard
    season: Season

    def start(self, participant: int) -> SignedPaper:
        who = Starter(participant=participant, unit=31, auth_epoch=0)
        started = calls.start(self.gateways[0], self.signer, 0, self.season, self.card, who, OPENS)
        return self.signer.verify_paper(started.token)

    def step(self, client: int, signed: SignedPaper, act: Act = Act.STEP, answered: Answered = steps.NOTHING) -> Asked:
        return steps.step(self.gateways[client % PROCESSES], self.card, signed, OPENS + 1, act, answered=answered)

    def hand_in(self, client: int, signed: SignedPaper, act: Act = Act.CLOSE) -> None:
        """As services.papers does it: no more answers, then the entry."""
        closed = self.step(client, signed, act).steps
        masks = [0] * COUNT if closed is None else closed.masks
        calls.hand_in(self.gateways[client % PROCESSES], self.signer, self.card, signed, masks, None, OPENS + 2)

    def entry(self, participant: int) -> list[int]:
        name = keys.entries(self.card.id, participant % self.card.shards)
        events = [decode_event(fields[b"e"]) for _, fields in self.redis.xrange(name)]
        (answers,) = [event.answers for event, of, _ in events if of.participant == participant]
        return answers


@pytest.fixture
def house(servers: embedded.Servers) -> Iterator[House]:
    clients = [Redis.from_url(servers.redis_url) for _ in range(PROCESSES)]
    clients[0].flushall()
    rules = rules_document(Rules(seconds=600, seconds_per_question=60))
    opened = open_round(clients[0], msgspec.structs.replace(card(), rules=rules))
    season = Season(1, [ContestCard(1, "cuoc-thi", "Cuộc thi", True, [opened])])
    signer = Signer([SigningKey("k1", b"\x01" * 32)])
    yield House(clients[0], [Gateway(client) for client in clients], signer, opened, season)
    for client in clients:
        client.close()


def answer_together(house: House) -> list[Asked]:
    """All answer the first question, each in another way."""
    signed = house.start(1)
    return at_once(CLIENTS, lambda client: house.step(client, signed, answered=Answered(1, 1 << client % 4)))


def test_of_parallel_steps_one_wins(house: House) -> None:
    outcomes = answer_together(house)
    assert {asked.number for asked in outcomes} == {2}
    masks = {tuple(asked.steps.masks) for asked in outcomes if asked.steps}
    assert len(masks) == 1
    assert masks.pop()[1:] == (0,) * (COUNT - 1)


def test_that_test_sees_a_step_that_does_not_look_which_question_is_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "STEP", without("step", GUARD, "local answered, mask = asked, tonumber(ARGV[10])"))
    assert len({asked.number for asked in answer_together(house)}) > 2


def answers_lost(house: House, participant: int, act: Act) -> bool:
    """Somebody steps while the paper is handed in: is an answer that was said to count missing in the entry?"""
    signed = house.start(participant)

    def run(client: int) -> list[int]:
        if client == 0:
            house.hand_in(client, signed, act)
            return []
        said: list[int] = []
        for number in range(1, COUNT + 1):
            asked = house.step(client, signed, answered=Answered(number, 1))
            said = asked.steps.masks if asked.steps else said
        return said

    told = at_once(2, run)[1]
    entry = house.entry(participant)
    return any(given and not taken for given, taken in zip(told, entry, strict=False))


def test_every_answer_that_was_taken_is_in_the_entry(house: House) -> None:
    assert not any(answers_lost(house, participant, Act.CLOSE) for participant in range(100, 140))


def test_that_test_sees_a_hand_in_that_does_not_close_first(house: House) -> None:
    assert any(answers_lost(house, participant, Act.LOOK) for participant in range(100, 140))


def test_the_script_under_test_is_that_of_production() -> None:
    assert steps.STEP.source == gateway.Script("step").source
