"""GET /boards/units and /boards/participants."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from quiz.extensions import db
from quiz.models import Target
from quiz.services import units
from quiz.services.names import shortened
from tests import seasons
from tests.api.conftest import Caller, World, refused
from tests.api.test_mine import close, well_answered


def row_of(board: dict[str, Any], code: str) -> dict[str, Any]:
    return next(row for row in board["rows"] if row["code"] == code)


class TestUnits:
    def test_an_entry_moves_its_province_and_commune(self, world: World, hoa: Caller, nam: Caller) -> None:
        world.write_boards()
        before = row_of(hoa.get("/boards/units?round=2").json, "01")
        assert (before["participants"], before["entries"]) == (0, 0)
        for caller in (hoa, hoa, nam):
            caller.hand_in(caller.start())
        world.drain()
        for path in ("?round=2", "", "?round=2&level=province", "?parent=TW"):
            assert row_of(hoa.get(f"/boards/units{path}").json, "01")["entries"] == 3
        for path in ("?round=2&level=commune", "?level=commune&parent=01", "?level=commune&parent=TW"):
            row = row_of(hoa.get(f"/boards/units{path}").json, "00004")
            assert (row["rank"], row["participants"], row["entries"]) == (1, 2, 3)
        assert row_of(hoa.get("/boards/units?round=1").json, "01")["entries"] == 0

    def test_the_rows_are_those_of_the_level(self, world: World, hoa: Caller) -> None:
        world.write_boards()
        board = hoa.get("/boards/units?round=2").json
        assert list(board) == ["as_of", "round", "rows"]
        assert (board["round"], len(board["rows"])) == (2, 40)
        assert datetime.fromisoformat(board["as_of"]) == world.at.now
        whole = hoa.get("/boards/units").json
        assert (whole["round"], len(whole["rows"])) == (None, 40)
        assert len(hoa.get("/boards/units?level=commune").json["rows"]) == 3321
        assert len(hoa.get("/boards/units?level=commune&parent=01").json["rows"]) == 126
        for path in ("?level=province&parent=01", "?level=commune&parent=00004", "?level=commune&parent=TNQH"):
            assert hoa.get(f"/boards/units{path}").json["rows"] == []

    def test_targets_and_their_share(self, world: World, hoa: Caller) -> None:
        hanoi = units.get(db.session(), "01")
        contest = world.rounds[2].contest_id
        db.session.add(Target(contest_id=contest, unit_id=hanoi.id, participants=8, entries=40))
        db.session.commit()
        hoa.hand_in(hoa.start())
        world.drain()
        row = row_of(hoa.get("/boards/units").json, "01")
        assert row["rank"] == 1
        assert (row["participants_target"], row["participants_pct"]) == (8, 12.5)
        assert (row["entries_target"], row["entries_pct"]) == (40, 2.5)
        assert row["average_score"] is None
        row = row_of(hoa.get("/boards/units?round=2").json, "01")
        assert (row["participants_target"], row["participants_pct"]) == (None, None)

    def test_who_has_the_newest_is_told_so(self, world: World, hoa: Caller) -> None:
        world.write_boards()
        first = hoa.get("/boards/units?round=2")
        etag = first.headers["ETag"]
        again = hoa.get("/boards/units?round=2", headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")
        world.at.forward(minutes=5)
        world.write_boards()
        # Nothing changed but the time: still the same board, from when it became so.
        assert hoa.get("/boards/units?round=2").headers["ETag"] == etag
        assert hoa.get("/boards/units?round=2").json == first.json
        hoa.hand_in(hoa.start())
        world.drain()
        assert hoa.get("/boards/units?round=2", headers={"If-None-Match": etag}).status_code == 200

    def test_it_is_the_same_for_everybody(self, world: World, hoa: Caller, anybody: Caller) -> None:
        world.write_boards()
        assert hoa.get("/boards/units").data == anybody.get("/boards/units").data

    def test_refusals(self, world: World, hoa: Caller) -> None:
        refused(hoa.get("/boards/units"), 503, "service_unavailable")
        world.write_boards()
        refused(hoa.get("/boards/units?round=9"), 404, "unknown_round")
        refused(hoa.get("/boards/units?parent=99"), 404, "unknown_unit")
        for query in (
            "level=x",
            "level=",
            "round=x",
            "round=-1",
            "round=0",
            "round=1.5",
            "round=",
            f"round={'9' * 99}",
        ):
            refused(hoa.get(f"/boards/units?{query}"), 422, "invalid_request")


class TestPeople:
    def play(self, world: World, *sheets: tuple[Caller, int]) -> None:
        for caller, right in sheets:
            paper = caller.start()
            world.at.forward(seconds=30)
            caller.hand_in(paper, well_answered(world, paper, right))
        world.drain()

    def test_empty_before_the_release(self, world: World, hoa: Caller, nam: Caller) -> None:
        self.play(world, (hoa, 5), (nam, 9))
        for path in ("?round=2", "", "?round=3"):
            assert hoa.get(f"/boards/participants{path}").json["rows"] == []
        close(world)
        assert len(hoa.get("/boards/participants?round=2").json["rows"]) == 2
        assert len(hoa.get("/boards/participants").json["rows"]) == 2

    def test_the_best_with_shortened_names(self, world: World, hoa: Caller, nam: Caller) -> None:
        self.play(world, (hoa, 5), (nam, 9), (hoa, 7))
        close(world)
        board = hoa.get("/boards/participants?round=2").json
        assert list(board) == ["as_of", "rows"]
        assert board["rows"] == [
            {
                "rank": 1,
                "name": "T. V. Nam",
                "unit_code": "00004",
                "score": 9,
                "duration_ms": 30_000,
                "submitted_at": "2026-01-12T08:01:00.000+07:00",
            },
            {
                "rank": 2,
                "name": "N. T. Hoa",
                "unit_code": "00004",
                "score": 7,
                "duration_ms": 30_000,
                "submitted_at": "2026-01-12T08:01:30.000+07:00",
            },
        ]

    def test_of_a_unit_and_so_many(self, world: World, hoa: Caller, nam: Caller) -> None:
        self.play(world, (hoa, 5), (nam, 9))
        close(world)
        for unit, people in (("01", 2), ("00004", 2), ("TW", 2), ("91", 0), ("TNQH", 0)):
            for scope in ("round=2&", ""):
                assert len(hoa.get(f"/boards/participants?{scope}unit={unit}").json["rows"]) == people
        assert [row["name"] for row in hoa.get("/boards/participants?round=2&limit=1").json["rows"]] == ["T. V. Nam"]

    def test_the_whole_contest_sums_released_rounds_alone(self, world: World, hoa: Caller, nam: Caller) -> None:
        self.play(world, (hoa, 5), (nam, 9))
        world.at.now = seasons.OPENS + 2 * seasons.WEEK
        world.at.forward(hours=1)
        paper = hoa.start(3)
        hoa.hand_in(paper)
        world.drain()
        rows = hoa.get("/boards/participants").json["rows"]
        assert [(row["rank"], row["name"], row["score"]) for row in rows] == [(1, "T. V. Nam", 9), (2, "N. T. Hoa", 5)]

    def test_equals_share_a_rank(self, world: World, hoa: Caller, nam: Caller) -> None:
        first, second = hoa.start(), nam.start()
        for caller, paper in ((hoa, first), (nam, second)):
            caller.hand_in(paper, {})
        world.drain()
        close(world)
        for scope in ("?round=2", ""):
            assert [row["rank"] for row in hoa.get(f"/boards/participants{scope}").json["rows"]] == [1, 1]

    def test_as_of_belongs_to_the_rows(self, world: World, hoa: Caller, nam: Caller) -> None:
        self.play(world, (hoa, 5))
        close(world)
        first = hoa.get("/boards/participants?round=2")
        world.at.forward(minutes=5)
        again = hoa.get("/boards/participants?round=2", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert hoa.get("/boards/participants?round=2").json == first.json

    def test_refusals(self, hoa: Caller) -> None:
        refused(hoa.get("/boards/participants?round=9"), 404, "unknown_round")
        refused(hoa.get("/boards/participants?unit=99"), 404, "unknown_unit")
        for query in ("limit=0", "limit=501", "limit=x", "limit=", "round=x"):
            refused(hoa.get(f"/boards/participants?{query}"), 422, "invalid_request")


def test_names_are_shortened() -> None:
    assert shortened("Nguyễn Thị Hoa") == "N. T. Hoa"
    assert shortened("Y Moan Ênuôl") == "Y. M. Ênuôl"
    assert shortened("Ân") == "Â."
