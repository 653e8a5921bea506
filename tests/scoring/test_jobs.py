"""Lanes and their neighbours: a lane holds its worker for a minute, unless another job would wait for ever."""

from __future__ import annotations

import time

import pytest
from flask import Flask

from quiz import clock
from quiz.extensions import Platform
from quiz.intake import boards as contract
from quiz.intake.season import BankOption, BankQuestion, ContestCard, RoundCard, write_bank, write_season
from scoring import boards, jobs, sweeper
from scoring.jobs import Others
from scoring.schedule import Scheduler
from tests.scoring.conftest import QUESTIONS, hand_in


@pytest.fixture(autouse=True)
def process(app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs find the test's application as that of their process."""
    monkeypatch.setattr(jobs, "application", lambda: app)


def ask(platform: Platform, name: str = "default") -> None:
    jobs.queue(platform.queue, name).enqueue("scoring.jobs.correct_key", 0)


def worker(platform: Platform, name: str) -> None:
    jobs.worker_alive(platform.queue, name, clock.now())


@pytest.mark.parametrize("name", ["urgent", "boards", "default"])
def test_a_job_that_went_on_waiting_needs_the_only_worker(platform: Platform, name: str) -> None:
    worker(platform, "worker-1")
    others = Others(platform.queue, 1)
    assert not others.need_me(10.0)
    ask(platform, name)
    assert not others.need_me(10.9), "looked again too early"
    assert not others.need_me(11.0)
    assert others.need_me(12.0)


def test_a_job_that_was_taken_needs_nobody(platform: Platform) -> None:
    worker(platform, "worker-1")
    others = Others(platform.queue, 1)
    ask(platform)
    assert not others.need_me(10.0)
    jobs.queue(platform.queue, "default").empty()
    assert not others.need_me(11.0)
    ask(platform)
    assert not others.need_me(12.0)


def test_beside_another_worker_a_lane_goes_on(platform: Platform) -> None:
    worker(platform, "worker-1")
    worker(platform, "worker-2")
    others = Others(platform.queue, 1)
    ask(platform)
    assert not any(others.need_me(float(second)) for second in range(10, 20))


def test_as_many_lanes_as_workers_stand_aside(platform: Platform) -> None:
    worker(platform, "worker-1")
    worker(platform, "worker-2")
    others = Others(platform.queue, 2)
    ask(platform)
    assert [others.need_me(second) for second in (10.0, 11.0)] == [False, True]


def test_other_lanes_that_wait_are_no_reason(platform: Platform) -> None:
    worker(platform, "worker-1")
    others = Others(platform.queue, 1)
    ask(platform, "drain")
    assert not any(others.need_me(float(second)) for second in range(10, 20))


def season(platform: Platform, card: RoundCard) -> None:
    question = BankQuestion("1", "Câu hỏi?", False, [BankOption("a", "Có"), BankOption("b", "Không")])
    write_bank(platform.gateway.client, card.id, 1, [question] * QUESTIONS)
    write_season(platform.gateway.client, [ContestCard(card.contest_id, "test", "Test", True, [card])])
    platform.season.refresh()


def test_a_lane_stands_aside_and_comes_back_with_the_next_tick(
    platform: Platform, card: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    season(platform, card)
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.0)
    hand_in(platform, card, 1, 1, 2)
    ask(platform)
    began = time.monotonic()
    jobs.drain_lane(0, 1)
    assert time.monotonic() - began < jobs.DRAIN_SECONDS
    assert jobs.queue(platform.queue, "drain").count == 0, "it would be taken before the job it stood aside for"
    assert not platform.queue.exists(jobs.lane_lease(0))
    assert sweeper.backlog(platform.gateway.client, [card]) == {card.id: 0}
    Scheduler(platform).tick(clock.now())
    assert jobs.queue(platform.queue, "drain").count == 1


def test_a_lane_whose_time_is_over_hands_itself_on(
    platform: Platform, card: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    season(platform, card)
    monkeypatch.setattr(jobs, "DRAIN_SECONDS", 0.0)
    jobs.drain_lane(0, 1)
    assert jobs.queue(platform.queue, "drain").count == 1


def test_the_tick_leaves_boards_to_a_lane_that_writes_them(platform: Platform, card: RoundCard) -> None:
    season(platform, card)
    waiting, scheduler = jobs.queue(platform.queue, "boards"), Scheduler(platform)
    boards.mark_dirty(platform.cache, [card.id])
    boards.refresh_dirty(jobs.db.session(), platform.cache, boards.load_tree(jobs.db.session()), clock.now())
    boards.mark_dirty(platform.cache, [card.id])
    scheduler.tick(clock.now())
    assert waiting.count == 0
    platform.cache.delete(boards._WRITTEN)
    scheduler.tick(clock.now())
    assert [job.func_name for job in waiting.jobs] == ["scoring.jobs.refresh_boards"]
    jobs.refresh_boards()
    assert not platform.cache.exists(contract.DIRTY)


def test_of_two_lanes_that_move_a_round_only_one_writes_its_boards(platform: Platform, card: RoundCard) -> None:
    season(platform, card)
    lanes = [jobs._Lane(platform, lane, 2, f"token-{lane}") for lane in (0, 1)]
    boards.mark_dirty(platform.cache, [card.id])
    lanes[0]._write_boards(60.0)
    assert not platform.cache.exists(contract.DIRTY)
    boards.mark_dirty(platform.cache, [card.id])
    lanes[1]._write_boards(60.0)
    assert platform.cache.exists(contract.DIRTY), "the other lane wrote them just now"
    platform.cache.delete(boards._TURN)
    lanes[1]._write_boards(60.0)
    assert not platform.cache.exists(contract.DIRTY)
