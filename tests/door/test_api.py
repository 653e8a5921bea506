"""The door before the API: a problem+json with a ticket, and never before handing in, drafts or a repeated start."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quiz.door.load import Door
from quiz.intake import line
from quiz.intake.errors import IntakeUnavailable
from quiz.intake.gateway import Gateway
from tests.api.conftest import PASSWORD, Caller, World, at, hoa, world
from tests.door.conftest import Hand, step, until_called

__all__ = ["at", "hoa", "world"]


def waiting(answer: TestResponse, language: str = "vi") -> dict[str, Any]:
    """The place that an answer gives; everything about its form is checked."""
    assert answer.status_code == 429, answer.text
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.json
    assert (body["status"], body["code"]) == (429, "too_many_requests")
    assert body["title"] == {"vi": "Xin chờ một chút", "en": "Please wait a moment"}[language]
    assert body["waiting"]["ticket"] == answer.headers["X-Waiting-Ticket"]
    assert int(answer.headers["Retry-After"]) >= 1
    place: dict[str, Any] = body["waiting"]
    return place


def again(caller: Caller, path: str, body: Any, ticket: str) -> TestResponse:
    headers = {**caller.headers, "X-Waiting-Ticket": ticket}
    return caller.client.post(f"/api/v1{path}", json=body, headers=headers)


def test_signing_up_and_in_wait_and_then_come_in(client: FlaskClient, world: World, door: Door, hand: Hand) -> None:
    caller = Caller(client, 12_345_678)
    form = {
        "phone": caller.phone,
        "password": PASSWORD,
        "full_name": "Nguyễn Thị Hoa",
        "unit_code": "00004",
        "consent": True,
    }
    place = waiting(caller.post("/participants", form))
    assert place["position"] == 1
    assert waiting(again(caller, "/participants", form, place["ticket"]))["position"] == 1
    until_called(door, hand)
    for _ in range(100):
        line.take(world.platform.gateway, 1)
    step(door, hand, late=2.0)
    made = again(caller, "/participants", form, place["ticket"])
    assert made.status_code == 201
    caller.token = made.json["token"]
    # One ticket is good for the whole way in.
    signed = again(caller, "/tokens", {"phone": caller.phone, "password": PASSWORD}, place["ticket"])
    assert signed.status_code == 200
    assert again(caller, "/rounds/2/papers", {}, place["ticket"]).status_code == 201
    assert waiting(caller.post("/tokens", {}))["position"] > 1


def test_a_first_start_waits(hoa: Caller, door: Door, hand: Hand) -> None:
    place = waiting(hoa.post("/rounds/2/papers"))
    assert waiting(hoa.post("/contests/cuoc-thi/rounds/2/papers"))["position"] == 2
    until_called(door, hand)
    assert again(hoa, "/rounds/2/papers", {}, place["ticket"]).status_code == 201


def test_who_has_a_paper_is_never_told_to_wait(hoa: Caller, door: Door, hand: Hand, world: World) -> None:
    place = waiting(hoa.post("/rounds/2/papers"))
    until_called(door, hand)
    paper = again(hoa, "/rounds/2/papers", {}, place["ticket"]).json
    hand.now += 10
    assert not door.lets_in()
    assert hoa.post("/rounds/2/papers").status_code == 200
    sheet = {"paper": paper["paper"], "answers": {}}
    assert hoa.put("/papers/draft", {**sheet, "seq": 1}).status_code == 204
    assert hoa.post("/entries", sheet).status_code == 202
    assert hoa.post("/entries", sheet).status_code == 200
    assert hoa.get("/me").status_code == 200
    assert waiting(hoa.post("/rounds/2/papers"))["position"] == 1


@pytest.mark.parametrize(
    ("path", "status"), [("/rounds/1/papers", 403), ("/rounds/3/papers", 403), ("/rounds/99/papers", 404)]
)
def test_what_will_be_refused_is_refused_at_once(hoa: Caller, door: Door, path: str, status: int) -> None:
    assert hoa.post(path).status_code == status


def test_nobody_waits_to_be_told_that_the_attempts_are_used_up(hoa: Caller, shut: Callable[[], Door]) -> None:
    for _ in range(7):
        hoa.hand_in(hoa.start())
    shut()
    assert hoa.post("/rounds/2/papers").status_code == 409


def test_a_caller_whom_nobody_knows_is_told_to_sign_in(client: FlaskClient, world: World, door: Door) -> None:
    assert Caller(client, 1).post("/rounds/2/papers").status_code == 401


def test_it_answers_in_the_callers_language(client: FlaskClient, world: World, door: Door) -> None:
    answer = client.post("/api/v1/tokens", json={}, headers={"Accept-Language": "en-GB,en;q=0.9"})
    waiting(answer, "en")


def test_a_ticket_of_yesterday_is_none(hoa: Caller, door: Door, world: World) -> None:
    place = waiting(hoa.post("/rounds/2/papers"))
    world.at.forward(hours=7)
    assert waiting(again(hoa, "/rounds/2/papers", {}, place["ticket"]))["position"] == 2


def test_without_intake_its_own_refusal_is_the_answer(hoa: Caller, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise IntakeUnavailable("away")

    monkeypatch.setattr(Gateway, "call", away)
    answer = hoa.post("/rounds/2/papers")
    assert (answer.status_code, answer.json["code"]) == (503, "intake_unavailable")


@pytest.mark.parametrize(("headers", "ends"), [({}, True), ({"X-Forwarded-For": "10.0.0.7"}, False)])
def test_who_waits_keeps_no_connection_but_a_proxy_does(
    client: FlaskClient, world: World, door: Door, headers: dict[str, str], ends: bool
) -> None:
    phone, held = socket.socketpair()
    with phone, held:
        phone.sendall(b"another request")
        answer = client.post(
            "/api/v1/tokens", json={}, headers=headers, environ_overrides={"gunicorn.socket": held}, buffered=True
        )
        waiting(answer)
        answer.close()
        assert held.recv(100) == b"another request"
        held.setblocking(False)
        if ends:
            assert held.recv(100) == b""
        else:
            with pytest.raises(BlockingIOError):
                held.recv(100)
