"""Alive, ready, figures: what an operator and a balancer see, whatever part is away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from sqlalchemy import text

from quiz import clock, create_app, metrics
from quiz.blueprints import ops
from quiz.clock import to_ms
from quiz.config import Settings
from quiz.extensions import Platform, db
from quiz.intake import calls, keys
from quiz.intake.calls import Starter
from quiz.intake.season import RoundCard
from quiz.metrics import Latency, Requests, Snapshot
from tests.making import MINUTE, card, open_round

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def open_card(redis: Redis) -> RoundCard:
    """A round that is open now."""
    now = to_ms(clock.now())
    opens, closes = now - MINUTE, now + 60 * MINUTE
    return open_round(redis, card(opens=opens, closes=closes, windows=[(opens, closes)], scheduled=opens - MINUTE))


def figures(client: FlaskClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Name and labels (without the process) → value; a figure of several processes is their sum."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "process"))
            found[sample.name, labels] = found.get((sample.name, labels), 0) + sample.value
    return found


def test_alive_asks_nobody(settings: Settings) -> None:
    app = create_app(replace(settings, database_url="postgresql+psycopg://127.0.0.1:1/x", intake_redis_url=NOWHERE))
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


# Ready


def test_ready_when_a_paper_could_be_handed_out_now(client: FlaskClient, open_card: RoundCard) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"ready": True, "checks": {"intake": "ok", "clock": "ok", "banks": "ok"}},
    )
    assert answer.headers["Cache-Control"] == "no-store"


def checks(client: FlaskClient, path: str = "/readyz") -> dict[str, str]:
    """What is wrong; the answer has to be 503."""
    answer = client.get(path)
    assert answer.json is not None
    assert (answer.status_code, answer.json["ready"]) == (503, False)
    return {name: found for name, found in answer.json["checks"].items() if found != "ok"}


def test_not_ready_before_intake_was_primed(client: FlaskClient) -> None:
    assert checks(client) == {"intake": "not primed", "banks": "not primed"}


def test_not_ready_when_a_shard_lost_its_window(client: FlaskClient, redis: Redis, open_card: RoundCard) -> None:
    redis.delete(keys.config(open_card.id, 3))
    assert checks(client) == {"intake": "not primed"}


def test_not_ready_without_the_bank_of_an_open_round(client: FlaskClient, redis: Redis, open_card: RoundCard) -> None:
    redis.delete(keys.bank(open_card.id, 1))
    assert set(checks(client)) == {"intake", "banks"}


def test_not_ready_while_intake_is_away(settings: Settings) -> None:
    client = create_app(replace(settings, intake_redis_url=NOWHERE)).test_client()
    assert set(checks(client).values()) == {"intake does not answer"}


@pytest.mark.parametrize(
    ("off", "fine"), [(-600, False), (-400, True), (0, True), (400, True), (600, False), (3_600_000, False)]
)
def test_a_clock_off_by_more_than_half_a_second_is_not_ready(
    client: FlaskClient, open_card: RoundCard, monkeypatch: pytest.MonkeyPatch, off: int, fine: bool
) -> None:
    now = clock.now
    monkeypatch.setattr(ops.clock, "now", lambda: now() + timedelta(milliseconds=off))
    answer = client.get("/readyz")
    assert answer.json is not None
    assert (answer.json["checks"]["clock"] == "ok") is fine
    assert (answer.status_code == 200) is (answer.json["checks"] == {"intake": "ok", "clock": "ok", "banks": "ok"})
    if not fine:
        assert answer.status_code == 503
        assert answer.json["checks"]["clock"].startswith("off by ")


def seen(redis: Redis, seconds_ago: float) -> None:
    redis.set("quiz80:worker:worker-1", (clock.now() - timedelta(seconds=seconds_ago)).isoformat(), ex=15)


def test_fully_ready_with_database_schema_and_a_worker(client: FlaskClient, redis: Redis, open_card: RoundCard) -> None:
    seen(redis, 9)
    answer = client.get("/readyz?full=1")
    assert answer.status_code == 200, answer.json
    assert answer.json is not None
    assert list(answer.json["checks"]) == ["intake", "clock", "banks", "database", "migrations", "worker"]


@pytest.mark.parametrize("seconds_ago", [None, 11])
def test_not_fully_ready_without_a_worker(
    client: FlaskClient, redis: Redis, open_card: RoundCard, seconds_ago: float | None
) -> None:
    if seconds_ago is not None:
        seen(redis, seconds_ago)
    assert checks(client, "/readyz?full=1") == {"worker": "none seen in the last 10 s"}
    assert client.get("/readyz").status_code == 200


def test_not_fully_ready_on_another_schema(
    client: FlaskClient, redis: Redis, open_card: RoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(redis, 1)
    monkeypatch.setattr(ops, "migrations_head", lambda: "9999")
    revision = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    assert checks(client, "/readyz?full=1") == {"migrations": f"at {revision}, the code is at 9999"}


def test_without_the_database_answers_are_taken_all_the_same(
    settings: Settings, redis: Redis, open_card: RoundCard
) -> None:
    seen(redis, 1)
    away = create_app(replace(settings, database_url="postgresql+psycopg://127.0.0.1:1/x"))
    client = away.test_client()
    assert client.get("/readyz").status_code == 200
    assert set(checks(client, "/readyz?full=1")) == {"database", "migrations"}


# Figures


@pytest.fixture
def taken(platform: Platform, open_card: RoundCard) -> Callable[[], None]:
    """Start a paper, keep a draft, hand it in twice."""

    def take() -> None:
        now = to_ms(clock.now())
        who = Starter(participant=5, unit=31, auth_epoch=0)
        season = platform.season.get()
        for _ in range(2):
            started = calls.start(platform.gateway, platform.signer, 0, season, open_card, who, now)
        signed = platform.signer.verify_paper(started.token)
        calls.keep_draft(platform.gateway, open_card, signed, [0] * 10, None, 1, now)
        for _ in range(2):
            calls.hand_in(platform.gateway, platform.signer, open_card, signed, [1] * 10, None, now)

    return take


def test_what_intake_did_is_counted(client: FlaskClient, taken: Callable[[], None]) -> None:
    before = figures(client)
    taken()
    after = figures(client)
    for name in (
        "quiz80_attempts_started_total",
        "quiz80_papers_again_total",
        "quiz80_drafts_total",
        "quiz80_receipts_again_total",
    ):
        assert after[name, ()] == before[name, ()] + 1
    by_person = ("quiz80_entries_accepted_total", (("by", "person"),))
    assert after[by_person] == before[by_person] + 1


def test_what_waits_and_how_long_is_shown(
    client: FlaskClient, redis: Redis, open_card: RoundCard, taken: Callable[[], None]
) -> None:
    of_round = (("number", "3"), ("round", "7"))
    quiet = figures(client)
    assert quiet["quiz80_backlog_entries", of_round] == 0
    assert quiet["quiz80_oldest_undrained_seconds", of_round] == 0
    taken()
    redis.xadd(keys.entries(7, 0), {"e": b"?"}, id=f"{to_ms(clock.now()) - 90_000}-0")
    redis.xadd(keys.DEAD_LETTERS, {"e": b"?"})
    redis.hincrby(keys.DRAINED, "worker-1", 12)
    waiting = figures(client)
    assert waiting["quiz80_backlog_entries", of_round] == 2
    assert 90 <= waiting["quiz80_oldest_undrained_seconds", of_round] < 100
    assert waiting["quiz80_dead_letters", ()] == 1
    assert waiting["quiz80_entries_drained_total", ()] == 12


def test_refusals_are_counted_by_code(app: Flask, client: FlaskClient) -> None:
    before = figures(client)
    client.get("/api/v1/nothing-here")
    client.get("/api/v1/nothing-here")
    after = figures(client)
    not_found = ("quiz80_refused_total", (("code", "not_found"),))
    assert after[not_found] == before.get(not_found, 0) + 2


def test_requests_are_counted_and_timed_by_endpoint(client: FlaskClient) -> None:
    before = figures(client)
    for _ in range(3):
        client.get("/healthz")
    after = figures(client)
    alive = ("quiz80_requests_total", (("endpoint", "ops.alive"), ("status", "200")))
    assert after[alive] == before.get(alive, 0) + 3
    endless = ("quiz80_request_seconds_bucket", (("endpoint", "ops.alive"), ("le", "+Inf")))
    assert after[endless] == after["quiz80_request_seconds_count", (("endpoint", "ops.alive"),)]
    assert after[endless] == before.get(endless, 0) + 3


def test_a_latency_falls_into_its_bucket() -> None:
    latency = Latency()
    for seconds in (0.0, 0.002, 0.0021, 0.3, 99.0):
        latency.add(200, seconds)
    assert latency.buckets == [2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_all_live_processes_are_on_one_page(client: FlaskClient, redis: Redis) -> None:
    other = Snapshot(
        process="scheduler",
        since=1.0,
        intake={"accepted_deadline": 41, "lapsed": 2},
        refused={},
        requests=[Requests("ops.alive", {200: 4}, [4, *[0] * 11], 0.004)],
        cpu_seconds=1.5,
        memory_bytes=1_000,
    )
    redis.set("quiz80:metrics:scheduler", metrics._encoder.encode(other), px=5_000)
    page = client.get("/metrics").text
    assert 'quiz80_entries_accepted_total{by="deadline",process="scheduler"} 41.0' in page
    assert 'quiz80_process_cpu_seconds_total{process="scheduler"} 1.5' in page
    # The one who answers is there too, with what it counted until this moment, and once.
    assert page.count('quiz80_process_cpu_seconds_total{process="web-') == 1
    metrics.publish(redis, metrics.snapshot("x").process)
    redis.delete("quiz80:metrics:scheduler")
    assert 'process="scheduler"' not in client.get("/metrics").text


def test_a_snapshot_expires_with_its_process(redis: Redis) -> None:
    metrics.publish(redis, "web-1")
    assert [snapshot.process for snapshot in metrics.published(redis)] == ["web-1"]
    assert 0 < redis.pttl("quiz80:metrics:web-1") <= metrics.EXPIRES_MS


def test_a_beat_publishes_and_says_good_bye(redis: Redis) -> None:
    beaten: list[int] = []
    beat = metrics.Beat([lambda: beaten.append(1), lambda: metrics.publish(redis, "worker-1")])
    beat.start()
    beat.stop()
    assert beaten
    assert redis.exists("quiz80:metrics:worker-1")


def test_the_page_comes_while_every_redis_is_away(settings: Settings) -> None:
    away = replace(settings, intake_redis_url=NOWHERE, queue_redis_url=NOWHERE, cache_redis_url=NOWHERE)
    found = figures(create_app(away).test_client())
    assert {labels: value for (name, labels), value in found.items() if name == "quiz80_redis_up"} == {
        (("role", "intake"),): 0,
        (("role", "queue"),): 0,
        (("role", "cache"),): 0,
    }
    assert ("quiz80_attempts_started_total", ()) in found


def test_counting_costs_less_than_a_microsecond_each() -> None:
    """On the hot path; generous for a busy machine, and far from what a lock or a label look-up would cost."""
    import timeit

    def cost(act: Callable[[], Any]) -> float:
        return min(timeit.repeat(act, number=10_000, repeat=5)) / 10_000

    assert cost(lambda: metrics.refused("test_only")) < 2e-6
    assert cost(lambda: metrics.served("test_only", 200, 0.01)) < 3e-6
