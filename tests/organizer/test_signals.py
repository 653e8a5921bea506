"""The screens of signals: filtered, paged, dismissed together, acted on; never without a reason."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import work
from quiz.models import AuditEvent, Contest, CountingRequest, Entry, Round, Signal, SignalEntry
from quiz.services import accounts, units

EVIDENCE: dict[str, dict[str, Any]] = {
    "speed": {
        "people": 1,
        "entries": 1,
        "duration_ms": 4_000,
        "reading_ms": 60_000,
        "limit_ms": 12_000,
        "usual_ms": 180_000,
        "cut_ms": 40_000,
        "correct": 10,
        "questions": 10,
    },
    "twins": {
        "people": 3,
        "entries": 3,
        "pairs": 2,
        "shared": 10,
        "alike": 10,
        "same_wrong": 2,
        "apart_ms": 61_000,
        "chance_log10": -6.4,
        "bank": 1,
        "pair": [],
        "twin_minutes": 10,
        "answers": [{"place": 0, "mask": 2, "share": 0.1}, {"place": 3, "mask": 5, "share": 0.05}],
    },
    "device": {
        "people": 6,
        "entries": 9,
        "all_right": 8,
        "least_people": 5,
        "first": "2026-01-05T01:00:00+00:00",
        "last": "2026-01-05T03:00:00+00:00",
    },
    "session": {
        "people": 12,
        "entries": 12,
        "all_right": 11,
        "round_share": 0.02,
        "deviations": 7.5,
        "usual_ms": 100_000,
        "round_usual_ms": 180_000,
        "least_deviations": 4.0,
    },
}


@pytest.fixture
def found(organizer: FlaskClient, contest: Contest) -> list[int]:
    """A signal of each kind in round 1, all about entry 1 of Nguyễn Thị Lan, with strengths 90, 80, 70, 60."""
    session, first = db.session(), contest.rounds[0]
    unit = units.get(session, "40").id
    who = accounts.add_user(session, clock.now(), full_name="Nguyễn Thị Lan", phone=None, unit_id=unit)
    at = first.opens_at + timedelta(hours=1)
    session.add(
        Entry(
            round_id=first.id,
            participant_id=who.id,
            issuer=0,
            attempt=1,
            unit_id=unit,
            bank_version=1,
            key_version=1,
            kind=1,
            score=10,
            correct=1,
            duration_ms=4_000,
            started_at=at,
            received_at=at,
            questions=b"\0\0",
            answers=b"\0\1",
            merit=b"\1",
        )
    )
    for place, (kind, evidence) in enumerate(EVIDENCE.items()):
        made = Signal(
            round_id=first.id, kind=kind, subject="1", strength=90 - 10 * place, evidence=evidence, found_at=at
        )
        made.entries = [SignalEntry(participant_id=who.id, issuer=0, attempt=1)]
        session.add(made)
    session.commit()
    return list(db.session.scalars(select(Signal.id).order_by(Signal.id)))


def page(browser: FlaskClient, path: str = "/staff/signals") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def state(signal_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(Signal, signal_id, populate_existing=True).state


def acts() -> list[tuple[str, str]]:
    rows = db.session.execute(
        select(AuditEvent.action, AuditEvent.reason).where(AuditEvent.action.startswith("signal")).order_by("id")
    )
    return [(action, reason) for action, reason in rows]


def test_each_kind_says_its_evidence_in_words_and_numbers(organizer: FlaskClient, found: list[int]) -> None:
    listed = page(organizer)
    for words in (
        "10 câu trong 4 giây, đúng 10. Đọc hết đề cần khoảng 1 phút",
        "Trong 10 câu chung của hai bài, 10 câu trả lời giống nhau, trong đó 2 câu sai giống hệt; nộp cách nhau 1 phút",
        "6 người nộp 9 bài trên một máy",
        "11 trên 12 bài của buổi thi này đúng hết; cả tuần là 2",
    ):
        assert words in listed
    for signal_id in found:
        assert "Đây là dấu hiệu, không phải bằng chứng." in page(organizer, f"/staff/signals/{signal_id}")
    assert "Câu hỏi" in page(organizer, f"/staff/signals/{found[1]}")
    assert "4 dấu hiệu đang chờ xem xét" in page(organizer, "/staff/contests/cuoc-thi")


def test_the_list_is_filtered(organizer: FlaskClient, found: list[int], contest: Contest) -> None:
    def shown(query: str) -> list[int]:
        return [int(each) for each in re.findall(r"/staff/signals/(\d+)\"", page(organizer, f"/staff/signals?{query}"))]

    assert shown("") == found
    assert shown("kind=twins") == [found[1]]
    assert shown("state=dismissed") == []
    assert shown(f"round={contest.rounds[0].id}&state=any") == found
    assert shown(f"round={contest.rounds[1].id}") == []
    assert shown("before=80-999999") == found[2:]
    assert shown("before=x&kind=none&state=none&round=99999999999") == found


def test_pages_go_through_all_of_them_once(organizer: FlaskClient, contest: Contest) -> None:
    for number in range(120):
        made = Signal(
            round_id=contest.rounds[0].id, kind="speed", subject=str(number), strength=50 + number % 3,
            evidence=EVIDENCE["speed"], found_at=clock.now(),
        )  # fmt: skip
        db.session.add(made)
    db.session.commit()
    seen: list[str] = []
    path: str | None = "/staff/signals"
    while path:
        shown = page(organizer, path)
        seen += re.findall(r"/staff/signals/(\d+)\"", shown)
        following = re.search(r'href="(/staff/signals\?[^"]*before=[^"]*)"', shown)
        path = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 120


def test_several_are_dismissed_with_one_reason(organizer: FlaskClient, found: list[int]) -> None:
    data = {"signals": [str(found[0]), str(found[2]), "x"], "reason": " "}
    assert organizer.post("/staff/signals/dismiss", data=data).status_code == 422
    assert organizer.post("/staff/signals/dismiss", data={"reason": "Đã hỏi đơn vị"}).status_code == 422
    assert state(found[0]) == "open"
    assert organizer.post("/staff/signals/dismiss", data=data | {"reason": "Đã hỏi đơn vị"}).status_code == 303
    assert [state(each) for each in found] == ["dismissed", "open", "dismissed", "open"]
    assert acts() == [("signal.dismissed", "Đã hỏi đơn vị")] * 2


def test_one_is_dismissed_and_stays_so(organizer: FlaskClient, found: list[int]) -> None:
    path = f"/staff/signals/{found[0]}"
    assert organizer.post(f"{path}/dismiss", data={"reason": "Đã gọi"}).status_code == 303
    assert "Đã gọi" in page(organizer, path)
    assert organizer.post(f"{path}/exclude", data={"reason": "x", "entries": "2.0.1"}).status_code == 422
    assert state(found[0]) == "dismissed"


def test_an_entry_is_taken_out(organizer: FlaskClient, found: list[int]) -> None:
    path = f"/staff/signals/{found[0]}"
    shown = page(organizer, path)
    ticked = re.search(r'name="entries" value="([\d.]+)"', shown)
    assert ticked
    assert organizer.post(f"{path}/exclude", data={"reason": "x", "entries": "7"}).status_code == 422
    assert organizer.post(f"{path}/exclude", data={"reason": "Quá nhanh", "entries": ticked[1]}).status_code == 303
    asked = db.session.scalars(select(CountingRequest)).one()
    assert (asked.entries, asked.counted, asked.signal_id) == ([[int(ticked[1].split(".")[0]), 0, 1]], False, found[0])
    assert "Đang loại các bài này" in page(organizer, path)


def test_somebody_is_barred(organizer: FlaskClient, found: list[int]) -> None:
    who = db.session.scalars(select(SignalEntry.participant_id)).first()
    path = f"/staff/signals/{found[0]}"
    assert organizer.post(f"{path}/bar", data={"reason": "Máy", "participant": "1"}).status_code == 422
    assert organizer.post(f"{path}/bar", data={"reason": "Máy", "participant": str(who)}).status_code == 303
    assert "Bị cấm thi từ" in page(organizer, f"/staff/users/{who}")
    assert acts() == [("signal.acted", "Máy")]


def test_another_look_is_asked_of_a_worker(
    organizer: FlaskClient, found: list[int], contest: Contest, platform: Platform
) -> None:
    first: Round = contest.rounds[0]
    path = f"/staff/signals?round={first.id}"
    answer = organizer.post("/staff/contests/cuoc-thi/rounds/1/signals")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert [(each.name, each.argument) for each in work.asked(platform.queue)] == [("find_signals", first.id)]
    work.say(platform.queue, "find_signals", first.id, work.Progress("running", 0, done=40, total=100))
    assert '<rect width="40%"' in page(organizer, path)
    assert organizer.post("/staff/contests/cuoc-thi/rounds/23/signals").status_code == 422
