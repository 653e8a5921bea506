"""Appeals: by whom, about what, until when; answered once, with everything in the log."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import pytest
from flask import Flask
from sqlalchemy import select, text

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import db
from quiz.intake.season import RoundCard
from quiz.models import Appeal, AppealTemplate, AuditEvent, CountingRequest, Entry, Round
from quiz.services import appeals, corrections, exclusions
from quiz.services.appeals import Wanted
from quiz.services.corrections import Answer
from scoring import jobs, recount
from tests import staffing
from tests.browser import stage as staging
from tests.browser.stage import CLOSED, OPEN, Stage

WORDS = "Sách giáo khoa trang 45 ghi khác với đáp án của ban tổ chức."
LATER = timedelta(hours=1)


@dataclass
class Case:
    stage: Stage
    card: RoundCard
    entry: Entry
    organizer: int

    @property
    def closed(self) -> datetime:
        return clock.from_ms(self.card.closes + self.card.grace)

    def question(self, place: int = 0) -> str:
        number = int.from_bytes(self.entry.questions[2 * place : 2 * place + 2])
        content, _ = corrections.key_in_force(db.session(), db.session.get_one(Round, self.card.id))
        return str(content[number]["id"])

    def make(self, kind: str = "result", words: str = WORDS, at: datetime | None = None, **given: str) -> Appeal:
        made = appeals.make(db.session(), self.card, self.entry, kind, words, at or self.closed + LATER, **given)
        db.session.commit()
        return made

    def kinds(self, at: datetime, **changes: int) -> set[str]:
        card = msgspec.structs.replace(self.card, **changes)
        return {chance.kind for chance in appeals.chances(db.session(), card, self.entry, at)}


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staging.build(app)


def entrant(stage: Stage, phone: str, name: str = "Nguyễn Thị Lan") -> Entry:
    who = staging.person(stage, phone, name)
    at = clock.from_ms(stage.card(CLOSED).opens + 3_600_000)
    stage.take(CLOSED, who, at, 0.5, random.Random(int(phone)))
    stage.count()
    return db.session.scalars(select(Entry).where(Entry.participant_id == who.id)).one()


@pytest.fixture
def case(stage: Stage) -> Case:
    entry = entrant(stage, staging.PHONE)
    return Case(stage, stage.card(CLOSED), entry, staffing.make("organizer").id)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as said:
        act()
    db.session.rollback()
    return said.value.errors[0].field


def test_each_kind_has_its_72_hours(case: Case) -> None:
    second, end = timedelta(seconds=1), appeals.WINDOW
    closes = clock.from_ms(case.card.closes)
    assert case.kinds(closes - second) == set()
    assert case.kinds(closes) == {"result"}
    assert case.kinds(case.closed + second) == {"question", "result"}
    assert case.kinds(closes + end) == {"question"}
    assert case.kinds(case.closed + end) == set()
    published = closes + 2 * end
    assert case.kinds(published + second, published=clock.to_ms(published)) == {"question", "result", "award"}
    assert case.kinds(published + end, published=clock.to_ms(published)) == set()


def test_a_late_exclusion_opens_the_time_anew(case: Case, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "application", lambda: app)
    name = (case.entry.participant_id, 0, case.entry.attempt)
    exclusions.ask(db.session(), case.card.id, [name], "Dùng máy", clock.now(), case.organizer)
    db.session.commit()
    jobs.count_again(exclusions.waiting(db.session())[0])
    db.session.rollback()
    db.session.refresh(case.entry)
    late = case.closed + 5 * appeals.WINDOW
    assert case.kinds(late) == set()
    db.session.execute(text("UPDATE counting_request SET done_at = :at"), {"at": late})
    assert case.kinds(late + LATER) == {"result"}


@pytest.mark.parametrize(
    ("kind", "words", "question", "field"),
    [
        ("result", "ngắn quá", None, "text"),
        ("result", "x" * 2_001, None, "text"),
        ("result", " " * 30, None, "text"),
        ("award", WORDS, None, "kind"),
        ("other", WORDS, None, "kind"),
        ("question", WORDS, None, "question"),
        ("question", WORDS, "none", "question"),
    ],
)
def test_what_is_no_appeal(case: Case, kind: str, words: str, question: str | None, field: str) -> None:
    assert refused(lambda: case.make(kind, words, question_id=question or "")) == field
    assert db.session.scalars(select(Appeal)).all() == []


def test_a_question_that_was_not_on_the_paper_is_none_of_theirs(case: Case) -> None:
    content, _ = corrections.key_in_force(db.session(), db.session.get_one(Round, case.card.id))
    mine = {case.question(place) for place in range(10)}
    other = next(each["id"] for each in content if each["id"] not in mine)
    assert refused(lambda: case.make("question", question_id=other)) == "question"


def test_one_waits_an_entry_and_kind_and_five_are_all(case: Case) -> None:
    case.make("result")
    assert refused(lambda: case.make("result")) == "kind"
    made = case.make("question", question_id=case.question())
    assert made.due_at - made.made_at == appeals.ANSWER_WITHIN
    for _ in range(4):
        appeals.answer(db.session(), [made.id], "rejected", "Giữ nguyên", clock.now(), case.organizer)
        db.session.commit()
        if len(appeals.of_entry(db.session(), case.entry)) == appeals.MOST_AN_ENTRY:
            break
        made = case.make("question", question_id=case.question())
    assert refused(lambda: case.make("question", question_id=case.question())) == "kind"


def test_pressed_twice_at_once_the_table_takes_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.make("result")
    monkeypatch.setattr(appeals, "_of_entry", lambda *_: [])
    assert refused(lambda: case.make("result")) == "kind"
    assert len(db.session.scalars(select(Appeal)).all()) == 1


def test_an_answer_is_given_once_and_stands_in_the_log(case: Case) -> None:
    made = case.make("result").id
    now = clock.now()
    assert refused(lambda: appeals.answer(db.session(), [made], "maybe", "x", now, case.organizer)) == "verdict"
    assert refused(lambda: appeals.answer(db.session(), [made], "accepted", " ", now, case.organizer)) == "answer"
    assert refused(lambda: appeals.answer(db.session(), [], "accepted", "x", now, case.organizer)) == "appeals"
    appeals.answer(db.session(), [made], "rejected", "Giữ nguyên", now, case.organizer)
    db.session.commit()
    assert refused(lambda: appeals.answer(db.session(), [made], "accepted", "x", now, case.organizer)) == "appeals"
    (told,) = appeals.of_entry(db.session(), case.entry)
    assert (told.appeal.state, told.appeal.answer, told.appeal.answered_by) == (
        "rejected",
        "Giữ nguyên",
        case.organizer,
    )
    rows = db.session.execute(
        select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.subject).where(AuditEvent.action.like("appeal.%"))
    )
    assert [tuple(row) for row in rows] == [
        ("appeal.made", case.entry.participant_id, f"appeal:{made}"),
        ("appeal.rejected", case.organizer, f"appeal:{made}"),
    ]


def test_accepted_an_excluded_entry_counts_again(case: Case, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "application", lambda: app)
    name = (case.entry.participant_id, 0, case.entry.attempt)
    exclusions.ask(db.session(), case.card.id, [name], "Dùng máy", clock.now(), case.organizer)
    db.session.commit()
    jobs.count_again(exclusions.waiting(db.session())[0])
    made = case.make("result").id
    appeals.answer(db.session(), [made], "accepted", "Tính lại", clock.now(), case.organizer, count_again=True)
    db.session.commit()
    assert db.session.scalars(select(CountingRequest).where(CountingRequest.appeal_id == made)).one().counted
    jobs.count_again(exclusions.waiting(db.session())[0])
    db.session.rollback()
    assert db.session.scalars(select(Entry.counted)).all() == [True]
    assert recount.check(db.session(), [case.card.id]) == []


def test_what_the_rules_left_out_nobody_puts_back(case: Case) -> None:
    db.session.execute(text("UPDATE entry SET counted = false, excluded_reason = 'late'"))
    db.session.commit()
    name = (case.entry.participant_id, 0, case.entry.attempt)
    field = refused(
        lambda: exclusions.ask(db.session(), case.card.id, [name], "x", clock.now(), case.organizer, counted=True)
    )
    assert field == "entries"


def test_accepted_appeals_are_linked_with_the_correction_and_a_cancelled_one_leaves_nothing(case: Case) -> None:
    question = case.question()
    made = case.make("question", question_id=question)
    session, now = db.session(), clock.now()
    appeals.answer(session, [made.id], "accepted", "Sẽ sửa", now, case.organizer)
    assert [each.id for each in appeals.behind(session, case.card.id, question)] == [made.id]
    changed = session.get_one(Round, case.card.id)
    wrong = next(
        id_ for each in corrections.keyed_questions(session, changed) if each.id == question
        for id_, _, right in each.options if not right
    )  # fmt: skip
    proposal = corrections.propose(
        session, changed, {question: Answer((wrong,))}, now, actor_id=case.organizer, reason="x", notice=("a", "b")
    )
    assert appeals.link(session, proposal, [question], now, case.organizer) == 1
    session.commit()
    assert appeals.linked_with(session, proposal.id) == [made.id]
    corrections.cancel(session, proposal.id, now, actor_id=case.organizer, reason="nhầm")
    session.commit()
    assert [each.id for each in appeals.behind(session, case.card.id, question)] == [made.id]


def test_the_queue_is_ordered_searched_and_paged(case: Case) -> None:
    entries = [case.entry, entrant(case.stage, "0912345679", "Đặng Văn Ước")]
    for number, entry in enumerate(entries):
        at = case.closed + LATER * (2 - number)
        appeals.make(db.session(), case.card, entry, "result", f"{WORDS} Lần {number}", at)
    db.session.commit()

    def found(size: int = 50, **wanted: object) -> list[str]:
        names: list[str] = []
        after = None
        while True:
            page = appeals.page(db.session(), Wanted(after=after, **wanted), clock.now(), size)  # type: ignore[arg-type]
            names += [line.name for line in page.lines]
            after = page.following
            if after is None:
                return names

    assert found() == found(size=1) == ["Đặng Văn Ước", "Nguyễn Thị Lan"]
    assert found(words="DANG uoc") == ["Đặng Văn Ước"]
    assert found(words="sach giao khoa lan 0") == ["Nguyễn Thị Lan"]
    assert found(words="100%") == []
    assert found(kind="question") == found(state="accepted") == found(round_id=case.stage.card(OPEN).id) == []
    late = appeals.page(db.session(), Wanted(), case.closed + 10 * appeals.WINDOW)
    assert [line.overdue for line in late.lines] == [True, True]
    assert appeals.waiting_counts(db.session(), case.closed + 10 * appeals.WINDOW) == (2, 2)
    assert appeals.waiting_counts(db.session(), case.closed) == (2, 0)


def test_several_about_one_question_are_a_group(case: Case) -> None:
    other = entrant(case.stage, "0912345679")
    other.questions = case.entry.questions
    question = case.question()
    first = case.make("question", question_id=question)
    assert appeals.groups(db.session()) == []
    appeals.make(db.session(), case.card, other, "question", WORDS, case.closed + LATER, question_id=question)
    db.session.commit()
    (group,) = appeals.groups(db.session())
    assert (group.question_id, group.count, group.round.number) == (question, 2, CLOSED)
    ids = [first.id, *appeals.open_about(db.session(), first)]
    assert len(appeals.answer(db.session(), ids, "accepted", "Sẽ sửa", clock.now(), case.organizer)) == 2


def test_words_for_answers_are_made_changed_and_put_away(case: Case) -> None:
    def keep(which: int | None, title: str = "Giữ", body: str = "vì", verdict: str = "rejected", **more: bool) -> int:
        made = appeals.keep_template(db.session(), which, title, body, verdict, clock.now(), case.organizer, **more)
        db.session.commit()
        return made.id

    made = keep(None)
    keep(made, body="vì sách ghi vậy")
    assert [(each.id, each.body) for each in appeals.templates(db.session())] == [(made, "vì sách ghi vậy")]
    assert refused(lambda: keep(made, title=" ")) == "title"
    assert refused(lambda: keep(made, body=" ")) == "body"
    assert refused(lambda: keep(made, verdict="x")) == "verdict"
    with pytest.raises(Refusal):
        keep(999)
    db.session.rollback()
    keep(made, retire=True)
    assert appeals.templates(db.session()) == []
    assert len(db.session.scalars(select(AppealTemplate)).all()) == 1
