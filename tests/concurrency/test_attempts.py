"""Races for attempts: many clients of one account at once, over connections of several processes' worth.

Each test is run with the guard and without it. Without it, it has to fail: otherwise the clients were too slow to
race and the test would prove nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pytest
from redis import Redis

from deploy import embedded
from quiz.config import SigningKey
from quiz.intake import calls, gateway, keys
from quiz.intake.calls import Receipt, Started, Starter
from quiz.intake.errors import AttemptsExhausted
from quiz.intake.events import decode_event
from quiz.intake.gateway import Gateway, Script
from quiz.intake.season import ContestCard, RoundCard, Season
from quiz.intake.signing import Signer
from tests.making import OPENS, card, open_round

pytestmark = pytest.mark.concurrency

T = TypeVar("T")
CLIENTS = 200
CAP = 7
ANNA = 1_001
SHEET = [1] * 10
PROCESSES = 8


@dataclass
class House:
    """The web processes of one installation: each has its own connections, all have one Redis."""

    redis: Redis
    gateways: list[Gateway]
    signer: Signer
    card: RoundCard
    season: Season

    def start(self, client: int, now: int = OPENS) -> Started:
        who = Starter(participant=ANNA, unit=31, auth_epoch=0)
        return calls.start(self.gateways[client % PROCESSES], self.signer, 0, self.season, self.card, who, now)

    def hand_in(self, client: int, started: Started, answers: list[int] = SHEET, now: int = OPENS + 1) -> Receipt:
        signed = self.signer.verify_paper(started.token)
        return calls.hand_in(self.gateways[client % PROCESSES], self.signer, self.card, signed, answers, None, now)

    def attempts_opened(self) -> int:
        return int(self.redis.zcard(keys.open_attempts(self.card.id, ANNA % self.card.shards)))

    def entries(self) -> list[int]:
        """The attempt numbers of all messages in the streams."""
        found = []
        for shard in range(self.card.shards):
            for _, fields in self.redis.xrange(keys.entries(self.card.id, shard)):
                found.append(decode_event(fields[b"e"])[1].attempt)
        return sorted(found)


@pytest.fixture
def house(servers: embedded.Servers) -> Iterator[House]:
    clients = [Redis.from_url(servers.redis_url) for _ in range(PROCESSES)]
    clients[0].flushall()
    opened = open_round(clients[0], card(cap=CAP))
    season = Season(1, [ContestCard(1, "cuoc-thi", "Cuộc thi", True, [opened])])
    signer = Signer([SigningKey("k1", b"\x01" * 32)])
    yield House(clients[0], [Gateway(client) for client in clients], signer, opened, season)
    for client in clients:
        client.close()


def at_once(clients: int, act: Callable[[int], T]) -> list[T]:
    """Each client in a thread of its own, all let go by one barrier."""
    barrier = threading.Barrier(clients)

    def run(client: int) -> T:
        barrier.wait(30)
        return act(client)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(run, range(clients)))


def without(name: str, guard: str, instead: str) -> Script:
    """A script with its guard taken out; loaded beside the real one, because it has another hash."""
    script = Script(name)
    source = script.source.decode()
    assert source.count(guard) == 1, f"{name}.lua no longer has the guard that this test takes out"
    script.source = source.replace(guard, instead).encode()
    return script


# 200 parallel starts of one account open one attempt.


def start_together(house: House) -> list[Started]:
    return at_once(CLIENTS, house.start)


def test_parallel_starts_open_one_attempt(house: House) -> None:
    papers = start_together(house)
    assert house.attempts_opened() == 1
    assert sum(started.opened for started in papers) == 1
    assert len({started.token for started in papers}) == 1
    assert {started.attempts_left for started in papers} == {CAP - 1}


def test_that_test_sees_a_start_that_does_not_look_for_the_open_attempt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "START", without("start", "if open > 0 then", "if false then"))
    opened = [outcome for outcome in at_once(CLIENTS, lambda client: _try(house.start, client)) if outcome]
    assert len({started.token for started in opened}) == CAP


def test_that_test_sees_a_start_that_reads_first_and_writes_later(house: House) -> None:
    """What a view with two commands instead of one script does: the race is real among these clients."""

    def opened(turn: int) -> int:
        def start(client: int) -> bool:
            redis = house.gateways[client % PROCESSES].client
            if redis.hget("quiz80-test:naive", str(turn)) is not None:
                return False
            redis.hset("quiz80-test:naive", str(turn), "open")
            return True

        return sum(at_once(CLIENTS, start))

    # Whether two meet is chance; that they never meet in twenty turns is not.
    assert any(opened(turn) > 1 for turn in range(20))


# 200 clients that start and hand in as fast as they can, cap 7, make exactly 7 entries.


def race_through(house: House, client: int) -> int:
    """Start and hand in until there is nothing left; how many papers this client handed in first."""
    first = 0
    for turn in range(10 * CAP):
        started = _try(house.start, client, OPENS + 2 * turn)
        if started is None:
            return first
        first += house.hand_in(client, started, now=OPENS + 2 * turn + 1).first
    raise AssertionError("the attempts never ended")


def test_racing_clients_make_exactly_as_many_entries_as_the_cap(house: House) -> None:
    first = at_once(CLIENTS, lambda client: race_through(house, client))
    assert house.entries() == list(range(1, CAP + 1))
    assert sum(first) == CAP


def test_that_test_sees_a_start_that_does_not_count(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = without("start", "if started >= (cap > 0 and cap or 32767) then", "if started >= 40 then")
    monkeypatch.setattr(calls, "START", broken)
    at_once(CLIENTS, lambda client: race_through(house, client))
    assert len(house.entries()) > CAP


def test_that_test_sees_a_count_that_is_read_first_and_written_later(house: House) -> None:

    def opened(turn: int) -> int:
        def start(client: int) -> bool:
            redis = house.gateways[client % PROCESSES].client
            started = int(redis.get(f"quiz80-test:started:{turn}") or 0)
            if started >= CAP:
                return False
            redis.set(f"quiz80-test:started:{turn}", started + 1)
            return True

        return sum(at_once(CLIENTS, start))

    assert any(opened(turn) > CAP for turn in range(20))


# 50 parallel hand-ins of one paper give one receipt and one message.


def hand_in_together(house: House) -> list[Receipt]:
    started = house.start(0)
    # Another sheet from each client: the receipt and the answers are those of whoever was first.
    return at_once(50, lambda client: house.hand_in(client, started, [1 << client % 4] * 10, OPENS + 1 + client))


def test_parallel_hand_ins_of_one_paper_give_one_receipt_and_one_message(house: House) -> None:
    receipts = hand_in_together(house)
    assert len({receipt.text for receipt in receipts}) == 1
    assert len({receipt.received for receipt in receipts}) == 1
    assert sum(receipt.first for receipt in receipts) == 1
    assert house.entries() == [1]


def test_that_test_sees_a_hand_in_that_does_not_look_at_the_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = without("hand_in", "if record[1] == 2 then return {'again', record[2], record[3]} end", "")
    monkeypatch.setattr(calls, "HAND_IN", broken)
    receipts = hand_in_together(house)
    assert len({receipt.text for receipt in receipts}) > 1
    assert len(house.entries()) == 50


def test_a_hand_in_and_the_sweeper_at_once_make_one_entry(house: House) -> None:
    """The deadline's draft, and sheets that come at the same time: one of them is the entry, all get its receipt."""
    started = house.start(0)
    signed = house.signer.verify_paper(started.token)
    calls.keep_draft(house.gateways[0], house.card, signed, SHEET, None, 1, OPENS + 1)
    over = started.paper.deadline + house.card.grace + 1

    def act(client: int) -> str | None:
        if client % 2:
            calls.settle(house.gateways[client % PROCESSES], house.signer, house.card, ANNA, 1, over)
            return None
        return house.hand_in(client, started, [2] * 10, over).text

    receipts = {text for text in at_once(40, act) if text}
    assert len(receipts) == 1
    assert house.entries() == [1]


def test_the_scripts_under_test_are_those_of_production() -> None:
    assert (calls.START, calls.HAND_IN) == (gateway.START, gateway.HAND_IN)


def _try(act: Callable[..., Started], *arguments: int) -> Started | None:
    try:
        return act(*arguments)
    except AttemptsExhausted:
        return None
