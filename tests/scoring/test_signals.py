"""What is shown to people, and what is not; nothing twice, and nobody excluded by it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from quiz import clock
from quiz.errors import Refusal
from quiz.extensions import Platform, db
from quiz.intake import work
from quiz.intake.boards import DIRTY
from quiz.models import AuditEvent, Bank, CountingEvent, CountingRequest, Entry, KeyVersion, Round, Signal, User
from quiz.services import accounts, exclusions, people, signals, staff, units
from scoring import jobs, recount
from scoring import signals as search
from scoring.schedule import Scheduler
from scoring.signals import likeness
from tests import seasons, staffing

QUESTIONS = 10
UNITS = ("Một", "Hai")
_Sheet = tuple[Sequence[int], Sequence[int]]


@pytest.fixture
def held(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Round:
    """A round of 20 questions; option 1 of each is right. 240 people of two communes took about three minutes."""
    monkeypatch.setattr(jobs, "application", lambda: app)
    session = db.session()
    made = seasons.scheduled_round(session, seasons.contest(session))
    key = [{"accept": [1], "void": False}] * 20
    session.execute(text("UPDATE key_version SET key = CAST(:key AS jsonb)"), {"key": clock_json(key)})
    chance = random.Random(3)
    for number in range(1, 241):
        person(number)
        hand_in(made, number, sheet(chance), seconds=chance.gauss(180, 30), minute=3 * number, unit=1 + number % 2)
    session.commit()
    count(made)
    return made


def clock_json(value: object) -> str:
    import json

    return json.dumps(value)


def person(number: int) -> None:
    unit = units.get(db.session(), "40").id
    made = accounts.add_user(db.session(), seasons.OPENS, full_name=f"Người {number}", phone=None, unit_id=unit)
    assert made.id == number


def sheet(chance: random.Random, right: float = 0.6) -> _Sheet:
    places = sorted(chance.sample(range(20), QUESTIONS))
    return places, [1 if chance.random() < right else chance.choice([2, 4, 8]) for _ in places]


def hand_in(
    made: Round,
    participant: int,
    given: _Sheet,
    *,
    seconds: float = 180,
    minute: float = 0,
    unit: int = 1,
    attempt: int = 1,
    device: str | None = None,
    group: int | None = None,
    wrong_key: int = 1,
) -> None:
    places, answers = given
    received = seasons.OPENS + timedelta(minutes=minute, hours=1)
    right = sum(mask == wrong_key for mask in answers)
    db.session.add(
        Entry(
            round_id=made.id,
            participant_id=participant,
            issuer=0,
            attempt=attempt,
            unit_id=unit,
            bank_version=1,
            key_version=1,
            kind=1,
            score=right,
            correct=right,
            prediction=None,
            duration_ms=int(seconds * 1000),
            started_at=received - timedelta(seconds=seconds),
            received_at=received,
            questions=b"".join(place.to_bytes(2) for place in places),
            answers=b"".join(mask.to_bytes(2) for mask in answers),
            merit=bytes([right, attempt]),
            channel=None,
            session_id=group,
            device=device,
        )
    )


def count(made: Round) -> None:
    recount.repair(db.session(), [made.id])
    db.session.commit()


def find(made: Round, kind: str) -> list[Signal]:
    jobs.find_signals(made.id)
    db.session.rollback()
    return list(db.session.scalars(select(Signal).where(Signal.kind == kind).order_by(Signal.id)))


ALL_RIGHT: _Sheet = (list(range(QUESTIONS)), [1] * QUESTIONS)


def test_a_round_as_people_are_has_no_signal(held: Round) -> None:
    jobs.find_signals(held.id)
    assert db.session.scalars(select(Signal)).all() == []
    scan = signals.scan_of(db.session(), held.id)
    assert scan is not None
    assert scan.at is not None
    assert {kind: scan.figures[kind]["found"] for kind in ("speed", "twins", "device", "session")} == {
        "speed": 0, "twins": 0, "device": 0, "session": 0
    }  # fmt: skip
    assert scan.figures["limits"]["reading_share"] == 0.2


def test_a_sheet_faster_than_it_can_be_read_is_shown(held: Round) -> None:
    person(241)
    hand_in(held, 241, ALL_RIGHT, seconds=4)
    hand_in(held, 241, ALL_RIGHT, seconds=6, attempt=2)
    db.session.commit()
    (found,) = find(held, "speed")
    assert found.subject == "241"
    evidence = found.evidence
    assert (evidence["entries"], evidence["duration_ms"], evidence["correct"], evidence["questions"]) == (
        2,
        4_000,
        10,
        10,
    )
    # "Câu hỏi 1?" and four times "Phương án 1.0": 62 letters, a little more for two digits; at 863 a minute.
    letters = sum(len(f"Câu hỏi {n}?") + 4 * len(f"Phương án {n}.0") for n in texts_of(held, ALL_RIGHT[0]))
    assert evidence["reading_ms"] == pytest.approx(letters * 60_000 / 863, abs=1)
    assert evidence["limit_ms"] == pytest.approx(evidence["reading_ms"] * 0.2, abs=1)
    assert evidence["cut_ms"] > 6_000
    assert [(each.participant_id, each.attempt) for each in found.entries] == [(241, 1), (241, 2)]
    assert db.session.scalar(text("SELECT count(*) FROM entry WHERE NOT counted")) == 0


def texts_of(made: Round, places: Sequence[int]) -> list[str]:
    content = db.session.scalars(select(Bank.content).where(Bank.round_id == made.id)).one()
    return [content[place]["text"].removeprefix("Câu hỏi ").removesuffix("?") for place in places]


def test_fast_where_everybody_is_fast_is_not_shown(held: Round) -> None:
    """A paper that a whole round did in eight seconds is an easy one: far from the others it has to be as well."""
    db.session.execute(text("UPDATE entry SET duration_ms = 8000 + participant_id * 10"))
    db.session.commit()
    assert find(held, "speed") == []


def test_the_same_wrong_answers_side_by_side_are_shown(held: Round) -> None:
    chance = random.Random(5)
    places, answers = sheet(chance, right=0.2)
    for number, minute in ((241, 100.0), (242, 101.5), (243, 104.0)):
        person(number)
        hand_in(held, number, (places, answers), minute=minute)
    db.session.commit()
    (found,) = find(held, "twins")
    wrong = sum(mask != 1 for mask in answers)
    evidence = found.evidence
    assert (found.subject, evidence["people"]) == ("241.0.1", 3)
    assert (evidence["shared"], evidence["alike"], evidence["same_wrong"]) == (QUESTIONS, QUESTIONS, wrong)
    assert evidence["chance_log10"] <= -5
    assert {(each["place"], each["mask"]) for each in evidence["answers"]} == {
        (place, mask) for place, mask in zip(places, answers, strict=True) if mask != 1
    }


@pytest.mark.parametrize(
    "apart",
    [{"unit": 2}, {"minute": 200.0}, {"participant": 241, "attempt": 2}],
    ids=["of another unit", "hours later", "the same person"],
)
def test_what_is_no_twin(held: Round, apart: dict[str, float]) -> None:
    given = sheet(random.Random(5), right=0.2)
    for number in (241, 242):
        person(number)
    hand_in(held, 241, given, minute=100)
    second: dict[str, Any] = {"participant": 242, "given": given, "minute": 101} | apart
    hand_in(held, **second)
    db.session.commit()
    assert find(held, "twins") == []


def test_under_a_corrected_key_what_was_wrong_is_no_signal(held: Round) -> None:
    given = sheet(random.Random(5), right=0.2)
    for number in (241, 242):
        person(number)
        hand_in(held, number, given, minute=100)
    everything = [{"accept": [1], "void": True}] * 20
    db.session.add(KeyVersion(round_id=held.id, bank_version=1, version=2, key=everything, created_at=clock.now()))
    db.session.execute(text("UPDATE round SET key_version = 2"))
    db.session.commit()
    assert find(held, "twins") == []


def test_how_alike_two_sheets_are() -> None:
    one, other = {0: 2, 1: 4, 2: 1, 3: 1, 4: 8}, {0: 2, 1: 4, 2: 1, 3: 2, 9: 1}
    seen = likeness(one, other, lambda item: item & 0xFFFF != 1, lambda item: 0.1)
    # Four shared, three alike, two of these wrong; 0.1 * 0.1 * C(4, 1) = 0.04.
    assert (seen.shared, seen.alike, seen.same_wrong) == (4, 3, [2, 1 << 16 | 4])
    assert seen.chance_log10 == pytest.approx(-1.39794, abs=1e-5)


@pytest.mark.parametrize(("people_there", "shown"), [(4, 0), (5, 1)])
def test_many_people_on_one_device_are_shown(held: Round, people_there: int, shown: int) -> None:
    chance = random.Random(7)
    for number in range(241, 241 + people_there):
        person(number)
        hand_in(held, number, sheet(chance), minute=10 * number, device="abcdefghijkl")
        hand_in(held, number, sheet(chance), minute=10 * number + 1, attempt=2, device="abcdefghijkl", unit=2)
    db.session.commit()
    found = find(held, "device")
    assert len(found) == shown
    if found:
        assert (found[0].evidence["people"], found[0].evidence["entries"]) == (5, 10)


def test_a_group_session_far_better_than_the_round_is_shown(held: Round) -> None:
    chance = random.Random(9)
    for number in range(241, 261):
        person(number)
        usual = number > 250
        given = sheet(chance) if usual else (sheet(chance)[0], [1] * QUESTIONS)
        hand_in(held, number, given, minute=500 + number, group=2 if usual else 1, unit=2)
    db.session.commit()
    (found,) = find(held, "session")
    assert (found.subject, found.evidence["entries"], found.evidence["all_right"]) == ("1", 10, 10)


def quick(held: Round) -> Signal:
    person(241)
    hand_in(held, 241, ALL_RIGHT, seconds=4)
    db.session.commit()
    count(held)
    return find(held, "speed")[0]


def test_run_twice_it_makes_nothing_twice_and_what_was_decided_stays(held: Round) -> None:
    first = quick(held)
    signals.dismiss(db.session(), [first.id], "Đã gọi điện", clock.now(), 1)
    db.session.commit()
    person(242)
    hand_in(held, 242, ALL_RIGHT, seconds=5)
    db.session.commit()
    again = find(held, "speed")
    assert [(each.subject, each.state, each.reason) for each in again] == [
        ("241", "dismissed", "Đã gọi điện"),
        ("242", "open", ""),
    ]
    before = db.session.execute(text("SELECT s::text FROM signal s ORDER BY id")).all()
    jobs.find_signals(held.id)
    assert db.session.execute(text("SELECT s::text FROM signal s ORDER BY id")).all() == before


@pytest.fixture
def organizer(held: Round) -> User:
    return staffing.make("organizer")


def test_excluded_it_leaves_the_count_once_and_the_log_knows(
    held: Round, organizer: Callable[[], User], platform: Platform
) -> None:
    person_id = organizer.id  # type: ignore[attr-defined]
    count_before = db.session.scalar(text("SELECT sum(entries) FROM tally"))
    db.session.execute(text("SELECT setval('users_id_seq', 240)"))
    found = quick_with(held)
    signals.exclude(db.session(), found.id, [(500, 0, 1)], "Nộp quá nhanh", clock.now(), person_id)
    db.session.commit()
    Scheduler(platform).tick(clock.now())
    assert "scoring.jobs.count_again" in {job.func_name for job in jobs.queue(platform.queue, "default").jobs}
    (request_id,) = exclusions.waiting(db.session())
    for _ in range(2):
        jobs.count_again(request_id)
    db.session.rollback()
    assert db.session.get_one(Entry, (held.id, 500, 0, 1), populate_existing=True).excluded_reason == "Nộp quá nhanh"
    assert db.session.scalar(text("SELECT sum(entries) FROM tally")) == count_before
    assert recount.check(db.session(), [held.id]) == []
    assert len(db.session.scalars(select(CountingEvent)).all()) == 1
    assert str(held.id).encode() in platform.cache.smembers(DIRTY)
    acts = list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    assert acts[-2:] == ["signal.acted", "entries.excluded"]
    exclusions.ask(db.session(), held.id, [(500, 0, 1)], "Nhầm", clock.now(), person_id, counted=True)
    db.session.commit()
    jobs.count_again(exclusions.waiting(db.session())[0])
    assert db.session.get_one(Entry, (held.id, 500, 0, 1), populate_existing=True).counted
    assert recount.check(db.session(), [held.id]) == []


def quick_with(held: Round) -> Signal:
    """Somebody with number 500 who was too quick."""
    unit = units.get(db.session(), "40").id
    db.session.execute(
        text(
            "INSERT INTO users (id, person_id, full_name, unit_id, role, auth_epoch, created_at, synthetic) "
            "OVERRIDING SYSTEM VALUE VALUES (500, 500, 'Nhanh', :unit, 'participant', 0, now(), false)"
        ),
        {"unit": unit},
    )
    hand_in(held, 500, ALL_RIGHT, seconds=4)
    db.session.commit()
    count(held)
    return find(held, "speed")[0]


def test_entries_of_something_else_can_t_be_excluded_by_it(held: Round, organizer: User) -> None:
    actor = organizer.id
    found = quick_with(held)
    for entries in ([(1, 0, 1)], [], [(500, 0, 9)]):
        with pytest.raises(Refusal):
            signals.exclude(db.session(), found.id, entries, "x", clock.now(), actor)
        db.session.rollback()
    with pytest.raises(Refusal):
        signals.exclude(db.session(), found.id, [(500, 0, 1)], " ", clock.now(), actor)
    db.session.rollback()
    assert db.session.scalars(select(CountingRequest)).all() == []
    assert db.session.get_one(Signal, found.id, populate_existing=True).state == "open"


def test_a_bar_goes_the_way_of_all_bars(held: Round, organizer: User, platform: Platform) -> None:
    actor = organizer.id
    found = quick_with(held)
    asker = staff.Staff(actor, "Lê Hoàng Nam", "organizer", None, None, None)
    season = platform.season
    seasons.published(db.session(), platform.gateway.client, held)
    signals.bar(
        db.session(), platform.gateway.client, season.refresh(), asker, found.id, 500, "Máy làm hộ", clock.now()
    )
    assert db.session.get_one(User, 500, populate_existing=True).barred_reason == "Máy làm hộ"
    assert db.session.get_one(Signal, found.id, populate_existing=True).state == "acted"
    assert people.search(db.session(), asker, group="barred").rows[0].id == 500


def test_after_the_close_a_round_is_looked_through_by_itself_once(held: Round, platform: Platform) -> None:
    seasons.published(db.session(), platform.gateway.client, held)
    closes: datetime = held.closes_at
    assert signals.waiting(db.session(), closes + timedelta(minutes=4)) is None
    assert signals.waiting(db.session(), closes + timedelta(minutes=6)) == held.id
    Scheduler(platform).tick(closes + timedelta(minutes=6))
    names = [job.func_name for job in jobs.queue(platform.queue, "default").jobs]
    assert names.count("scoring.jobs.find_signals") == 1
    jobs.find_signals(held.id, 0)
    assert signals.waiting(db.session(), closes + timedelta(days=1)) is None


def test_a_search_that_fails_is_not_tried_for_ever(held: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(search, "find", die)
    later = held.closes_at + timedelta(days=1)
    for _ in range(signals.MAX_TRIES):
        assert signals.waiting(db.session(), later) == held.id
        with pytest.raises(MemoryError):
            jobs.find_signals(held.id, 0)
    assert signals.waiting(db.session(), later) is None


def test_asked_by_a_page_the_progress_is_told_and_the_end(held: Round, platform: Platform) -> None:
    seen: list[tuple[int, int]] = []
    search.find(db.session(), held.id, clock.now(), lambda done, total: seen.append((done, total)))
    db.session.rollback()
    assert seen[-1] == (240, 240)
    work.ask(platform.queue, work.Work("find_signals", held.id, 1), 0)
    jobs.find_signals(held.id, 1)
    told = work.progress_of(platform.queue, "find_signals", held.id)
    assert told is not None
    assert told.state == "done"
    assert work.asked(platform.queue) == []
