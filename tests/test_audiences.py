"""Every endpoint has a declared audience, and whoever is not of it is kept out: all of them are walked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from quiz import audiences, create_app
from quiz.audiences import AUDIENCES, Audience
from quiz.config import Settings
from quiz.extensions import Platform, db
from quiz.services import accounts
from quiz.services.passwords import hash_password
from scoring import boards
from tests import seasons, staffing

HOME, ELSEWHERE = "40", "01"
PHONES = {
    "participant": "0912000010",
    "officer": "0912000011",
    "officer of another province": "0912000012",
    "organizer": "0912000013",
    "administrator": "0912000014",
}
VISITORS = ("anonymous", *PHONES)
STAFF = {"officer": "officer", "officer of another province": "officer", "organizer": "organizer"} | {
    "administrator": "administrator"
}
# Of one person, of one province: the officer of another one must not even learn that it exists.
SCOPED = {"organizer.person"}


@dataclass
class World:
    app: Flask
    cookies: dict[str, str]
    person: int
    """A participant of the officer's own province."""

    def ask(self, visitor: str, method: str, path: str) -> TestResponse:
        """As a fresh browser with nothing but the visitor's cookie: a sign-out on the way ends nobody's walk."""
        g.pop("_login_user", None)
        browser = self.app.test_client()
        if cookie := self.cookies.get(visitor):
            browser.set_cookie("session", cookie)
        return browser.open(path, method=method)

    def path(self, rule: Rule) -> str:
        samples = {"number": 1, "slug": "cuoc-thi", "receipt": "R0", "seen": "x", "name": "x", "filename": "x"}
        values = samples | {"user_id": self.person, "code": HOME, "question_id": 1}
        values |= {"announcement_id": 1, "signal_id": 1, "appeal_id": 1, "template_id": 1}
        values |= {"list_id": 1, "award_id": 1, "lot_id": 1}
        missing = rule.arguments - values.keys()
        assert not missing, f"give {rule.endpoint} a sample of {missing} here"
        with self.app.test_request_context():
            return str(rule.build({name: values[name] for name in rule.arguments})[1])  # type: ignore[index]


def cookie_of(browser: FlaskClient) -> str:
    held = browser.get_cookie("session")
    assert held is not None
    return held.value


@pytest.fixture
def world(app: Flask, platform: Platform) -> World:
    contest = seasons.contest(db.session())
    seasons.published(db.session(), platform.gateway.client, seasons.scheduled_round(db.session(), contest))
    boards.rebuild_all(db.session(), platform.cache, seasons.OPENS)
    unit = accounts.units.get(db.session(), HOME)
    person = accounts.add_user(
        db.session(),
        seasons.OPENS,
        full_name="Nguyễn Thị Lan",
        phone="+84912000010",
        unit_id=unit.id,
        password_hash=hash_password(staffing.PASSWORD),
    )
    person_id = person.id
    db.session.commit()
    browser = app.test_client()
    browser.post("/sign-in", data={"phone": PHONES["participant"], "password": staffing.PASSWORD})
    cookies = {"participant": cookie_of(browser)}
    for visitor, role in STAFF.items():
        unit_code = (ELSEWHERE if "another" in visitor else HOME) if role == "officer" else None
        staffing.make(role, PHONES[visitor], unit_code, visitor)
        g.pop("_login_user", None)
        browser = app.test_client()
        staffing.enter(browser, PHONES[visitor])
        cookies[visitor] = cookie_of(browser)
    return World(app, cookies, person_id)


def calls(app: Flask) -> Iterator[tuple[Rule, str]]:
    # What ends all sessions of its caller comes last, or the rest would be walked by nobody.
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint == "account.sign_out_everywhere"):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def kept_out(answer: TestResponse) -> bool:
    to_the_door = answer.status_code in {302, 303} and "/sign-in" in answer.headers["Location"]
    return to_the_door or answer.status_code in {401, 403}


def test_every_endpoint_has_its_line_and_every_line_its_endpoint(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(AUDIENCES)


def test_nobody_gets_where_they_do_not_belong(world: World) -> None:
    wrong = []
    for rule, method in calls(world.app):
        for visitor in VISITORS:
            answer = world.ask(visitor, method, world.path(rule))
            if complaint := complaint_about(rule.endpoint, visitor, answer):
                wrong.append(f"{method} {rule.rule} as {visitor}: {answer.status_code}, {complaint}")
    assert not wrong, "\n".join(wrong)


def complaint_about(endpoint: str, visitor: str, answer: TestResponse) -> str | None:  # noqa: PLR0911 - a table
    audience, out = AUDIENCES[endpoint], kept_out(answer)
    if answer.status_code >= 500 and endpoint != "ops.ready":
        return "broken"
    if audience is Audience.BEARER:
        return None if answer.status_code == 401 else "a cookie opens the API"
    if audience is Audience.PERSON:
        return "let in" if visitor == "anonymous" and not out and answer.status_code < 400 else None
    if audience is Audience.EVERYBODY:
        return "kept out" if answer.status_code == 403 else None
    if STAFF.get(visitor) not in audiences.ROLES[audience]:
        return None if out else "let in"
    if endpoint in SCOPED and visitor == "officer of another province":
        return None if answer.status_code == 404 else "sees another province"
    return "kept out" if out else None


def test_the_walk_would_find_an_open_door(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = next(rule for rule in world.app.url_map.iter_rules() if rule.endpoint == "organizer.log")
    assert complaint_about(rule.endpoint, "participant", world.ask("participant", "GET", world.path(rule))) is None
    monkeypatch.setitem(audiences.ROLES, Audience.ORGANIZER, frozenset({"officer"}))  # type: ignore[arg-type]
    answer = world.ask("officer", "GET", world.path(rule))
    monkeypatch.undo()
    assert complaint_about(rule.endpoint, "officer", answer) == "let in"


def test_an_endpoint_that_nobody_declared_is_closed(settings: Settings) -> None:
    app = create_app(settings)
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert app.test_client().get("/forgotten").status_code == 403


def test_an_officer_finds_people_of_the_own_province_only(world: World) -> None:
    def found(visitor: str, query: str) -> bool:
        return "Nguyễn Thị Lan" in world.ask(visitor, "GET", f"/staff/users?q={query}").get_data(as_text=True)

    for query in ("", "nguyen lan", "0912000010"):
        assert found("officer", query)
        assert found("organizer", query)
        assert not found("officer of another province", query)
    # Nor any of the staff, wherever they are.
    assert "administrator" not in world.ask("officer", "GET", "/staff/users?group=staff").get_data(as_text=True)
