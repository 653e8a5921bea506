"""GET /me, /me/entries and /entries/RECEIPT: the own things, as far as they are released."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from quiz.extensions import db
from quiz.models import Bank, KeyVersion
from quiz.services import season
from scoring import finalize
from tests import seasons
from tests.api.conftest import Caller, World, first_options, refused


def right_options(world: World, number: int) -> dict[str, list[str]]:
    """Question id → the texts of its right options, from the tables."""
    made = world.rounds[number]
    content = db.session.query(Bank).filter_by(round_id=made.id).one().content
    key = db.session.query(KeyVersion).filter_by(round_id=made.id).one().key
    return {
        question["id"]: [
            option["text"] for bit, option in enumerate(question["options"]) if answer["accept"][0] >> bit & 1
        ]
        for question, answer in zip(content, key, strict=True)
    }


def well_answered(world: World, paper: dict[str, Any], right: int) -> dict[str, list[str]]:
    """A sheet with so many right answers; the rest is left open."""
    key = right_options(world, 2)
    return {
        question["id"]: [option["id"] for option in question["options"] if option["text"] in key[question["id"]]]
        for question in paper["questions"][:right]
    }


def close(world: World) -> None:
    """Past the close of round 2 and the grace of its last paper."""
    world.at.now = seasons.OPENS + 2 * seasons.WEEK
    world.at.forward(seconds=31)


class TestMe:
    def test_own_profile(self, hoa: Caller) -> None:
        me = hoa.get("/me").json
        assert me["phone"] == "+84912345678"
        assert me["full_name"] == "Nguyễn Thị Hoa"
        assert me["unit"]["code"] == "00004"
        assert me["role"] == "participant"
        assert me["birth_year"] is None

    def test_nobody_without_a_token(self, anybody: Caller) -> None:
        for path in ("/me", "/me/entries", "/entries/X"):
            refused(anybody.get(path), 401, "login_required")


class TestEntry:
    def test_accepted_then_scored(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        world.at.forward(minutes=2)
        given = hoa.hand_in(paper)
        accepted = hoa.get(f"/entries/{given['receipt']}")
        assert accepted.status_code == 200
        assert accepted.headers["Cache-Control"] == "no-store"
        assert accepted.json == {
            "receipt": given["receipt"],
            "state": "accepted",
            "round": 2,
            "attempt": 1,
            "received_at": given["received_at"],
            "duration_ms": None,
        }
        world.drain()
        scored = hoa.get(f"/entries/{given['receipt']}").json
        assert scored == {**accepted.json, "state": "scored", "duration_ms": 120_000}

    def test_score_and_key_after_the_close(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        sheet = well_answered(world, paper, 7)
        given = hoa.hand_in(paper, sheet)
        world.drain()
        path = f"/entries/{given['receipt']}"
        world.at.now = seasons.OPENS + 2 * seasons.WEEK
        at_close = hoa.get(path).json
        # The key waits for those who may still use their grace.
        assert (at_close["score"], at_close["correct"], at_close["rank"]) == (7, 7, 1)
        assert "questions" not in at_close
        assert "answers" not in at_close
        close(world)
        entry = hoa.get(path).json
        assert entry["answers"] == sheet
        assert [question["id"] for question in entry["questions"]] == [q["id"] for q in paper["questions"]]
        assert [question["right"] for question in entry["questions"]] == [True] * 7 + [False] * 3
        key = right_options(world, 2)
        for question in entry["questions"]:
            assert [option["text"] for option in question["options"] if option["right"]] == key[question["id"]]
            assert [option["id"] for option in question["options"] if option["chosen"]] == sheet.get(question["id"], [])
            assert question["explanation"].startswith("Giải thích")
            assert question["source"] == "Nguồn"
            assert question["void"] is False

    @pytest.mark.parametrize("rules", [{"release": {"score": "at_once", "key": "never"}}])
    def test_scores_at_once_and_the_key_never(self, world: World, hoa: Caller, rules: dict[str, Any]) -> None:
        self.with_rules(world, rules)
        given = hoa.hand_in(hoa.start())
        assert "score" not in hoa.get(f"/entries/{given['receipt']}").json
        world.drain()
        assert hoa.get(f"/entries/{given['receipt']}").json["score"] >= 0
        close(world)
        assert "questions" not in hoa.get(f"/entries/{given['receipt']}").json

    def test_the_key_after_publishing(self, world: World, hoa: Caller) -> None:
        self.with_rules(world, {"release": {"score": "after_close", "key": "after_publish"}})
        given = hoa.hand_in(hoa.start())
        world.drain()
        close(world)
        assert "questions" not in hoa.get(f"/entries/{given['receipt']}").json
        made = world.rounds[2]
        made.finalized_at = made.published_at = world.at.now
        db.session.commit()
        season.publish(db.session(), world.platform.gateway.client)
        world.platform.season.forget()
        assert len(hoa.get(f"/entries/{given['receipt']}").json["questions"]) == 10

    def with_rules(self, world: World, rules: dict[str, Any]) -> None:
        world.rounds[2].rules = {**world.rounds[2].rules, **rules}
        db.session.commit()
        world.prime()

    def test_a_corrected_key_shows_every_accepted_option(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        given = hoa.hand_in(paper)
        world.drain()
        made = world.rounds[2]
        first = db.session.query(KeyVersion).filter_by(round_id=made.id).one()
        place = int(paper["questions"][0]["id"]) - 1
        void = int(paper["questions"][1]["id"]) - 1
        key = [dict(item) for item in first.key]
        bank = db.session.query(Bank).filter_by(round_id=made.id).one().content
        key[place]["accept"] = [0b0001, 0b0010]
        key[void] = {"accept": [0b1000], "void": True}
        db.session.add(
            KeyVersion(
                round_id=made.id, bank_version=1, version=2, key=key, reason="Sửa đáp án", created_at=world.at.now
            )
        )
        db.session.commit()
        close(world)
        before = hoa.get(f"/entries/{given['receipt']}").json["questions"]
        assert sum(option["right"] for option in before[0]["options"]) == 1
        made.key_version = 2
        db.session.commit()
        after = hoa.get(f"/entries/{given['receipt']}").json["questions"]
        accepted = {option["text"] for option in bank[place]["options"][:2]}
        assert {option["text"] for option in after[0]["options"] if option["right"]} == accepted
        assert after[1]["void"] is True
        assert after[1]["right"] is True

    def test_another_ones_receipt_is_unknown(self, world: World, hoa: Caller, nam: Caller) -> None:
        receipt = hoa.hand_in(hoa.start())["receipt"]
        refused(nam.get(f"/entries/{receipt}"), 404, "unknown_receipt")
        world.drain()
        refused(nam.get(f"/entries/{receipt}"), 404, "unknown_receipt")

    @pytest.mark.parametrize("drained", [False, True])
    def test_the_first_part_is_enough_and_small_letters_do(self, world: World, hoa: Caller, drained: bool) -> None:
        receipt = hoa.hand_in(hoa.start())["receipt"]
        if drained:
            world.drain()
        for typed in (receipt, receipt.partition("-")[0], receipt.lower(), f"{receipt} "):
            assert hoa.get(f"/entries/{typed}").json["receipt"] == receipt

    @pytest.mark.parametrize("kept", [True, False])
    def test_a_wrong_character_anywhere_is_unknown(self, world: World, hoa: Caller, kept: bool) -> None:
        receipt = hoa.hand_in(hoa.start())["receipt"]
        world.drain()
        if not kept:
            world.platform.gateway.client.flushall()
            world.prime()
        # Without its record the proof's MAC can't be told, but its time (the first ten characters) can.
        for place in (0, 12, 23, 27, 48 if kept else 33):
            wrong = receipt[:place] + ("A" if receipt[place] != "A" else "B") + receipt[place + 1 :]
            refused(hoa.get(f"/entries/{wrong}"), 404, "unknown_receipt")
        assert hoa.get(f"/entries/{receipt}").json["receipt"] == receipt

    @pytest.mark.parametrize("receipt", ["x", "A" * 24, "A" * 24 + "-" + "A" * 24, "ö" * 24, "-", "%00", "A" * 4000])
    def test_what_is_no_receipt(self, hoa: Caller, receipt: str) -> None:
        refused(hoa.get(f"/entries/{receipt}"), 404, "unknown_receipt")

    def test_an_open_attempt_has_no_entry(self, world: World, hoa: Caller) -> None:
        first = hoa.hand_in(hoa.start())["receipt"]
        hoa.start()
        assert hoa.get(f"/entries/{first}").status_code == 200
        assert len(hoa.get("/me/entries").json["entries"]) == 1


class TestHistory:
    def test_all_entries_the_newest_first(self, world: World, hoa: Caller, nam: Caller) -> None:
        receipts = []
        for _ in range(2):
            receipts.append(hoa.hand_in(hoa.start())["receipt"])
            world.at.forward(minutes=1)
        world.drain()
        receipts.append(hoa.hand_in(hoa.start())["receipt"])
        nam.hand_in(nam.start())
        hoa.start()
        entries = hoa.get("/me/entries").json["entries"]
        assert [entry["receipt"] for entry in entries] == receipts[::-1]
        assert [entry["state"] for entry in entries] == ["accepted", "scored", "scored"]
        assert [entry["attempt"] for entry in entries] == [3, 2, 1]
        assert all("score" not in entry and "rank" not in entry for entry in entries)

    def test_scores_and_the_rank_of_what_counts(self, world: World, hoa: Caller, nam: Caller) -> None:
        for caller, right in ((hoa, 3), (hoa, 8), (hoa, 5), (nam, 9)):
            paper = caller.start()
            caller.hand_in(paper, well_answered(world, paper, right))
            world.at.forward(minutes=1)
        world.drain()
        close(world)
        entries = hoa.get("/me/entries").json["entries"]
        assert [entry["score"] for entry in entries] == [5, 8, 3]
        assert [entry.get("rank") for entry in entries] == [None, 2, None]
        assert [entry.get("rank") for entry in nam.get("/me/entries").json["entries"]] == [1]

    def test_the_same_after_the_round_is_final_and_gone_from_redis(
        self, world: World, hoa: Caller, nam: Caller
    ) -> None:
        for caller, right in ((hoa, 8), (nam, 9)):
            paper = caller.start()
            caller.hand_in(paper, well_answered(world, paper, right), prediction=2)
        world.drain()
        close(world)
        before = hoa.get("/me/entries").json["entries"][0]
        finalize.finalize_round(db.session(), world.rounds[2].id, world.at.now)
        db.session.commit()
        season.publish(db.session(), world.platform.gateway.client)
        world.platform.season.forget()
        after = hoa.get("/me/entries").json["entries"][0]
        assert db.session.scalar(text("SELECT count(*) FROM standing WHERE rank IS NOT NULL")) == 2
        assert after == {**before, "receipt": before["receipt"].partition("-")[0]}
        assert after["rank"] == 2

    def test_who_took_no_part_has_none(self, hoa: Caller) -> None:
        assert hoa.get("/me/entries").json == {"entries": []}


def test_times_are_the_contests(world: World, hoa: Caller) -> None:
    received = hoa.hand_in(hoa.start())["received_at"]
    assert received == "2026-01-12T08:00:00.000+07:00"
    assert datetime.fromisoformat(received) == world.at.now
    assert first_options({"questions": []}) == {}
