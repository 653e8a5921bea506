"""A corrected key from the proposal to the boards: counted, approved by a second organizer, written once, told once."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake.boards import DIRTY
from quiz.intake.season import RoundCard
from quiz.models import Announcement, AuditEvent, Bank, KeyProposal, KeyVersion, Round
from quiz.services import corrections
from quiz.services.awards import lists
from quiz.services.corrections import Answer
from scoring import jobs, recount, regrade
from scoring.schedule import Scheduler
from scoring.storing import load_scorer
from tests import staffing
from tests.scoring.conftest import QUESTIONS, drain, hand_in

FIRST, SECOND = "0912000001", "0912000002"
NOTICE = ("Sửa đáp án", "Đáp án tuần này được sửa.")
RIGHT_IS_2 = {str(number): Answer(("b",)) for number in range(1, QUESTIONS + 1)}


@pytest.fixture
def played(app: Flask, platform: Platform, card: RoundCard, monkeypatch: pytest.MonkeyPatch) -> RoundCard:
    """Persons 1 to 3 answered 4, 2 and 0 questions with option a, the others with b; a is right."""
    content = [
        {
            "id": str(place + 1),
            "text": f"Câu {place + 1}?",
            "multiple": place == 3,
            "topic": "",
            "difficulty": 2,
            "options": [{"id": letter, "text": letter.upper()} for letter in "abc"],
        }
        for place in range(QUESTIONS)
    ]
    db.session.add(Bank(round_id=card.id, version=1, content=content, frozen_at=clock.now()))
    for participant, right in [(1, 4), (2, 2), (3, 0)]:
        hand_in(platform, card, participant, 1, right, unit=10, after=participant * 1_000)
    drain(platform, card)
    staffing.make("organizer", FIRST, name="Lê Hoàng Nam")
    staffing.make("organizer", SECOND, name="Trần Thị Mai")
    monkeypatch.setattr(jobs, "application", lambda: app)
    platform.cache.delete(DIRTY)
    return card


ONE, TWO = 1, 2


def propose(card: RoundCard, changes: dict[str, Answer] | None = None, **given: Any) -> int:
    given = {"actor_id": ONE, "reason": "Đáp án sai", "notice": NOTICE} | given
    made = corrections.propose(
        db.session(), db.session.get_one(Round, card.id), changes or RIGHT_IS_2, clock.now(), **given
    )
    db.session.commit()
    return made.id


def approve(proposal_id: int, actor_id: int = TWO, typed: str = "1") -> None:
    corrections.approve(db.session(), proposal_id, typed, clock.now(), actor_id=actor_id)
    db.session.commit()


def state(proposal_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(KeyProposal, proposal_id, populate_existing=True).state


def data() -> list[Any]:
    """Every row but those of the audit log."""
    tables = ("entry", "standing", "tally", "contest_standing", "contest_tally", "round", "counting_event")
    rows: list[Any] = []
    for table in (*tables, "key_version", "key_proposal", "announcement", "bank"):
        rows += db.session.execute(text(f"SELECT '{table}', x::text FROM {table} x ORDER BY 2")).all()
    db.session.rollback()
    return rows


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("key.%")).order_by("id")))


def test_the_dry_run_is_counted_by_a_worker_and_kept(played: RoundCard) -> None:
    proposal_id = propose(played)
    assert state(proposal_id) == "counting"
    jobs.correct_key(proposal_id)
    held = db.session.get_one(KeyProposal, proposal_id, populate_existing=True)
    assert held.state == "counted"
    assert held.effect is not None
    assert {name: held.effect[name] for name in ("entries", "up", "down")} == {"entries": 2, "up": 1, "down": 1}
    assert db.session.scalar(text("SELECT sum(score) FROM entry")) == 6


def test_applied_it_equals_a_recount_and_is_told_and_traced(played: RoundCard, platform: Platform) -> None:
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    approve(proposal_id)
    jobs.correct_key(proposal_id)
    assert state(proposal_id) == "done"
    scores = db.session.execute(text("SELECT person_id, score FROM standing ORDER BY 1")).all()
    assert [tuple(row) for row in scores] == [(1, 0), (2, 2), (3, 4)]
    assert recount.check(db.session(), [played.id]) == []
    assert platform.cache.smembers(DIRTY) == {str(played.id).encode()}
    told = db.session.scalars(select(Announcement)).one()
    assert (told.round_id, told.title, told.body) == (played.id, *NOTICE)
    assert [notice.title for notice in platform.season.refresh().contests["test"].notices] == [NOTICE[0]]
    assert acts() == ["key.proposed", "key.approved", "key.applied"]
    assert corrections.progress(platform.queue, proposal_id) is None


def test_the_job_twice_changes_nothing_more(played: RoundCard) -> None:
    proposal_id = propose(played)
    for _ in range(2):
        jobs.correct_key(proposal_id)
    approve(proposal_id)
    jobs.correct_key(proposal_id)
    before = data()
    jobs.correct_key(proposal_id)
    assert data() == before
    assert acts().count("key.applied") == 1


def test_cancelled_no_row_differs_but_the_log_knows(played: RoundCard) -> None:
    before = data()
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    corrections.cancel(db.session(), proposal_id, clock.now(), actor_id=TWO, reason="nhầm")
    db.session.commit()
    assert data() == before
    assert acts() == ["key.proposed", "key.cancelled"]


def test_cancelled_while_it_is_counted_the_dry_run_stops(played: RoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    before = data()
    proposal_id = propose(played)
    real = corrections.still_there

    def cancel_first(session: Any, which: int) -> None:
        with db.engine.begin() as other:
            other.execute(text("DELETE FROM key_proposal"))
            other.execute(text("DELETE FROM key_version WHERE version > 1"))
        real(session, which)

    monkeypatch.setattr(corrections, "still_there", cancel_first)
    jobs.correct_key(proposal_id)
    assert data() == before


def test_who_proposed_can_t_approve(played: RoundCard) -> None:
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    with pytest.raises(Refusal) as refused:
        approve(proposal_id, actor_id=ONE)
    assert [error.field for error in refused.value.errors] == ["round"]
    assert state(proposal_id) == "counted"


def test_the_number_of_the_round_has_to_be_typed(played: RoundCard) -> None:
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    with pytest.raises(Refusal) as refused:
        approve(proposal_id, typed="2")
    assert [error.field for error in refused.value.errors] == ["typed"]


def test_nothing_is_approved_before_it_is_counted(played: RoundCard) -> None:
    proposal_id = propose(played)
    with pytest.raises(Refusal):
        approve(proposal_id)
    assert state(proposal_id) == "counting"


def test_numbers_under_another_key_are_not_approved(played: RoundCard) -> None:
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    key = [{"accept": [4], "void": False}] * QUESTIONS
    db.session.add(KeyVersion(round_id=played.id, bank_version=1, version=9, key=key, created_at=clock.now()))
    db.session.flush()
    regrade.apply(db.session(), played.id, 9, clock.now(), reason="x", actor_id=None)
    db.session.commit()
    with pytest.raises(Refusal):
        approve(proposal_id)


def test_a_proposed_key_scores_nothing(played: RoundCard, platform: Platform) -> None:
    """Entries that come in while it waits are scored with the key in force."""
    in_force = [[1]] * QUESTIONS
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    hand_in(platform, played, 4, 1, 3, unit=10)
    drain(platform, played)
    assert db.session.scalar(text("SELECT score FROM entry WHERE participant_id = 4")) == 3
    cursor = db.session().connection().connection.driver_connection.cursor()  # type: ignore[union-attr]
    scorer = load_scorer(cursor, played.id)
    assert scorer.key_version == 1
    assert [sorted(key.accept) for key in scorer.keys[1]] == in_force


def test_one_correction_of_a_round_at_a_time(played: RoundCard) -> None:
    propose(played)
    with pytest.raises(Refusal):
        propose(played)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(("a", "b")), {"accept": [1, 2], "void": False}),
        (Answer(("c",), keep=True), {"accept": [1, 4], "void": False}),
        (Answer(void=True), {"accept": [1], "void": True}),
    ],
)
def test_what_a_question_of_one_choice_takes(played: RoundCard, answer: Answer, expected: dict[str, Any]) -> None:
    proposal_id = propose(played, {"1": answer})
    key = db.session.get_one(KeyProposal, proposal_id).key.key
    assert key == [expected, *[{"accept": [1], "void": False}] * (QUESTIONS - 1)]


def test_a_question_of_several_choices_wants_them_all(played: RoundCard) -> None:
    proposal_id = propose(played, {"4": Answer(("a", "b"))})
    assert db.session.get_one(KeyProposal, proposal_id).key.key[3] == {"accept": [3], "void": False}


@pytest.mark.parametrize(
    ("changes", "given", "field"),
    [
        ({"1": Answer(("a",))}, {}, "changes"),
        ({"1": Answer()}, {}, "changes"),
        ({"1": Answer(("z",))}, {}, "changes"),
        ({"99": Answer(("a",))}, {}, "changes"),
        (RIGHT_IS_2, {"reason": " "}, "reason"),
        (RIGHT_IS_2, {"notice": ("Sửa", "")}, "notice"),
    ],
)
def test_what_is_no_correction(
    played: RoundCard, changes: dict[str, Answer], given: dict[str, Any], field: str
) -> None:
    before = data()
    with pytest.raises(Refusal) as refused:
        propose(played, changes, **given)
    db.session.rollback()
    assert [error.field for error in refused.value.errors] == [field]
    assert data() == before


def test_the_tick_hands_on_what_no_worker_is_at(played: RoundCard, platform: Platform) -> None:
    proposal_id = propose(played)
    scheduler = Scheduler(platform)
    waiting = jobs.queue(platform.queue, "default")
    with corrections.alone(db.engine, proposal_id) as mine:
        assert mine
        scheduler.tick(clock.now())
        assert waiting.count == 0
    scheduler.tick(clock.now())
    scheduler.tick(clock.now())
    assert [job.func_name for job in waiting.jobs] == ["scoring.jobs.correct_key"]
    assert waiting.jobs[0].args == [proposal_id]


def test_a_worker_that_died_before_the_boards_knew_is_followed_by_another(
    played: RoundCard, platform: Platform
) -> None:
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    approve(proposal_id)
    db.session.execute(text("UPDATE key_proposal SET state = 'written'"))
    db.session.commit()
    jobs.correct_key(proposal_id)
    assert state(proposal_id) == "done"
    assert platform.cache.smembers(DIRTY) == {str(played.id).encode()}


def test_what_kills_its_worker_is_not_tried_for_ever(played: RoundCard, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal_id = propose(played)

    def die(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(regrade, "rescore", die)
        for _ in range(corrections.MAX_TRIES):
            with pytest.raises(MemoryError):
                jobs.correct_key(proposal_id)
    assert corrections.waiting(db.session()) == []
    corrections.try_again(db.session(), proposal_id)
    db.session.commit()
    jobs.correct_key(proposal_id)
    assert state(proposal_id) == "counted"


def test_the_rest_of_the_time_is_told_from_what_is_done(app: Flask, platform: Platform) -> None:
    from datetime import timedelta

    now = clock.now()
    corrections.note_progress(platform.queue, 7, 10, 40, now)
    corrections.note_progress(platform.queue, 7, 30, 40, now + timedelta(seconds=6))
    held = corrections.progress(platform.queue, 7)
    assert held is not None
    assert (held.percent, held.rest_ms) == (75, 2_000)


# Prizes


PRIZES = [{"key": "first", "name": "Giải Nhất", "kind": "individual", "count": 1, "value": 1_000_000}]


def with_prizes(card: RoundCard) -> None:
    """Accounts for the three who played, and a first prize in a final round."""
    for number in (1, 2, 3):
        db.session.execute(
            text(
                "INSERT INTO users (id, person_id, full_name, role, unit_id, auth_epoch, created_at, synthetic) "
                "OVERRIDING SYSTEM VALUE SELECT :id, :id, 'Thí sinh ' || :id, 'participant', min(id), 0, now(), true "
                "FROM unit ON CONFLICT (id) DO UPDATE SET full_name = excluded.full_name"
            ),
            {"id": number},
        )
    made = db.session.get_one(Round, card.id)
    made.rules = made.rules | {"prizes": PRIZES}
    made.finalized_at = made.published_at = clock.now()
    db.session.commit()


def test_the_dry_run_says_whose_prize_changes_and_an_announced_list_is_flagged(played: RoundCard) -> None:
    with_prizes(played)
    made = lists.begin(db.session(), db.session.get_one(Round, played.id), clock.now(), actor_id=ONE)
    lists.fill(db.session(), made.id, clock.now())
    lists.check(db.session(), made.id, clock.now(), actor_id=TWO)
    lists.announce(db.session(), made.id, "1", clock.now(), actor_id=ONE)
    db.session.commit()
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    held = db.session.get_one(KeyProposal, proposal_id, populate_existing=True)
    change = [{"prize": "first", "before": ["person", 1], "after": ["person", 3]}]
    assert held.effect is not None
    assert held.effect["prizes"] == {"count": 1, "lots": 0, "list": "announced", "places": change}
    story = corrections.story(db.session(), held)
    assert story.prizes == [("Giải Nhất", story.names[1], "Thí sinh 3")]
    approve(proposal_id)
    jobs.correct_key(proposal_id)
    db.session.rollback()
    db.session.refresh(made)
    assert made.state == "announced"
    assert [award.person_id for award in lists.living(made)] == [1]
    assert made.doubt is not None
    assert made.doubt["places"] == change


def test_without_a_list_the_dry_run_compares_what_would_be_given(played: RoundCard) -> None:
    with_prizes(played)
    proposal_id = propose(played)
    jobs.correct_key(proposal_id)
    held = db.session.get_one(KeyProposal, proposal_id, populate_existing=True)
    assert held.effect is not None
    assert (held.effect["prizes"]["count"], held.effect["prizes"]["list"]) == (1, None)
