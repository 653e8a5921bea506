"""Rounds with seconds per question: the questions one by one, each in its own time, no way back."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from deploy.embedded import Servers
from quiz.extensions import db
from quiz.intake import keys
from quiz.intake.signing import EntryName
from quiz.models import Entry
from quiz.services import papers
from scoring import sweeper
from tests import seasons
from tests.api.conftest import NOW, PREDICTION, Caller, World, refused

EACH = 20
RULES: dict[str, Any] = {"seconds_per_question": EACH, "seconds": 10 * EACH, "prediction": PREDICTION}
GRACE = 30


@pytest.fixture
def world(platform: Any, at: Any) -> World:
    """The open round of the contest asks its questions one by one."""
    session = db.session()
    contest = seasons.contest(session)
    made = {n: seasons.scheduled_round(session, contest, n, rules=RULES if n == 2 else {}) for n in (1, 2, 3)}
    session.commit()
    held = World(platform, at, made)
    held.prime()
    return held


def step(
    caller: Caller, paper: dict[str, Any], answer: dict[str, list[str]] | None = None, **more: Any
) -> dict[str, Any]:
    body = {"paper": paper["paper"], **({} if answer is None else {"answer": answer}), **more}
    response = caller.post("/papers/step", body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json
    return found


def walk(caller: Caller, paper: dict[str, Any], count: int = 10) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Answer so many questions with their first option; the answers, and what the last step said."""
    said, answers = step(caller, paper), {}
    for _ in range(count):
        given = {said["question"]["id"]: [said["question"]["options"][0]["id"]]}
        answers |= given
        said = step(caller, paper, given)
    return answers, said


def stored(world: World) -> dict[str, list[str]]:
    """The answers of the one entry there is, by the ids of its paper."""
    entry = db.session.query(Entry).one()
    platform = world.platform
    card = platform.season.get().rounds[entry.round_id]
    name = EntryName(entry.round_id, entry.participant_id, entry.issuer, entry.attempt)
    places = papers.read_masks(entry.questions)
    turns = papers.turns_of(card, name, len(places))
    return papers.ids_of(platform.season.bank(card), places, turns, papers.read_masks(entry.answers))


class TestStart:
    def test_the_paper_comes_without_its_questions(self, hoa: Caller) -> None:
        response = hoa.post("/rounds/2/papers")
        assert response.status_code == 201
        paper = response.json
        assert paper["questions"] == []
        assert paper["prediction"] == PREDICTION
        assert datetime.fromisoformat(paper["expires_at"]) == NOW + timedelta(seconds=10 * EACH)

    def test_nothing_in_the_token_says_what_comes(self, world: World, hoa: Caller) -> None:
        token = hoa.start()["paper"]
        body = token.split(".", 2)[2]
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        signed = world.platform.signer.verify_paper(token)
        assert signed.paper.questions == []
        _, whole = papers.read_stepped(
            papers.Desk(world.platform.gateway, world.platform.signer, 0, world.platform.season), signed
        )
        assert bytes(whole.paper.questions) not in raw

    def test_while_it_is_open_the_same_paper_comes_again(self, hoa: Caller) -> None:
        first = hoa.start()
        step(hoa, first)
        again = hoa.start()
        assert {**again, "server_time": ""} == {**first, "server_time": ""}

    def test_other_rounds_have_no_steps(self, world: World, hoa: Caller) -> None:
        world.at.now = seasons.OPENS + 2 * seasons.WEEK + timedelta(hours=1)
        paper = hoa.start(3)
        assert len(paper["questions"]) == 10
        refused(hoa.post("/papers/step", {"paper": paper["paper"]}), 400, "invalid_paper")


