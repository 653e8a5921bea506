"""Finding people, and what may be done to an account by whom; every act stands in the log."""

from __future__ import annotations

import re

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake import calls
from quiz.models import AuditEvent, Contest, User
from quiz.services import accounts, people, staff, units
from quiz.services.passwords import hash_password
from quiz.services.staff import Staff
from tests import staffing

PHONE = "0987654321"


@pytest.fixture
def person(organizer: FlaskClient) -> User:
    user = accounts.add_user(
        db.session(),
        clock.now(),
        full_name="Đặng Thị Mỹ Hạnh",
        phone="+84987654321",
        unit_id=units.get(db.session(), "40").id,
        password_hash=hash_password(staffing.PASSWORD),
    )
    db.session.commit()
    return user


@pytest.fixture
def administrator(app: Flask) -> FlaskClient:
    staffing.make("administrator", "0912000009", name="Phạm Quang Huy")
    browser = app.test_client()
    staffing.enter(browser, "0912000009")
    return browser


def listed(browser: FlaskClient, **query: str) -> str:
    answer = browser.get("/staff/users", query_string=query)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def act(browser: FlaskClient, user_id: int, name: str, reason: str = "Đã rõ") -> int:
    return browser.post(f"/staff/users/{user_id}/{name}", data={"reason": reason}).status_code


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("user."))))


@pytest.mark.parametrize(
    "typed", ["dang thi my hanh", "Đặng Thị Mỹ Hạnh", "hạnh đặng", "HANH", "my ha", "0987 654 321", "+84987654321"]
)
@pytest.mark.parametrize("few", [0, 2_000], ids=["of many", "of few"])
def test_a_person_is_found_as_people_type(
    organizer: FlaskClient, person: User, typed: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "FEW", few)
    assert person.full_name in listed(organizer, q=typed)


@pytest.mark.parametrize("typed", ["dang hanh lan", "0987654", "987", "anh", "' OR 1=1 --", "a:* & !b | (", "%"])
def test_what_does_not_fit_finds_nobody(organizer: FlaskClient, person: User, typed: str) -> None:
    assert person.full_name not in listed(organizer, q=typed)


def test_no_number_is_ever_shown_in_full(organizer: FlaskClient, person: User) -> None:
    shown = listed(organizer, q="hanh") + organizer.get(f"/staff/users/{person.id}").get_data(as_text=True)
    plain = "".join(char for char in shown if char.isdigit())
    assert "987654321" not in plain
    assert "•••• ••• 321" in shown


def test_lists_go_on_where_they_ended(organizer: FlaskClient) -> None:
    unit = units.get(db.session(), "40").id
    for number in range(120):
        accounts.add_user(db.session(), clock.now(), full_name=f"Trần Văn {number:03}", phone=None, unit_id=unit)
    db.session.commit()
    seen: list[str] = []
    path: str | None = "/staff/users?q=tran"
    while path:
        shown = organizer.get(path).get_data(as_text=True)
        seen += re.findall(r"Trần Văn (\d{3})</a>", shown)
        found = re.search(r'class="button" href="(/staff/users\?[^"]*before=\d+)"', shown)
        path = found[1].replace("&amp;", "&") if found else None
    assert seen == [f"{number:03}" for number in reversed(range(120))]


def test_a_bar_acts_at_once_where_a_round_is_open(
    organizer: FlaskClient, contest: Contest, person: User, platform: Platform
) -> None:
    season = platform.season.get()
    card = next(card for card in season.rounds.values() if card.number == 2)
    who = calls.Starter(person.id, person.unit_id or 0, 0)

    def start() -> None:
        now = clock.to_ms(clock.now())
        calls.start(platform.gateway, platform.signer, 0, platform.season.get(), card, who, now)

    assert act(organizer, person.id, "bar") == 303
    with pytest.raises(calls.NotEligible):
        start()
    assert "Bị cấm thi từ" in organizer.get(f"/staff/users/{person.id}").get_data(as_text=True)
    assert person.full_name in listed(organizer, group="barred")
    assert act(organizer, person.id, "unbar") == 303
    start()
    assert acts() == ["user.barred", "user.unbarred"]


def test_an_act_without_a_reason_is_refused(organizer: FlaskClient, person: User) -> None:
    for name in ("bar", "unbar", "sign-out"):
        assert act(organizer, person.id, name, "  ") == 422
    db.session.expire_all()
    assert (person.barred_at, person.auth_epoch, acts()) == (None, 0, [])


def test_signed_out_everywhere_is_out(organizer: FlaskClient, person: User, app: Flask) -> None:
    phone = app.test_client()
    g.pop("_login_user", None)
    phone.post("/sign-in", data={"phone": PHONE, "password": staffing.PASSWORD})
    assert phone.get("/account").status_code == 200
    assert act(organizer, person.id, "sign-out") == 303
    g.pop("_login_user", None)
    assert phone.get("/account").status_code == 302
    assert acts() == ["user.signed_out"]


