"""What a line says, and what no line ever says."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quiz import create_app, logs, observe
from quiz.config import Settings
from quiz.logs import scrub

log = logs.get_logger("tests.logs")


@pytest.fixture
def lines(made_app: Flask, capsys: pytest.CaptureFixture[str]) -> Any:
    """Read what was logged since the last reading; every line has to be one JSON object."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    read()
    return read


def test_a_line_is_json_with_a_name_and_fields(lines: Any) -> None:
    log.warning("round_moved", round=7, by="42")
    (line,) = lines()
    assert {"event": "round_moved", "round": 7, "by": "42", "level": "warning", "logger": "tests.logs"}.items() <= (
        line.items()
    )
    assert line["timestamp"].endswith("Z")
    assert line["process"] == logs.process_name()


def test_a_librarys_sentence_comes_out_alike(lines: Any) -> None:
    logging.getLogger("some.library").warning("could not reach %s", "redis://:s3cret@cache:6379/0")
    (line,) = lines()
    assert (line["logger"], line["event"]) == ("some.library", "could not reach redis://:…@cache:6379/0")


def test_what_happened_in_a_job_names_the_job(lines: Any) -> None:
    token = logs.context.set({"job_id": "j-1", "function": "scoring.jobs.drain_lane"})
    try:
        log.info("batch_stored", entries=3)
    finally:
        logs.context.reset(token)
    (line,) = lines()
    assert (line["job_id"], line["function"], line["entries"]) == ("j-1", "scoring.jobs.drain_lane", 3)


@pytest.mark.parametrize("field", sorted(logs.SECRET_FIELDS))
def test_fields_that_carry_what_people_trust_us_with_are_hidden(lines: Any, field: str) -> None:
    log.info("something", **{field: "sentinel"}, other="seen")
    (line,) = lines()
    assert "sentinel" not in json.dumps(line)
    assert line["other"] == "seen"


@pytest.mark.parametrize(
    "text",
    [
        "0912345678",
        "+84912345678",
        "84912345678",
        "091 234 56 78",
        "+84 91-234-56-78",
        "0912.345.678",
        'DETAIL:  Key (kind, value)=(phone, sentinel) already exists."',
        "DETAIL:  Failing row contains (5, sentinel, null).",
        "[parameters: {'name': 'sentinel'}]",
        "[SQL: INSERT INTO identity VALUES ('sentinel')]",
        "redis://user:sentinel@host/0",
        "1.k1.nAAHzgAB4kACzQu5AZoEABMHAgsDEgkFzwAAAZtpaTBgzwAAAZtpclggwMDAsx_VLbVcS1iZKRfLa5B9uQ",
        "Bearer k1.nAAHzgAB4kACzQu5AZoEABMHAgsDEgkFzwAAAZtpaTBgzwAAAZtpclggwMDAsx",
    ],
)
def test_texts_are_scrubbed(lines: Any, text: str) -> None:
    try:
        raise ValueError(f"it said: {text}")
    except ValueError as error:
        log.error("it_broke", error=error, text=f"before {text} after", exc_info=error)
    (line,) = lines()
    said = json.dumps(line, ensure_ascii=False)
    for secret in ("sentinel", "912345678", "912.345", "234 56", "234-56", "nAAHzgAB4k"):
        assert secret not in said
    assert "ValueError" in line["exception"]


@pytest.mark.parametrize(
    "text",
    ["attempt 2 of participant 1234567", "{r7:s3}:entries 1767661260000-0", "2026-01-05T17:00:00.123Z", "took 0.25 s"],
)
def test_what_operators_need_stays(text: str) -> None:
    assert scrub(text) == text


# Requests


@pytest.fixture
def watched(app: Flask) -> FlaskClient:
    return app.test_client()


def test_a_request_is_one_line_without_its_address(watched: FlaskClient, lines: Any) -> None:
    watched.get("/healthz?phone=0912345678")
    (line,) = lines()
    assert (line["event"], line["method"], line["endpoint"], line["status"]) == ("request", "GET", "ops.alive", 200)
    assert line["ms"] > 0
    assert "0912345678" not in json.dumps(line)
    watched.get("/api/0912345678")
    assert "0912345678" not in json.dumps(lines())


def test_the_id_of_a_proxy_is_kept_if_it_is_sane(watched: FlaskClient, lines: Any) -> None:
    answer = watched.get("/healthz", headers={"X-Request-Id": "0f3a-proxy.77"})
    assert answer.headers["X-Request-Id"] == "0f3a-proxy.77"
    assert lines()[0]["request_id"] == "0f3a-proxy.77"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space in it", 'quote"12345', "năm-trăm-12345"])
def test_any_other_is_replaced(watched: FlaskClient, lines: Any, given: str) -> None:
    answer = watched.get("/healthz", headers={"X-Request-Id": given})
    made = answer.headers["X-Request-Id"]
    assert made != given
    assert 8 <= len(made) <= 64
    assert lines()[0]["request_id"] == made


def test_two_requests_never_share_an_id(watched: FlaskClient) -> None:
    made = {watched.get("/healthz").headers["X-Request-Id"] for _ in range(50)}
    assert len(made) == 50


def test_a_bug_is_told_with_the_requests_id_and_nothing_else(settings: Settings, lines: Any) -> None:
    def broken() -> None:
        raise ValueError("phone 0912345678 is broken")

    app = create_app(settings)
    app.add_url_rule("/api/v1/broken", view_func=broken)
    lines()
    answer = app.test_client().get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    error, request = lines()
    assert (error["event"], error["level"]) == ("internal_error", "error")
    assert "ValueError: phone … is broken" in error["exception"]
    assert error["request_id"] == request["request_id"] == answer.headers["X-Request-Id"]
    assert (request["level"], request["status"]) == ("error", 500)
    assert "0912345678" not in answer.text


def test_lines_are_held_until_the_beat(app: Flask, watched: FlaskClient, lines: Any) -> None:
    observe.access_log.held = True
    try:
        for _ in range(3):
            watched.get("/healthz")
        assert lines() == []
        observe.access_log.flush()
        assert [line["endpoint"] for line in lines()] == ["ops.alive"] * 3
        for _ in range(observe.access_log.LIMIT):
            observe.access_log.add("id", "GET", "x", 200, 0.001)
        assert len(lines()) == observe.access_log.LIMIT
    finally:
        observe.access_log.held = False


def test_a_quieter_level_keeps_the_lines_of_failures(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe.access_log, "level", logging.WARNING)
    observe.access_log.add("id", "GET", "x", 200, 0.001)
    observe.access_log.add("id", "GET", "x", 500, 0.001)
    assert [line["status"] for line in lines()] == [500]