class TestStep:
    def test_the_first_question_comes_with_its_time(self, hoa: Caller) -> None:
        said = step(hoa, hoa.start())
        assert list(said) == ["done", "question", "number", "of", "server_time", "expires_at", "steps"]
        assert (said["done"], said["number"], said["of"]) == (False, 1, 10)
        assert list(said["question"]) == ["id", "text", "multiple", "options"]
        assert datetime.fromisoformat(said["expires_at"]) == NOW + timedelta(seconds=EACH)

    def test_each_question_comes_after_the_one_before_it(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        seen = []
        said = step(hoa, paper)
        for number in range(1, 11):
            assert (said["number"], said["of"]) == (number, 10)
            seen.append(said["question"]["id"])
            world.at.forward(seconds=5)
            said = step(hoa, paper, {said["question"]["id"]: [said["question"]["options"][1]["id"]]})
        assert len(set(seen)) == 10
        assert said["done"]
        assert said["answers"].keys() == set(seen)

    def test_a_call_that_is_repeated_gets_the_same_question(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        first = step(hoa, paper)
        world.at.forward(seconds=8)
        given = {first["question"]["id"]: ["1"]}
        second = step(hoa, paper, given)
        world.at.forward(seconds=3)
        for again in (step(hoa, paper, given), step(hoa, paper), step(hoa, paper, {first["question"]["id"]: ["2"]})):
            assert {**again, "server_time": ""} == {**second, "server_time": ""}
            assert again["server_time"] > second["server_time"]

    def test_a_question_whose_time_is_over_is_left_out(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        first = step(hoa, paper)
        world.at.forward(seconds=EACH + GRACE, milliseconds=1)
        second = step(hoa, paper, {first["question"]["id"]: ["1"]})
        assert second["number"] == 2
        assert datetime.fromisoformat(second["expires_at"]) == world.at.now + timedelta(seconds=EACH)
        hoa.hand_in(paper, {})["receipt"]
        world.drain()
        assert stored(world) == {}

    def test_no_options_leave_a_question_out(self, hoa: Caller) -> None:
        paper = hoa.start()
        first = step(hoa, paper)
        assert step(hoa, paper, {first["question"]["id"]: []})["number"] == 2

    @pytest.mark.parametrize("answer", [None, {}])
    def test_an_answer_may_be_left_out(self, hoa: Caller, answer: Any) -> None:
        response = hoa.post("/papers/step", {"paper": hoa.start()["paper"], "answer": answer})
        assert response.json["number"] == 1

    def test_an_unknown_option_of_the_question_asked(self, hoa: Caller) -> None:
        paper = hoa.start()
        asked = step(hoa, paper)["question"]["id"]
        for options, field in ((["9"], f"answers.{asked}"), (["1", "2"], f"answers.{asked}")):
            problem = refused(
                hoa.post("/papers/step", {"paper": paper["paper"], "answer": {asked: options}}), 422, "invalid_answers"
            )
            assert [error["field"] for error in problem["errors"]] == [field]
        assert step(hoa, paper)["number"] == 1

    def test_nobody_learns_which_questions_will_come(self, hoa: Caller) -> None:
        """Every guess but the question asked is refused with the same words, options that are none included."""
        paper = hoa.start()
        asked = step(hoa, paper)["question"]["id"]
        refusals = set()
        for question in [str(number) for number in range(25)]:
            for options in (["1"], ["9"], ["1", "2"], []):
                if question != asked:
                    answer = {"paper": paper["paper"], "answer": {question: options}}
                    refusals.add(
                        refused(hoa.post("/papers/step", answer), 422, "invalid_answers")
                        and hoa.post("/papers/step", answer).text
                    )
        assert len(refusals) == 1
        # Nor by way of a hand-in that pretends to have a receipt.
        for question in range(25):
            sheet = {"paper": paper["paper"], "answers": {str(question): ["1"]}, "receipt": "A" * 24 + "-" + "B" * 24}
            assert hoa.post("/entries", sheet).status_code in (200, 202)

    def test_two_answers_at_once(self, hoa: Caller) -> None:
        paper = hoa.start()
        answer = {"paper": paper["paper"], "answer": {"1": ["1"], "2": ["1"]}}
        refused(hoa.post("/papers/step", answer), 422, "invalid_answers")

    @pytest.mark.parametrize("token", [None, "", "1.k1.AAAA", "x"])
    def test_a_paper_that_is_none(self, hoa: Caller, token: Any) -> None:
        refused(hoa.post("/papers/step", {"paper": token}), 400, "invalid_paper")

    def test_anothers_paper(self, hoa: Caller, nam: Caller, anybody: Caller) -> None:
        paper = hoa.start()
        refused(nam.post("/papers/step", {"paper": paper["paper"]}), 400, "invalid_paper")
        assert step(anybody, paper)["number"] == 1

    def test_a_paper_whose_time_is_over(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        world.at.forward(seconds=10 * EACH + GRACE, milliseconds=1)
        refused(hoa.post("/papers/step", {"paper": paper["paper"]}), 410, "paper_expired")

    def test_without_redis(self, hoa: Caller, servers: Servers) -> None:
        paper = hoa.start()
        servers.redis.kill9()
        try:
            problem = hoa.post("/papers/step", {"paper": paper["paper"]})
            refused(problem, 503, "intake_unavailable")
            assert int(problem.headers["Retry-After"]) > 0
        finally:
            servers.redis.start()
        # Nothing was half done.
        assert step(hoa, paper)["number"] == 1

    def test_a_redis_that_was_killed_knows_every_step_it_confirmed(self, hoa: Caller, servers: Servers) -> None:
        paper = hoa.start()
        answers, said = walk(hoa, paper, 3)
        servers.redis.kill9()
        servers.redis.start()
        again = step(hoa, paper)
        assert {**again, "server_time": ""} == {**said, "server_time": ""}
        _, done = walk(hoa, paper, 7)
        assert done["answers"].items() >= answers.items()


class TestHandIn:
    def test_the_answers_of_the_steps_are_the_entry(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        answers, said = walk(hoa, paper)
        assert said["done"]
        assert said["answers"] == answers
        # What the sheet says instead is not listened to.
        other = {question: ["4"] for question in answers}
        hoa.hand_in(paper, other, prediction=77)["receipt"]
        world.drain()
        assert stored(world) == answers
        assert db.session.query(Entry).one().prediction == 77

    def test_the_same_receipt_as_often_as_one_asks(self, hoa: Caller) -> None:
        paper = hoa.start()
        walk(hoa, paper)
        first = hoa.post("/entries", {"paper": paper["paper"], "answers": {}})
        again = hoa.post("/entries", {"paper": paper["paper"], "answers": {}})
        assert (first.status_code, again.status_code) == (202, 200)
        assert first.json == again.json
        assert step(hoa, paper) == {"done": True, "of": 10, "server_time": step(hoa, paper)["server_time"]}

    def test_what_was_stepped_until_the_deadline_is_handed_in(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        answers, _ = walk(hoa, paper, 3)
        draft = {"paper": paper["paper"], "answers": {"1": ["1"]}, "prediction": 9}
        assert hoa.put("/papers/draft", draft).status_code == 204
        world.at.forward(seconds=10 * EACH + GRACE, milliseconds=1)
        said = step(hoa, paper)
        assert said["done"]
        assert said["answers"] == answers
        cards = list(world.platform.season.refresh().rounds.values())
        platform = world.platform
        assert sweeper.settle_overdue(platform.gateway, platform.signer, cards, world.at.now) == 1
        receipt = hoa.hand_in(paper, {})
        assert datetime.fromisoformat(receipt["received_at"]) == NOW + timedelta(seconds=10 * EACH)
        world.drain()
        assert stored(world) == answers
        assert db.session.query(Entry).one().prediction == 9

    def test_a_receipt_brings_the_entry_again_after_redis_lost_all(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        answers, said = walk(hoa, paper)
        given = hoa.hand_in(paper, said["answers"], prediction=5)
        world.platform.gateway.client.flushall()
        world.prime()
        world.at.forward(minutes=30)
        sheet = {"paper": paper["paper"], "prediction": 5, **given}
        for wrong in ({}, {question: ["4"] for question in answers}):
            refused(hoa.post("/entries", {**sheet, "answers": wrong}), 410, "paper_expired")
        again = hoa.post("/entries", {**sheet, "answers": answers})
        assert (again.status_code, again.json) == (202, given)
        world.drain()
        assert stored(world) == answers

    def test_redis_lost_in_the_middle(self, world: World, hoa: Caller) -> None:
        """With what the last step sent along the paper goes on from its first unanswered question."""
        paper = hoa.start()
        answers, said = walk(hoa, paper, 4)
        world.platform.gateway.client.flushall()
        refused(hoa.post("/papers/step", {"paper": paper["paper"]}), 503, "intake_unavailable")
        world.prime()
        world.at.forward(seconds=4)
        again = step(hoa, paper, steps=said["steps"])
        assert {**again, "server_time": ""} == {**said, "server_time": ""}
        given = {again["question"]["id"]: ["3"]}
        last = step(hoa, paper, given, steps=again["steps"])
        # The record is back: from here nothing has to be sent along.
        assert step(hoa, paper)["number"] == 6
        world.platform.gateway.client.flushall()
        world.prime()
        hoa.hand_in(paper, {}, steps=last["steps"])["receipt"]
        world.drain()
        assert stored(world) == answers | given

    def test_after_the_round_left_redis(self, world: World, hoa: Caller) -> None:
        from scoring import finalize

        paper = hoa.start()
        answers, said = walk(hoa, paper)
        given = hoa.hand_in(paper, {})
        world.drain()
        world.at.now = seasons.OPENS + 2 * seasons.WEEK + timedelta(minutes=5)
        assert finalize.finalize_round(db.session(), world.rounds[2].id, world.at.now)
        db.session.commit()
        world.prime()
        refused(hoa.post("/papers/step", {"paper": paper["paper"]}), 410, "paper_expired")
        assert hoa.hand_in(paper, {}) == given
        assert hoa.client.get(f"/api/v1/entries/{given['receipt']}", headers=hoa.headers).json["questions"]
        assert said["answers"] == answers


def test_a_lost_config_of_one_shard_is_no_loss_of_answers(world: World, hoa: Caller) -> None:
    """The doors of a shard are closed while it is primed; the record behind them stays."""
    paper = hoa.start()
    walk(hoa, paper, 2)
    redis, made = world.platform.gateway.client, world.rounds[2]
    for shard in range(made.shards):
        redis.delete(keys.config(made.id, shard))
    refused(hoa.post("/papers/step", {"paper": paper["paper"]}), 503, "intake_unavailable")
    world.prime()
    assert step(hoa, paper)["number"] == 3