def test_only_administrators_act_on_staff_and_nobody_on_themselves(
    organizer: FlaskClient, administrator: FlaskClient
) -> None:
    ids = {user.role: user.id for user in db.session.scalars(select(User))}
    for name in ("bar", "unbar", "sign-out"):
        assert act(organizer, ids["administrator"], name) == 403
        assert act(organizer, ids["organizer"], name) == 403
        assert act(administrator, ids["administrator"], name) == 403
    assert act(organizer, ids["administrator"], "second-factor") == 403
    assert act(administrator, ids["organizer"], "bar") == 303
    assert organizer.get("/staff/log").status_code == 302


def test_a_second_factor_taken_away_is_set_up_anew(organizer: FlaskClient, administrator: FlaskClient) -> None:
    ids = {user.role: user.id for user in db.session.scalars(select(User))}
    assert act(administrator, ids["organizer"], "second-factor") == 303
    assert organizer.get("/staff/log").status_code == 302
    staffing.enter(organizer)
    assert organizer.get("/staff/log").status_code == 200


def test_an_administrator_makes_staff(administrator: FlaskClient, app: Flask) -> None:
    form = {"full_name": "Võ Thị Sáu", "phone": "0912 333 444", "role": "officer", "unit_code": "40"}
    form["password"] = staffing.PASSWORD
    assert administrator.post("/staff/users/new", data=form | {"role": "participant"}).status_code == 422
    assert administrator.post("/staff/users/new", data=form | {"unit_code": ""}).status_code == 422
    assert administrator.post("/staff/users/new", data=form | {"password": "12345678"}).status_code == 422
    assert administrator.post("/staff/users/new", data=form).status_code == 303
    assert administrator.post("/staff/users/new", data=form).status_code == 409
    made = db.session.scalars(select(User).where(User.role == "officer")).one()
    assert made.scope_unit_id == units.get(db.session(), "40").id
    assert acts() == ["user.created"]
    browser = app.test_client()
    staffing.enter(browser, "0912333444")
    assert browser.get("/staff/users").status_code == 200


def give(browser: FlaskClient, user_id: int, role: str, unit: str = "", reason: str = "Đổi việc") -> int:
    form = {"role": role, "unit_code": unit, "reason": reason}
    return browser.post(f"/staff/users/{user_id}/role", data=form).status_code


def test_another_role_is_true_from_the_next_request_on(
    app: Flask, organizer: FlaskClient, administrator: FlaskClient
) -> None:
    found = db.session.scalars(select(User).where(User.role == "organizer")).one()
    user_id = found.id
    assert organizer.get("/staff/log").status_code == 200
    assert give(administrator, user_id, "officer", "40") == 303
    assert organizer.get("/staff/log").status_code == 403
    shown = organizer.get("/staff/users").get_data(as_text=True)
    assert "Tỉnh Nghệ An" in shown
    db.session.rollback()
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "staff.role_changed")).one()
    assert event.detail == {
        "before": {"role": "organizer", "unit": None},
        "after": {"role": "officer", "unit": "40"},
    }
    assert (event.subject, event.reason) == (f"user:{user_id}", "Đổi việc")
    assert give(administrator, user_id, "organizer") == 303
    assert organizer.get("/staff/log").status_code == 200


def test_nobody_changes_the_own_role_and_organizers_change_none(
    organizer: FlaskClient, administrator: FlaskClient, person: User
) -> None:
    ids = {user.role: user.id for user in db.session.scalars(select(User))}
    assert give(administrator, ids["administrator"], "organizer") == 403
    assert give(organizer, ids["administrator"], "organizer") == 403
    assert give(administrator, ids["participant"], "administrator") == 422
    db.session.rollback()
    assert {user.role for user in db.session.scalars(select(User))} == {"participant", "organizer", "administrator"}


@pytest.mark.parametrize(
    ("role", "unit", "reason"),
    [("officer", "", "x"), ("boss", "", "x"), ("administrator", "", " "), ("officer", "99999", "x")],
)
def test_what_is_no_role(organizer: FlaskClient, administrator: FlaskClient, role: str, unit: str, reason: str) -> None:
    user_id = db.session.scalars(select(User.id).where(User.role == "organizer")).one()
    assert give(administrator, user_id, role, unit, reason) in {404, 422}
    db.session.rollback()
    assert db.session.get_one(User, user_id).role == "organizer"


def test_of_two_administrators_who_take_each_other_s_role_one_stays(app: Flask, administrator: FlaskClient) -> None:
    first = db.session.scalars(select(User.id).where(User.role == "administrator")).one()
    second = staffing.make("administrator", "0912000008").id
    askers = [staff_of(first), staff_of(second)]
    people.change_role(db.session(), askers[0], second, "organizer", "", "x", clock.now())
    with pytest.raises(Refusal):
        people.change_role(db.session(), askers[1], first, "organizer", "", "x", clock.now())
    db.session.rollback()
    assert db.session.scalars(select(User.id).where(User.role == "administrator")).all() == [first]


def staff_of(user_id: int) -> Staff:
    found = staff.find(db.session(), user_id, 0)
    return found or Staff(user_id, "", "administrator", None, None, None)
