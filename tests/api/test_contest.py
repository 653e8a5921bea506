"""GET /contest and GET /units."""

from __future__ import annotations

from datetime import datetime

from quiz.extensions import db
from quiz.services import season
from tests import seasons
from tests.api.conftest import PREDICTION, Caller, World, refused


def test_the_contest_shows_its_rounds_and_the_servers_time(world: World, anybody: Caller) -> None:
    response = anybody.get("/contest")
    assert response.status_code == 200
    contest = response.json
    assert list(contest) == ["slug", "title", "server_time", "current_round", "rounds"]
    assert (contest["slug"], contest["current_round"]) == ("cuoc-thi", 2)
    assert datetime.fromisoformat(contest["server_time"]) == world.at.now
    assert contest["server_time"].endswith("+07:00")
    assert [(one["number"], one["state"]) for one in contest["rounds"]] == [
        (1, "closed"),
        (2, "open"),
        (3, "scheduled"),
    ]
    first = contest["rounds"][0]
    assert list(first) == ["number", "theme", "opens_at", "closes_at", "state", "rules"]
    assert datetime.fromisoformat(first["closes_at"]) == seasons.OPENS + seasons.WEEK
    assert (first["rules"]["questions"], first["rules"]["cap"], first["rules"]["prediction"]) == (10, 7, PREDICTION)


def test_between_rounds_there_is_no_current_one(world: World, anybody: Caller) -> None:
    world.at.now = seasons.OPENS + 3 * seasons.WEEK
    assert anybody.get("/contest").json["current_round"] is None


def test_human_steps_show(world: World, anybody: Caller) -> None:
    made = world.rounds[1]
    for step, state in (("finalized_at", "final"), ("published_at", "published")):
        setattr(made, step, world.at.now)
        db.session.commit()
        season.publish(db.session(), world.platform.gateway.client)
        world.platform.season.forget()
        assert anybody.get("/contest").json["rounds"][0]["state"] == state


def test_drafts_do_not_show(world: World, anybody: Caller) -> None:
    seasons.draft_round(db.session(), world.rounds[1].contest, 4)
    db.session.commit()
    world.prime()
    assert len(anybody.get("/contest").json["rounds"]) == 3
    refused(anybody.get("/boards/units?round=4"), 404, "unknown_round")


def test_another_contest_by_its_name(world: World, anybody: Caller) -> None:
    other = seasons.contest(db.session(), "vong-chung-ket", current=False)
    seasons.scheduled_round(db.session(), other, 2)
    db.session.commit()
    world.prime()
    anybody.register()
    assert anybody.get("/contests/vong-chung-ket/contest").json["slug"] == "vong-chung-ket"
    assert anybody.get("/contests/cuoc-thi/contest").json["slug"] == "cuoc-thi"
    assert anybody.get("/contest").json["slug"] == "cuoc-thi"
    paper = anybody.post("/contests/vong-chung-ket/rounds/2/papers").json
    anybody.hand_in(paper)
    assert len(anybody.get("/contests/vong-chung-ket/me/entries").json["entries"]) == 1
    assert anybody.get("/me/entries").json["entries"] == []
    for path in ("/contest", "/boards/units", "/boards/participants"):
        refused(anybody.get(f"/contests/nowhere{path}"), 404, "not_found")
    refused(anybody.get("/contests/nowhere/me/entries"), 404, "not_found")
    refused(anybody.post("/contests/nowhere/rounds/2/papers"), 404, "not_found")
    refused(anybody.post("/contests/vong-chung-ket/rounds/1/papers"), 404, "unknown_round")


def test_without_a_current_contest_there_is_none(world: World, anybody: Caller) -> None:
    world.rounds[1].contest.is_current = False
    db.session.commit()
    world.prime()
    refused(anybody.get("/contest"), 404, "not_found")


def test_before_anything_is_published_the_service_is_away(world: World, anybody: Caller) -> None:
    world.platform.gateway.client.flushall()
    world.platform.season.forget()
    refused(anybody.get("/contest"), 503, "intake_unavailable")


class TestUnits:
    def test_without_parent_provinces_and_unions(self, anybody: Caller) -> None:
        listed = anybody.get("/units").json["units"]
        assert len(listed) == 40
        assert listed == anybody.get("/units?parent=&q=").json["units"]
        assert {unit["kind"] for unit in listed} == {"province", "union"}
        assert {unit["parent_code"] for unit in listed} == {None}
        assert {"code": "01", "name": "Thành phố Hà Nội", "kind": "province", "parent_code": None} in listed

    def test_below_a_province(self, anybody: Caller) -> None:
        listed = anybody.get("/units?parent=01").json["units"]
        assert len(listed) == 126
        assert {unit["parent_code"] for unit in listed} == {"01"}

    def test_searching_without_accents(self, anybody: Caller) -> None:
        for words in ("ba dinh", "Ba Đình", "BA ĐINH"):
            found = anybody.get("/units", query_string={"parent": "01", "q": words}).json["units"]
            assert found[0]["code"] == "00004"
        assert [unit["name"] for unit in anybody.get("/units?q=ha+noi").json["units"]] == ["Thành phố Hà Nội"]
        assert anybody.get("/units", query_string={"q": "%"}).json["units"] == []

    def test_an_unknown_parent(self, anybody: Caller) -> None:
        for code in ("99", " ", "0\x00", "ö" * 400):
            refused(anybody.get("/units", query_string={"parent": code}), 404, "unknown_unit")
