"""A small contest for the browser: real questions, a closed round, an open one, some to come, and their people."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake.calls import Starter
from quiz.intake.season import RoundCard
from quiz.models import Bank, KeyVersion, Target, Unit
from quiz.services import accounts, papers, questions, season, units
from quiz.services.papers import Desk, Sheet
from quiz.services.passwords import hash_password
from scoring import boards, sweeper
from scoring.drain import Drain

CLOSED, OPEN = 12, 13
RULES = {
    "questions": 10,
    "cap": 7,
    "seconds": 600,
    "prediction": {"kind": "all_correct", "text": "Có bao nhiêu người trả lời đúng cả 10 câu?", "max": 1_000_000},
}
PASSWORD = "con đường xanh"
PHONE = "0912345678"
NAMES = (
    "Nguyễn Thị Minh Hằng, Trần Quốc Bảo, Lê Thu Thảo, Phạm Đức Anh, Hoàng Gia Huy, Vũ Khánh Linh, Đặng Ngọc Ánh, "
    "Bùi Tiến Dũng, Đỗ Hải Yến, Hồ Sỹ Nguyên, Ngô Bảo Châu, Dương Văn Lâm, Lý Thị Mai, Phan Thanh Tùng, Võ Hoài Nam, "
    "Đinh Công Mạnh, Trịnh Xuân Trường, Mai Phương Thúy, Cao Bá Quát, Lương Thế Vinh"
)


@dataclass(slots=True)
class Stage:
    app: Flask
    platform: Platform
    desk: Desk
    now: datetime
    home: str
    """Code of the commune that the person of the tests belongs to."""

    @property
    def home_province(self) -> str:
        unit = units.get(db.session(), self.home)
        assert unit.parent is not None
        return unit.parent.code

    def card(self, number: int) -> RoundCard:
        return papers.round_of(self.platform.season.get(), None, number)

    def take(self, number: int, who: accounts.Account, at: datetime, right: float, chance: random.Random) -> str:
        """Start and hand in as somebody, with about this share of right answers; the receipt."""
        card, at_ms = self.card(number), clock.to_ms(at)
        started = papers.start(self.desk, card, Starter(who.id, who.unit_id, 0), at_ms, db.session)
        key = right_options(db.session(), card)
        answers = {}
        for question in papers.shown_questions(self.desk, card, started.paper):
            options = {option.text: option.id for option in question.options}
            wanted = key[question.id] if chance.random() < right else chance.choice(list(options))
            answers[question.id] = [options[wanted]]
        sheet = Sheet(started.token, answers, chance.randrange(2_000))
        return papers.hand_in(self.desk, sheet, None, None, at_ms + chance.randrange(90_000, 500_000), db.session).text

    def await_entries(self, count: int, seconds: float = 20) -> None:
        """Count until so many entries are stored."""
        until = time.monotonic() + seconds
        while self.count() < count:
            assert time.monotonic() < until, f"{count} entries did not arrive"
            time.sleep(0.05)

    def count(self) -> int:
        """What the worker does: drain the streams, write the boards. Returns the entries counted."""
        runner = Drain(db.engine, self.platform.gateway.client, "test")
        cards = sweeper.live_rounds(self.platform.season.refresh(), clock.now())
        inserted = 0
        while (result := runner.turn(cards, 0, 1, block_ms=1)).read:
            inserted += result.inserted
            boards.mark_dirty(self.platform.cache, result.rounds)
        boards.refresh_dirty(db.session(), self.platform.cache, boards.load_tree(db.session()), clock.now())
        db.session.rollback()
        return inserted


def right_options(session: Session, card: RoundCard) -> dict[str, str]:
    """Question id → text of its right option, from the tables: only a test may look."""
    content = session.scalars(select(Bank.content).where(Bank.round_id == card.id)).one()
    key = session.scalars(select(KeyVersion.key).where(KeyVersion.round_id == card.id)).one()
    return {
        question["id"]: question["options"][answer["accept"][0].bit_length() - 1]["text"]
        for question, answer in zip(content, key, strict=True)
    }


def build(app: Flask, people: int = 0, **rules: object) -> Stage:
    """Make the contest, and `people` who took part in the closed and the open round."""
    held: Platform = app.extensions["quiz80"]
    session, now = db.session(), clock.now()
    if session.scalar(select(func.count()).select_from(Unit)) == 0:
        units.load(session)
    contest = season.create_contest(
        session, "tong-tuyen-cu", "Tìm hiểu 80 năm Ngày Tổng tuyển cử đầu tiên bầu Quốc hội Việt Nam", now, current=True
    )
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=3, hours=now.hour - 2)
    for number in range(CLOSED, OPEN + 4):
        file = questions.read_bank_file((resources.files("quiz") / "data" / "bank" / f"{number:02}.json").read_bytes())
        opens = start + timedelta(days=7 * (number - OPEN))
        made = season.create_round(
            session, contest, number, file.theme or "", opens, opens + timedelta(days=6, hours=23), RULES | rules
        )
        questions.add_questions(session, made, file.questions, now)
        season.freeze_bank(session, made, opens - timedelta(days=1))
        season.schedule_round(session, made, opens - timedelta(days=1))
    home = _targets(session, contest.id)
    session.commit()
    season.prime_all(session, held.gateway.client, now)
    session.commit()
    stage = Stage(app, held, Desk(held.gateway, held.signer, 0, held.season), now, home)
    held.season.refresh()
    _crowd(stage, people)
    boards.mark_dirty(held.cache, [stage.card(number).id for number in (CLOSED, OPEN)])
    stage.count()
    return stage


def person(stage: Stage, phone: str = PHONE, name: str = "Nguyễn Thị Lan") -> accounts.Account:
    """The one who signs in, with a password."""
    session = db.session()
    unit = units.get(session, stage.home)
    user = accounts.add_user(
        session,
        stage.now,
        full_name=name,
        phone="+84" + phone[1:],
        unit_id=unit.id,
        password_hash=hash_password(PASSWORD),
        consent_at=stage.now,
    )
    account = accounts.Account.of(user)
    session.commit()
    return account


def _targets(session: Session, contest_id: int) -> str:
    """Targets for all first-level units and for the communes of Hà Tĩnh; the code of one of these."""
    chance = random.Random(1)
    hatinh = session.scalars(select(Unit).where(Unit.name == "Tỉnh Hà Tĩnh", Unit.valid_to.is_(None))).one()
    firsts = session.scalars(select(Unit).where(Unit.kind.in_(("province", "union")), Unit.valid_to.is_(None))).all()
    communes = session.scalars(select(Unit).where(Unit.parent_id == hatinh.id).order_by(Unit.code)).all()
    for unit in [*firsts, *communes]:
        share = 8 if unit.kind == "commune" else 20
        number = chance.randrange(share // 4, share)
        session.add(Target(contest_id=contest_id, unit_id=unit.id, participants=number, entries=number * 2))
    return communes[2].code


def _crowd(stage: Stage, people: int) -> None:
    chance = random.Random(7)
    session = db.session()
    leaves = list(session.scalars(select(Unit).where(Unit.kind.in_(("commune", "union")), Unit.valid_to.is_(None))))
    hatinh = [unit for unit in leaves if unit.code.startswith(stage.home[:2]) or unit.code == stage.home]
    for place in range(people):
        unit = chance.choice(hatinh if place % 4 == 0 else leaves)
        name = chance.choice(NAMES.split(", "))
        user = accounts.add_user(session, stage.now, full_name=name, phone=None, unit_id=unit.id)
        account = accounts.Account.of(user)
        session.commit()
        skill = chance.random()
        for number in (CLOSED, OPEN):
            if chance.random() < 0.7:
                opens = clock.from_ms(stage.card(number).opens)
                stage.take(number, account, opens + timedelta(minutes=chance.randrange(60, 3000)), skill, chance)


def unit_names(stage: Stage) -> tuple[str, str]:
    """(commune, province) of the person of the tests."""
    session = db.session()
    unit = units.get(session, stage.home)
    assert unit.parent is not None
    return unit.name, unit.parent.name
