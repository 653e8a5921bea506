"""An appeal's whole way in real browsers: made by a participant, accepted, the key corrected by two, the maker told."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from quiz import clock
from quiz.extensions import db
from quiz.models import Entry
from quiz.services import appeals, corrections
from scoring import jobs
from tests import staffing
from tests.browser import stage as staging
from tests.browser.conftest import DESK_SIZE, OpenContext
from tests.browser.stage import CLOSED, Stage
from tests.browser.steps import sign_in
from tests.browser.test_accessible import check
from tests.browser.test_organizer import enter

pytestmark = pytest.mark.browser

WORDS = "Sách Lịch sử lớp 12 trang 45 ghi khác với đáp án này."


def work_on(stage: Stage) -> None:
    """What the worker does at a proposal."""
    db.session.rollback()
    proposal = corrections.open_proposal(db.session(), stage.card(CLOSED).id)
    assert proposal is not None
    jobs.correct_key(proposal.id)


def test_from_an_appeal_to_the_corrected_key_and_back_to_its_maker(
    stage: Stage, context_with: OpenContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "application", lambda: stage.app)
    # The stage's round closed days ago; its people still have their time here.
    monkeypatch.setattr(appeals, "WINDOW", 10 * appeals.WINDOW)
    who = staging.person(stage)
    at = clock.from_ms(stage.card(CLOSED).opens + 3_600_000)
    receipt = stage.take(CLOSED, who, at, 0.0, random.Random(2))
    stage.count()
    before = db.session.scalars(select(Entry.score)).one()
    db.session.rollback()

    phone = context_with().new_page()
    sign_in(phone)
    phone.goto(f"/entries/{receipt}")
    card = phone.locator(".key-list").filter(has=phone.locator(".option.mistaken")).first
    mistaken = card.locator(".option.mistaken > span").inner_text().split("·")[0].strip()
    card.get_by_role("link", name="Tôi thấy đáp án này sai").click()
    phone.get_by_label("Sai ở đâu, bạn dựa vào đâu?").fill(WORDS)
    assert check(phone, "appeal") == []
    phone.get_by_role("button", name="Gửi khiếu nại").click()
    expect(phone.locator("#appeals + ul")).to_contain_text("đang xem xét")

    staffing.make("organizer")
    desk = context_with(viewport=DESK_SIZE).new_page()
    enter(desk)
    desk.get_by_role("link", name="1 khiếu nại đang chờ trả lời").click()
    assert check(desk, "queue") == []
    desk.get_by_role("link", name="Nguyễn Thị Lan").click()
    assert check(desk, "one appeal") == []
    desk.get_by_label("Câu trả lời mà thí sinh sẽ đọc").fill("Bạn nói đúng, đáp án sẽ được sửa.")
    desk.get_by_role("button", name="Chấp nhận", exact=True).click()

    expect(desk.locator("details.act[open]")).to_have_count(1)
    desk.get_by_label(mistaken, exact=True).check()
    desk.get_by_label("Lý do (ghi vào nhật ký)").fill("Khiếu nại đúng")
    desk.get_by_label("Nội dung thông báo cho người đã dự thi").fill("Đáp án một câu của tuần này đã được sửa.")
    desk.get_by_role("button", name="Xem những gì thay đổi").click()
    expect(desk.locator("#proposal")).to_contain_text("Xuất phát từ khiếu nại")
    work_on(stage)

    second = approver(context_with)
    second.goto(f"/staff/contests/tong-tuyen-cu/rounds/{CLOSED}/key")
    second.locator("#typed").fill(str(CLOSED))
    second.get_by_role("button", name="Duyệt và chấm lại").click()
    work_on(stage)

    stage.platform.season.refresh()
    db.session.rollback()
    assert db.session.scalars(select(Entry.score)).one() > before
    phone.reload()
    told = phone.locator("#appeals + ul")
    expect(told).to_contain_text("Bạn nói đúng, đáp án sẽ được sửa.")
    expect(told).to_contain_text("đáp án được sửa lúc")
    phone.goto("/")
    expect(phone.get_by_text("Đáp án một câu của tuần này đã được sửa.")).to_be_visible()
    phone.goto("/entries")
    expect(phone.get_by_text("khiếu nại: chấp nhận")).to_be_visible()


def approver(context_with: OpenContext) -> Page:
    """A second organizer, behind both factors."""
    staffing.make("organizer", "0912000002", name="Trần Thị Mai")
    page = context_with(viewport=DESK_SIZE).new_page()
    enter(page, "0912000002")
    return page
