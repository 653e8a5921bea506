"""Papers out, drafts and sheets in: design, "The JSON API"."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from quiz.extensions import db
from quiz.intake import keys
from quiz.models import Entry, User
from quiz.services import accounts, season
from tests import seasons
from tests.api.conftest import NOW, PASSWORD, PREDICTION, Caller, World, first_options, refused


class TestStart:
    def test_a_paper_says_all_that_a_client_needs(self, hoa: Caller) -> None:
        response = hoa.post("/rounds/2/papers")
        assert response.status_code == 201
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        paper = response.json
        assert list(paper) == [
            "paper",
            "attempt",
            "attempts_left",
            "issued_at",
            "expires_at",
            "server_time",
            "prediction",
            "questions",
        ]
        assert (paper["attempt"], paper["attempts_left"]) == (1, 6)
        assert datetime.fromisoformat(paper["issued_at"]) == NOW
        assert datetime.fromisoformat(paper["expires_at"]) == NOW + timedelta(minutes=10)
        assert paper["server_time"].endswith("+07:00")
        assert paper["prediction"] == PREDICTION
        assert len(paper["questions"]) == 10
        for question in paper["questions"]:
            assert list(question) == ["id", "text", "multiple", "options"]
            assert len(question["options"]) == 4
            assert all(list(option) == ["id", "text"] for option in question["options"])
        assert len({question["id"] for question in paper["questions"]}) == 10

    def test_while_an_attempt_is_open_the_same_paper_comes_again(self, world: World, hoa: Caller) -> None:
        first = hoa.post("/rounds/2/papers")
        world.at.forward(seconds=20)
        again = hoa.post("/rounds/2/papers")
        assert (first.status_code, again.status_code) == (201, 200)
        assert {**again.json, "server_time": ""} == {**first.json, "server_time": ""}
        assert again.json["server_time"] != first.json["server_time"]

    def test_a_body_may_be_left_out(self, hoa: Caller) -> None:
        assert hoa.client.post("/api/v1/rounds/2/papers", headers=hoa.headers).status_code == 201

    def test_the_cap_counts_starts(self, hoa: Caller) -> None:
        left = []
        for _ in range(7):
            paper = hoa.start()
            left.append(paper["attempts_left"])
            hoa.hand_in(paper)
        assert left == [6, 5, 4, 3, 2, 1, 0]
        refused(hoa.post("/rounds/2/papers"), 409, "attempts_exhausted")

    def test_without_a_token_nobody_starts(self, anybody: Caller) -> None:
        refused(anybody.post("/rounds/2/papers"), 401, "login_required")
        anybody.token = "k1.AAAA"
        response = anybody.post("/rounds/2/papers")
        refused(response, 401, "login_required")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("number", [9, 0, 10**12])
    def test_an_unknown_round(self, hoa: Caller, number: int) -> None:
        refused(hoa.post(f"/rounds/{number}/papers"), 404, "unknown_round")

    @pytest.mark.parametrize(("number", "opens"), [(1, seasons.OPENS), (3, seasons.OPENS + 2 * seasons.WEEK)])
    def test_a_round_that_is_not_open_says_when_it_is(self, hoa: Caller, number: int, opens: datetime) -> None:
        problem = refused(hoa.post(f"/rounds/{number}/papers"), 403, "round_not_open")
        assert datetime.fromisoformat(problem["opens_at"]) == opens
        assert datetime.fromisoformat(problem["closes_at"]) == opens + seasons.WEEK

    def test_the_window_is_half_open(self, world: World, hoa: Caller, nam: Caller) -> None:
        world.at.now = seasons.OPENS + 2 * seasons.WEEK - timedelta(milliseconds=1)
        paper = hoa.start(2)
        assert datetime.fromisoformat(paper["expires_at"]) == seasons.OPENS + 2 * seasons.WEEK
        world.at.forward(milliseconds=1)
        refused(nam.post("/rounds/2/papers"), 403, "round_not_open")
        assert nam.post("/rounds/3/papers").status_code == 201
        # The open attempt is found again within its grace.
        assert hoa.post("/rounds/2/papers").status_code == 200

    def test_a_password_change_ends_the_token_at_once(self, world: World, hoa: Caller) -> None:
        parts = world.platform
        user = db.session.query(User).one()
        accounts.change_password(
            db.session(), parts.cache, parts.gateway.client, parts.season.get(), user.id, PASSWORD, "tre xanh 2025"
        )
        refused(hoa.post("/rounds/2/papers"), 401, "login_required")
        refused(hoa.get("/me"), 401, "login_required")
        hoa.token = hoa.post("/tokens", {"phone": hoa.phone, "password": "tre xanh 2025"}).json["token"]
        assert hoa.post("/rounds/2/papers").status_code == 201
        assert hoa.get("/me").status_code == 200

    def test_the_barred_are_not_eligible(self, world: World, hoa: Caller) -> None:
        user = db.session.query(User).one()
        accounts.spread_bars(world.platform.gateway.client, world.platform.season.get(), [(user.id, None)])
        refused(hoa.post("/rounds/2/papers"), 403, "not_eligible")

    def test_who_belongs_to_no_unit_is_not_eligible(self, world: World, hoa: Caller) -> None:
        user = accounts.add_user(
            db.session(),
            NOW,
            full_name="Ban tổ chức",
            phone="+84900000001",
            unit_id=None,
            role="organizer",
            password_hash=db.session.query(User).one().password_hash,
        )
        assert user.unit_id is None
        db.session.commit()
        hoa.token = hoa.post("/tokens", {"phone": "0900000001", "password": PASSWORD}).json["token"]
        refused(hoa.post("/rounds/2/papers"), 403, "not_eligible")

    def test_a_lost_redis_is_said_honestly(self, world: World, hoa: Caller) -> None:
        world.platform.gateway.client.flushall()
        refused(hoa.post("/rounds/2/papers"), 503, "intake_unavailable")


class TestAges:
    @pytest.fixture
    def limited(self, world: World) -> World:
        session = db.session()
        contest = seasons.contest(session, "tuoi-tre", current=False)
        seasons.scheduled_round(session, contest, 2, rules={"min_age": 16, "max_age": 35})
        session.commit()
        world.prime()
        return world

    @pytest.mark.parametrize(
        ("born", "eligible"), [(2010, True), (2011, False), (1991, True), (1990, False), (None, False)]
    )
    def test_ages_are_counted_by_the_year(
        self, limited: World, anybody: Caller, born: int | None, eligible: bool
    ) -> None:
        anybody.register(birth_year=born)
        response = anybody.post("/contests/tuoi-tre/rounds/2/papers")
        if eligible:
            assert response.status_code == 201
        else:
            refused(response, 403, "not_eligible")


class TestHandIn:
    def test_accepted_with_a_receipt(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        world.at.forward(seconds=90)
        response = hoa.post("/entries", {"paper": paper["paper"], "answers": first_options(paper), "prediction": 12})
        assert response.status_code == 202
        assert list(response.json) == ["receipt", "received_at"]
        assert datetime.fromisoformat(response.json["received_at"]) == world.at.now
        assert world.drain() == 1
        entry = db.session.query(Entry).one()
        assert (entry.prediction, entry.duration_ms, entry.channel) == (12, 90_000, "api")

    def test_again_is_the_same_receipt_and_the_first_answers_stand(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        first = hoa.hand_in(paper, {})
        world.at.forward(seconds=5)
        again = hoa.post("/entries", {"paper": paper["paper"], "answers": first_options(paper)})
        assert again.status_code == 200
        assert again.json == first
        assert world.drain() == 1
        assert set(db.session.query(Entry).one().answers) == {0}

    def test_no_bearer_is_needed(self, hoa: Caller, anybody: Caller) -> None:
        assert anybody.hand_in(hoa.start())["receipt"]

    def test_a_valid_bearer_must_be_the_owner(self, hoa: Caller, nam: Caller) -> None:
        paper = hoa.start()
        body = {"paper": paper["paper"], "answers": first_options(paper)}
        refused(nam.post("/entries", body), 400, "invalid_paper")
        assert hoa.post("/entries", body).status_code == 202

    def test_an_expired_bearer_is_ignored(self, world: World, hoa: Caller, nam: Caller) -> None:
        world.at.now = NOW - timedelta(days=31)
        nam.token = nam.post("/tokens", {"phone": nam.phone, "password": PASSWORD}).json["token"]
        world.at.now = NOW
        paper = hoa.start()
        assert nam.hand_in(paper)["receipt"]

    @pytest.mark.parametrize("paper", [None, "", "x", "1.k1.AAAA", "1.k9.AAAA", "đề thi", "1.k1." + "A" * 5000])
    def test_what_is_no_paper_of_ours(self, hoa: Caller, paper: str | None) -> None:
        refused(hoa.post("/entries", {"paper": paper, "answers": {}}), 400, "invalid_paper")
        refused(hoa.post("/entries", {"answers": {}}), 400, "invalid_paper")
        refused(hoa.post("/entries", {}), 400, "invalid_paper")

    def test_a_forged_paper(self, hoa: Caller) -> None:
        token = hoa.start()["paper"]
        forged = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
        refused(hoa.post("/entries", {"paper": forged, "answers": {}}), 400, "invalid_paper")

    def test_answers_that_are_not_on_the_paper(self, hoa: Caller) -> None:
        paper = hoa.start()
        question = paper["questions"][0]["id"]
        absent = next(str(n) for n in range(1, 21) if str(n) not in first_options(paper))
        option = paper["questions"][0]["options"][0]["id"]
        other = paper["questions"][0]["options"][1]["id"]
        for answers, field in [
            ({absent: [option]}, f"answers.{absent}"),
            ({"99": []}, "answers.99"),
            ({"": []}, "answers."),
            ({question: ["99"]}, f"answers.{question}"),
            ({question: [""]}, f"answers.{question}"),
            ({question: [option, other]}, f"answers.{question}"),
        ]:
            problem = refused(
                hoa.post("/entries", {"paper": paper["paper"], "answers": answers}), 422, "invalid_answers"
            )
            assert [error["field"] for error in problem["errors"]] == [field]
        assert hoa.hand_in(paper)["receipt"]

    @pytest.mark.parametrize(
        ("part", "field"),
        [
            ({"answers": None}, "answers"),
            ({"answers": []}, "answers"),
            ({"answers": {"1": "a"}}, "answers"),
            ({"answers": {"1": [1]}}, "answers"),
            ({"answers": {}, "prediction": "x"}, "prediction"),
            ({"answers": {}, "prediction": 1.5}, "prediction"),
            ({"answers": {}, "prediction": -1}, "prediction"),
            ({"answers": {}, "prediction": 1_000_001}, "prediction"),
            ({"answers": {}, "receipt": 5}, "receipt"),
        ],
    )
    def test_fields_of_the_wrong_kind_are_named(self, hoa: Caller, part: dict[str, object], field: str) -> None:
        problem = refused(hoa.post("/entries", {"paper": hoa.start()["paper"], **part}), 422, "invalid_request")
        assert problem["errors"][0]["field"].startswith(field)

    def test_a_whole_number_may_be_written_as_a_float(self, world: World, hoa: Caller) -> None:
        hoa.hand_in(hoa.start(), prediction=12.0)
        world.drain()
        assert db.session.query(Entry).one().prediction == 12

    def test_within_the_grace_and_after_it(self, world: World, hoa: Caller, nam: Caller) -> None:
        in_time, too_late = hoa.start(), nam.start()
        world.at.forward(minutes=10, seconds=30)
        assert hoa.hand_in(in_time)["receipt"]
        world.at.forward(milliseconds=1)
        refused(nam.post("/entries", {"paper": too_late["paper"], "answers": {}}), 410, "paper_expired")

    def test_after_the_grace_the_draft_is_the_entry(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        draft = first_options(paper)
        assert hoa.put("/papers/draft", {"paper": paper["paper"], "answers": draft, "seq": 1}).status_code == 204
        world.at.forward(minutes=20)
        receipt = hoa.hand_in(paper, {})
        assert datetime.fromisoformat(receipt["received_at"]) == NOW + timedelta(minutes=10)
        assert world.drain() == 1
        assert 0 not in set(db.session.query(Entry).one().answers[1::2])

    def test_a_paper_of_a_closed_round_has_expired(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        world.at.now = seasons.OPENS + 3 * seasons.WEEK
        refused(hoa.post("/entries", {"paper": paper["paper"], "answers": {}}), 410, "paper_expired")

    def test_without_redis_nothing_is_promised(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        world.platform.gateway.client.delete(
            *(keys.config(world.rounds[2].id, shard) for shard in range(world.rounds[2].shards))
        )
        body = {"paper": paper["paper"], "answers": first_options(paper)}
        refused(hoa.post("/entries", body), 503, "intake_unavailable")
        world.prime()
        assert hoa.post("/entries", body).status_code == 202

    def test_after_a_lost_redis_the_tables_know_the_receipt(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        first = hoa.hand_in(paper, prediction=3)
        world.drain()
        world.platform.gateway.client.flushall()
        world.prime()
        assert hoa.hand_in(paper, {}) == first
        assert world.drain() == 0

    def test_after_a_lost_redis_a_receipt_proves_what_was_accepted(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        first = hoa.hand_in(paper)
        world.platform.gateway.client.flushall()
        world.prime()
        world.at.forward(hours=2)
        refused(hoa.post("/entries", {"paper": paper["paper"], "answers": first_options(paper)}), 410, "paper_expired")
        again = hoa.post(
            "/entries", {"paper": paper["paper"], "answers": first_options(paper), "receipt": first["receipt"]}
        )
        assert (again.status_code, again.json) == (202, first)

    def test_of_a_final_round_the_tables_answer(self, world: World, hoa: Caller, nam: Caller) -> None:
        paper, never = hoa.start(), nam.start()
        first = hoa.hand_in(paper, prediction=3)
        world.drain()
        world.at.now = seasons.OPENS + 3 * seasons.WEEK
        made = world.rounds[2]
        made.finalized_at = world.at.now
        db.session.commit()
        season.publish(db.session(), world.platform.gateway.client)
        for shard in range(made.shards):
            world.platform.gateway.client.delete(keys.config(made.id, shard), keys.attempts(made.id, shard))
        world.platform.season.forget()
        assert hoa.hand_in(paper, {}) == first
        body = {"paper": never["paper"], "answers": {}}
        refused(nam.post("/entries", body), 410, "paper_expired")
        refused(nam.put("/papers/draft", body), 410, "paper_expired")
        refused(nam.post("/rounds/2/papers"), 403, "round_not_open")


class TestDraft:
    def test_kept_and_the_lower_seq_is_ignored(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        late = {"paper": paper["paper"], "answers": first_options(paper), "seq": 2}
        early = {"paper": paper["paper"], "answers": {}, "seq": 1}
        for body in (late, early):
            response = hoa.put("/papers/draft", body)
            assert (response.status_code, response.data) == (204, b"")
        world.at.forward(minutes=11)
        hoa.hand_in(paper, {})
        world.drain()
        assert 0 not in set(db.session.query(Entry).one().answers[1::2])

    def test_refusals(self, world: World, hoa: Caller, nam: Caller) -> None:
        paper = hoa.start()
        body = {"paper": paper["paper"], "answers": {}}
        refused(hoa.put("/papers/draft", {"answers": {}}), 400, "invalid_paper")
        refused(nam.put("/papers/draft", body), 400, "invalid_paper")
        refused(hoa.put("/papers/draft", {"paper": paper["paper"]}), 422, "invalid_request")
        refused(hoa.put("/papers/draft", {**body, "answers": {"99": ["1"]}}), 422, "invalid_answers")
        for seq in (-1, 1.5, "1", 2**60):
            refused(hoa.put("/papers/draft", {**body, "seq": seq}), 422, "invalid_request")
        world.at.forward(minutes=10, seconds=31)
        refused(hoa.put("/papers/draft", body), 410, "paper_expired")

    def test_after_handing_in_a_draft_changes_nothing(self, world: World, hoa: Caller) -> None:
        paper = hoa.start()
        first = hoa.hand_in(paper, {})
        body = {"paper": paper["paper"], "answers": first_options(paper), "seq": 9}
        assert hoa.put("/papers/draft", body).status_code == 204
        assert hoa.hand_in(paper) == first
        world.drain()
        assert set(db.session.query(Entry).one().answers) == {0}


def test_the_hot_path_asks_no_table(world: World, hoa: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting, drafts and handing in work as before with PostgreSQL gone."""
    monkeypatch.setattr(
        type(db.engine), "connect", lambda *_a, **_k: (_ for _ in ()).throw(AssertionError("a table was asked"))
    )
    paper = hoa.start()
    assert hoa.put("/papers/draft", {"paper": paper["paper"], "answers": {}}).status_code == 204
    assert hoa.hand_in(paper)["receipt"]
