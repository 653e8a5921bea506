"""A contest of three rounds, one over, one open, one to come; a clock that stands; people who call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quiz import clock
from quiz.extensions import Platform, db
from quiz.services import season
from scoring import boards
from scoring.drain import Drain
from tests import seasons

NOW = seasons.OPENS + seasons.WEEK + timedelta(hours=1)
PREDICTION = {"kind": "all_correct", "text": "Bao nhiêu người đúng hết?", "min": 0, "max": 1_000_000}
PASSWORD = "mùa xuân 1946"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The time of the server, moved by the test."""
    hand = Clock()
    monkeypatch.setattr(clock, "now", lambda: hand.now)
    return hand


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@dataclass
class World:
    platform: Platform
    at: Clock
    rounds: dict[int, Any] = field(default_factory=dict)

    def prime(self) -> None:
        season.prime_all(db.session(), self.platform.gateway.client, self.at.now)
        db.session.commit()
        self.platform.season.forget()

    def drain(self) -> int:
        """Everything in the streams into the tables, and the boards after it."""
        cards = list(self.platform.season.refresh().rounds.values())
        runner = Drain(db.engine, self.platform.gateway.client, "test")
        stored = 0
        while (result := runner.turn(cards, 0, 1, block_ms=1)).read:
            stored += result.inserted
            boards.mark_dirty(self.platform.cache, result.rounds)
        self.write_boards()
        return stored

    def write_boards(self) -> None:
        boards.rebuild_all(db.session(), self.platform.cache, self.at.now)
        db.session.commit()
        self.platform.boards.forget()


RULES: dict[str, Any] = {"prediction": PREDICTION}


@pytest.fixture
def world(platform: Platform, at: Clock) -> World:
    session = db.session()
    contest = seasons.contest(session)
    made = {n: seasons.scheduled_round(session, contest, n, rules=RULES) for n in (1, 2, 3)}
    session.commit()
    held = World(platform, at, made)
    held.prime()
    return held


class Caller:
    """Somebody with a client and, once registered, a token."""

    def __init__(self, client: FlaskClient, number: int) -> None:
        self.client = client
        self.phone = f"09{number:08d}"
        self.token = ""

    def register(self, **changes: Any) -> TestResponse:
        body = {
            "phone": self.phone,
            "password": PASSWORD,
            "full_name": "Nguyễn Thị Hoa",
            "unit_code": "00004",
            "consent": True,
            **changes,
        }
        response = self.client.post("/api/v1/participants", json=body)
        if response.status_code == 201:
            self.token = response.json["token"]
        return response

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers={**self.headers, **more.pop("headers", {})}, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body if body is not None else {}, headers=self.headers, **more)

    def put(self, path: str, body: Any) -> TestResponse:
        return self.client.put(f"/api/v1{path}", json=body, headers=self.headers)

    def start(self, number: int = 2) -> dict[str, Any]:
        response = self.post(f"/rounds/{number}/papers")
        assert response.status_code in (200, 201), response.text
        paper: dict[str, Any] = response.json
        return paper

    def hand_in(
        self, paper: dict[str, Any], answers: dict[str, list[str]] | None = None, **more: Any
    ) -> dict[str, Any]:
        body = {"paper": paper["paper"], "answers": first_options(paper) if answers is None else answers, **more}
        response = self.post("/entries", body)
        assert response.status_code in (200, 202), response.text
        receipt: dict[str, Any] = response.json
        return receipt


def first_options(paper: dict[str, Any]) -> dict[str, list[str]]:
    """The first option as shown, for every question."""
    return {question["id"]: [question["options"][0]["id"]] for question in paper["questions"]}


@pytest.fixture
def hoa(client: FlaskClient, world: World) -> Caller:
    """A registered participant of Phường Ba Đình, Hà Nội."""
    caller = Caller(client, 12_345_678)
    assert caller.register().status_code == 201
    return caller


@pytest.fixture
def nam(client: FlaskClient, world: World) -> Caller:
    """Another one, of the same commune."""
    caller = Caller(client, 87_654_321)
    assert caller.register(full_name="Trần Văn Nam").status_code == 201
    return caller


@pytest.fixture
def anybody(client: FlaskClient, world: World) -> Caller:
    """Somebody who is not signed in."""
    return Caller(client, 55_555_555)


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Assert a refusal in the form of the contract and return it."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    problem: dict[str, Any] = response.json
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    if status in (429, 503):
        assert int(response.headers["Retry-After"]) >= 1
    return problem
