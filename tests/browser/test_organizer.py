"""The organizer's main path in a real browser: both factors, a calendar moved, everybody told, the log read."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import Page, expect
from pyotp import TOTP
from sqlalchemy import select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.models import Entry, Round, Signal, SignalEntry
from quiz.services import questions
from scoring import jobs
from tests import staffing
from tests.browser import stage as staging
from tests.browser.conftest import DESK_SIZE, PHONE_SIZE, OpenContext
from tests.browser.stage import CLOSED, Stage
from tests.browser.test_accessible import check
from tests.organizer.test_signals import EVIDENCE

pytestmark = pytest.mark.browser

SLUG = "tong-tuyen-cu"


def enter(page: Page, phone: str = "0912000001") -> None:
    page.goto("/staff/")
    page.get_by_label("Số điện thoại").fill(phone)
    page.get_by_label("Mật khẩu").fill(staffing.PASSWORD)
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Mã", exact=True).fill(TOTP(secret).at(clock.now()))
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator(".recovery li")).to_have_count(10)
    page.get_by_role("link", name="Tôi đã giữ mã").click()


def test_a_calendar_is_moved_in_one_act_and_everybody_is_told(
    stage: Stage, platform: Platform, context_with: OpenContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "application", lambda: stage.app)
    staffing.make("organizer")
    page = context_with(viewport=DESK_SIZE).new_page()
    enter(page)
    expect(page.get_by_role("heading", name="Lịch thi")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("link", name="Dời lịch").click()
    page.get_by_label("Bắt đầu từ tuần").select_option("14")
    page.get_by_label("Dời mấy ngày").fill("19")
    page.get_by_role("button", name="Xem trước thay đổi").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("Lý do").fill("Bão số 12")
    page.get_by_label("Tiêu đề").fill("Lịch thi lùi 19 ngày")
    page.get_by_label("Gõ tên ngắn của cuộc thi").fill("tong tuyen cu")
    page.get_by_role("button", name="Dời 3 tuần thi").click()
    # Not the name of the thing: nothing moved, and what was typed is still there.
    expect(page.locator("#refused")).to_be_visible()
    expect(page.get_by_label("Tiêu đề")).to_have_value("Lịch thi lùi 19 ngày")
    page.get_by_label("Gõ tên ngắn của cuộc thi").fill(SLUG)
    page.get_by_role("button", name="Dời 3 tuần thi").click()
    expect(page.get_by_text("Đã dời 3 tuần thi và gửi một thông báo.")).to_be_visible()

    platform.season.refresh()
    reader = context_with().new_page()
    reader.goto("/")
    expect(reader.get_by_text("Lịch thi lùi 19 ngày")).to_be_visible()

    page.get_by_role("link", name="Nhật ký").click()
    expect(page.locator("tbody tr").first).to_contain_text("dời lịch thi")
    expect(page.locator("tbody tr").first).to_contain_text("Bão số 12")
    page.get_by_role("button", name="Kiểm tra toàn bộ nhật ký").click()
    expect(page.locator("#verified")).to_contain_text("đang chờ chạy")
    jobs.verify_log(0, 1)
    expect(page.get_by_text("Mọi dòng vẫn như lúc ghi.")).to_be_visible()


def odd(stage: Stage) -> list[int]:
    """A signal of each kind about one entry of the closed round; their ids."""
    who = staging.person(stage)
    stage.take(CLOSED, who, clock.from_ms(stage.card(CLOSED).opens + 3_600_000), 0.5, random.Random(2))
    stage.count()
    entry = db.session.scalars(select(Entry)).one()
    for place, (kind, evidence) in enumerate(EVIDENCE.items()):
        made = Signal(
            round_id=entry.round_id, kind=kind, subject="1", strength=90 - place, evidence=evidence, found_at=stage.now
        )
        made.entries = [SignalEntry(participant_id=entry.participant_id, issuer=entry.issuer, attempt=entry.attempt)]
        db.session.add(made)
    db.session.commit()
    return list(db.session.scalars(select(Signal.id).order_by(Signal.id)))


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE_SIZE, "light"), (DESK_SIZE, "dark")], ids=["phone", "desk in the dark"]
)
def test_every_screen_can_be_read_and_reached(
    stage: Stage, context_with: OpenContext, size: dict[str, int], scheme: str
) -> None:
    staffing.make("administrator")
    signals = [f"/staff/signals/{each}" for each in odd(stage)]
    page = context_with(viewport=size, color_scheme=scheme).new_page()
    enter(page)
    contest, wrong = f"/staff/contests/{SLUG}", []
    over, to_come = f"{contest}/rounds/{CLOSED}", f"{contest}/rounds/14"
    for path in (
        *(
            "/staff/users",
            "/staff/users/1",
            "/staff/users/new",
            "/staff/log",
            "/staff/signals",
            "/staff/appeals",
            "/staff/appeals/templates",
            "/staff/contests",
            "/staff/contests/new",
            "/staff/live",
            "/staff/results",
            "/staff/units",
            f"/staff/units?parent={stage.home_province}",
            f"/staff/units?parent={stage.home}",
        ),
        *signals,
        *(f"{over}/{part}" for part in ("ranking", "key", "questions/statistics")),
        *(f"{to_come}/{part}" for part in ("hours", "rules", "questions", "questions/new", "questions/import")),
        *(f"{contest}/barred", f"{contest}/rules"),
        *(contest, f"{contest}/plan", f"{contest}/move", f"{contest}/announcements"),
        *(f"{contest}/rounds/{number}" for number in (12, 13, 14)),
    ):
        page.goto(path)
        expect(page.locator(".rail a[aria-current]")).to_have_count(1)
        wrong += check(page, path)
    assert wrong == []


def test_questions_go_out_as_a_file_and_come_back_into_another_round(stage: Stage, context_with: OpenContext) -> None:
    staffing.make("organizer")
    page = context_with(viewport=DESK_SIZE, accept_downloads=True).new_page()
    enter(page)
    there, here = (db.session.scalars(select(Round).where(Round.number == number)).one() for number in (14, 15))
    before = questions.drafts_of(db.session(), there)
    page.goto(f"/staff/contests/{SLUG}/rounds/14/questions")
    page.get_by_role("link", name="Xuất").click()
    row = page.locator("tbody tr").filter(has=page.get_by_role("rowheader", name="Excel"))
    expect(row).to_contain_text("giữ được tất cả")
    expect(page.locator("tbody tr").filter(has_text="Aiken")).to_contain_text("Giải thích: bị bỏ qua ở")
    with page.expect_download() as started:
        row.get_by_role("link").click()

    page.goto(f"/staff/contests/{SLUG}/rounds/15/questions/import")
    page.get_by_label("Tệp").set_input_files(started.value.path())
    page.get_by_role("button", name="Đọc tệp").click()
    expect(page.get_by_role("heading", name=f"Đã đọc {len(before)} câu hỏi")).to_be_visible()
    expect(page.locator("#lookalikes")).to_be_visible()  # they stand in the other round already
    page.get_by_role("button", name=f"Thêm {len(before)} câu hỏi").click()
    expect(page.get_by_text(f"Đã thêm {len(before)} câu hỏi.")).to_be_visible()
    db.session.rollback()
    assert questions.drafts_of(db.session(), here)[-len(before) :] == before
