"""The waiting page: in front of signing in, signing up and the first start, in front of nothing else, with a place
that a reload keeps; with and without scripts, which it does not need."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from quiz.door.load import Door
from quiz.extensions import Platform
from quiz.intake import line
from tests.browser import stage as staging
from tests.browser.stage import Stage
from tests.door.conftest import Hand, step, until_called

START = f"/rounds/{staging.OPEN}/start"


class Browser(FlaskClient):
    def open(self, *args: Any, **kwargs: Any) -> Any:
        g.pop("_login_user", None)
        return super().open(*args, **kwargs)


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staging.build(app)


@pytest.fixture
def client(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(app, "test_client_class", Browser)
    return app.test_client()


@pytest.fixture
def lan(client: FlaskClient, stage: Stage, platform: Platform) -> FlaskClient:
    """A browser in which Nguyễn Thị Lan was signed in before the crowd came."""
    staging.person(stage)
    assert client.post("/sign-in", data={"phone": staging.PHONE, "password": staging.PASSWORD}).status_code == 303
    return client


def place(answer: TestResponse) -> int:
    found = re.search(r'class="figure number">([\d.,]+)<', answer.text)
    assert found, answer.text
    return int(re.sub(r"\D", "", found[1]))


def crowd(platform: Platform, count: int) -> None:
    for _ in range(count):
        line.take(platform.gateway, 1)


@pytest.mark.parametrize("path", ["/sign-in", "/register", "/sign-in?next=/rounds"])
def test_it_stands_before_the_forms(client: FlaskClient, stage: Stage, door: Door, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 429
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Bạn đang ở vị trí" in answer.text
    assert re.search(r'<meta http-equiv="refresh" content="\d+">', answer.text)
    assert "<form" not in answer.text


def test_a_reload_keeps_the_place(client: FlaskClient, stage: Stage, platform: Platform, door: Door) -> None:
    crowd(platform, 1_233)
    first = client.get("/sign-in")
    assert "1.234" in first.text
    crowd(platform, 50)
    assert [place(client.get(path)) for path in ("/sign-in", "/register", "/waiting?to=/")] == [1_234] * 3


def test_the_place_moves_up(client: FlaskClient, stage: Stage, platform: Platform, door: Door, hand: Hand) -> None:
    crowd(platform, 20)
    assert place(client.get("/sign-in")) == 21
    step(door, hand)
    step(door, hand)
    assert place(client.get("/sign-in")) == 21 - door.standing.called < 21


def test_who_is_called_comes_in_while_others_wait(
    client: FlaskClient, app: Flask, stage: Stage, platform: Platform, door: Door, hand: Hand
) -> None:
    client.get("/sign-in")
    until_called(door, hand)
    crowd(platform, 100)
    step(door, hand, late=2.0)
    other = app.test_client()
    assert other.get("/sign-in").status_code == 429
    assert client.get("/sign-in").status_code == 200
    staging.person(stage)
    assert client.post("/sign-in", data={"phone": staging.PHONE, "password": staging.PASSWORD}).status_code == 303
    assert client.post(START).headers["Location"] == "/paper"


def test_what_was_typed_is_taken_though_the_door_has_shut(client: FlaskClient, stage: Stage, door: Door) -> None:
    staging.person(stage)
    answer = client.post("/sign-in", data={"phone": staging.PHONE, "password": staging.PASSWORD})
    assert answer.headers["Location"] == "/"


def test_a_first_start_waits_and_comes_back_to_the_button(lan: FlaskClient, door: Door, hand: Hand) -> None:
    answer = lan.post(START)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/waiting?to=/")
    waiting = lan.get("/waiting?to=/")
    assert (waiting.status_code, place(waiting)) == (200, 1)
    until_called(door, hand)
    assert lan.get("/waiting?to=/").headers["Location"] == "/"
    assert lan.post(START).headers["Location"] == "/paper"


def test_a_repeated_start_and_the_paper_never_wait(lan: FlaskClient, door: Door, hand: Hand) -> None:
    lan.post(START)
    until_called(door, hand)
    lan.post(START)
    lan.delete_cookie("ticket")
    hand.now += 10
    assert not door.lets_in()
    assert lan.post(START).headers["Location"] == "/paper"
    sheet = lan.get("/paper")
    assert sheet.status_code == 200
    token = re.search(r'name="paper" value="([^"]+)"', sheet.text)
    assert token
    assert lan.post("/paper", data={"paper": token[1], "keep": "1"}).headers["Location"] == "/paper"
    handed = lan.post("/paper", data={"paper": token[1]})
    assert handed.status_code == 303
    assert handed.headers["Location"].startswith("/entries/")


@pytest.mark.parametrize("path", ["/", "/rounds", "/boards", "/staff/sign-in", "/healthz", "/metrics", "/now"])
def test_nothing_else_waits(client: FlaskClient, stage: Stage, door: Door, path: str) -> None:
    assert client.get(path).status_code in (200, 204)


def test_a_forged_ticket_is_none(client: FlaskClient, stage: Stage, platform: Platform, door: Door) -> None:
    crowd(platform, 9)
    client.set_cookie("ticket", "k1.kgEAAKJ2aQ")
    assert place(client.get("/sign-in")) == 10


def test_it_speaks_the_readers_language_and_can_be_told_to(client: FlaskClient, stage: Stage, door: Door) -> None:
    assert "Your place in the line" in client.get("/sign-in", headers={"Accept-Language": "en"}).text
    again = client.get("/waiting?to=/register&language=vi")
    assert "Bạn đang ở vị trí" in again.text
    assert place(again) == 1
    assert "language=en" in again.text
    assert 'href="/waiting?to=/register&amp;language=en"' in client.get("/waiting?to=/register").text
    client.set_cookie("theme", "dark")
    assert '<html lang="vi" data-theme="dark">' in client.get("/waiting").text


def test_an_address_can_put_nothing_into_the_page(client: FlaskClient, stage: Stage, door: Door) -> None:
    answer = client.get('/sign-in?next="><script>alert(1)</script>')
    assert "<script>alert" not in answer.text
    assert "evil.example" not in client.get("/waiting?to=//evil.example/").text


def test_when_the_door_is_open_the_waiting_page_leads_on(client: FlaskClient, stage: Stage) -> None:
    assert client.get("/waiting?to=/rounds").headers["Location"] == "/rounds"
    assert client.get("/waiting?to=//evil.example").headers["Location"] == "/"


def test_the_figures_say_who_waits_and_who_was_let_in(
    client: FlaskClient, stage: Stage, platform: Platform, door: Door, hand: Hand
) -> None:
    def figure(name: str) -> float:
        text = client.get("/metrics").text
        return sum(float(row.rpartition(" ")[2]) for row in text.splitlines() if re.match(rf"{name}(?:{{| )", row))

    tickets, let_in = figure("quiz80_waiting_tickets_total"), figure("quiz80_waiting_let_in_total")
    client.get("/sign-in")
    assert figure("quiz80_waiting_tickets_total") == tickets + 1
    assert figure("quiz80_waiting") == 1
    until_called(door, hand)
    client.get("/sign-in")
    assert figure("quiz80_waiting") == 0
    assert figure("quiz80_waiting_let_in_total") == let_in + (not door.lets_in())
