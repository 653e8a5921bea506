"""Prizes end to end in real browsers: two organizers, a lot that a script outside reproduces, a winner disqualified."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from pyotp import TOTP
from sqlalchemy import select

from quiz import clock
from quiz.extensions import Platform, db
from quiz.intake import work
from quiz.models import Award, Lot, Round
from quiz.services import accounts, season
from quiz.services.awards import lists
from scoring import jobs
from scoring.ordering import Facts, merit_maker
from scoring.rules import rules_from
from tests import staffing
from tests.browser import stage as staging
from tests.browser.conftest import DESK_SIZE, PHONE_SIZE, OpenContext
from tests.browser.stage import CLOSED, Stage
from tests.browser.steps import sign_in
from tests.browser.test_accessible import check
from tests.services.awarding import CHECKER, MAKER, PRIZES, add_standing, person

pytestmark = pytest.mark.browser

PATH = f"/staff/contests/tong-tuyen-cu/rounds/{CLOSED}/awards"
SCORES = (10, 9, 8, 8, 8, 7)
"""One first prize, two second prizes: three people are equal for the last of them."""


def enter(page: Page, phone: str) -> None:
    page.goto("/staff/")
    page.get_by_label("Số điện thoại").fill(phone)
    page.get_by_label("Mật khẩu").fill(staffing.PASSWORD)
    page.get_by_role("button", name="Tiếp tục").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Mã", exact=True).fill(TOTP(secret).at(clock.now()))
    page.get_by_role("button", name="Tiếp tục").click()
    page.get_by_role("link", name="Tôi đã giữ mã").click()


@pytest.fixture
def winner(stage: Stage, platform: Platform, app: Flask, monkeypatch: pytest.MonkeyPatch) -> accounts.Account:
    """The best of a final, published week with prizes: she can sign in. The others are equal where it matters."""
    monkeypatch.setattr(jobs, "application", lambda: app)
    best = staging.person(stage)
    others = [person(f"Trần Văn {letter}") for letter in "BCDEG"]
    session = db.session()
    made = session.scalars(select(Round).where(Round.number == CLOSED)).one()
    made.rules = made.rules | {"ranking": ["score"], "prizes": PRIZES}
    made.finalized_at = made.published_at = clock.now()
    merit = merit_maker(rules_from(made.rules))
    for who, score in zip([best.id, *others], SCORES, strict=True):
        facts = Facts(score, score, clock.to_ms(made.opens_at), 60_000, 1, who)
        add_standing(made, who, facts, merit(facts), made.opens_at)
    session.commit()
    season.publish(session, platform.gateway.client)
    session.commit()
    platform.season.refresh()
    return best


def worker(platform: Platform) -> None:
    for each in work.asked(platform.queue):
        getattr(jobs, each.name)(each.argument, each.actor_id)
    db.session.rollback()


def rows(page: Page) -> list[str]:
    return page.locator("table.awards tbody tr th").all_inner_texts()


def make_the_list(maker: Page, platform: Platform) -> None:
    maker.get_by_role("link", name="Giải thưởng").first.click()
    maker.locator(f'a[href="{PATH}"]').click()
    maker.get_by_role("button", name="Lập danh sách").click()
    expect(maker.get_by_text("Đang chọn người đạt giải.").first).to_be_visible()
    worker(platform)
    maker.goto(PATH)
    expect(maker.locator("table.awards tbody tr")).to_have_count(2)


def draw_the_lot(maker: Page, anybody: Page, platform: Platform, folder: Path) -> str:
    """What is fixed becomes public before anybody can know the seed; the hash, as it was published."""
    maker.get_by_label("Hạt giống lấy từ đâu").fill("Giải đặc biệt xổ số miền Bắc ngày 25/11/2026")
    maker.get_by_role("button", name="Công khai danh sách bốc thăm").click()
    anybody.goto("/awards")
    anybody.get_by_role("link", name="Lượt bốc thăm").click()
    published = anybody.locator("#sha256").inner_text()
    for link, name in (("Danh sách mã ẩn danh", "list.txt"), ("lot_check.py", "lot_check.py")):
        with anybody.expect_download() as taken:
            anybody.get_by_role("link", name=link).click()
        taken.value.save_as(folder / name)
    maker.get_by_label("Con số, khi đã biết").fill("20418")
    maker.get_by_role("button", name="Bốc thăm").click()
    worker(platform)
    maker.goto(PATH)
    expect(maker.locator("table.awards tbody tr")).to_have_count(3)
    return published


def approve_and_announce(maker: Page, checker: Page) -> None:
    expect(maker.get_by_role("button", name="Tôi đã kiểm tra")).to_have_count(0)
    checker.goto(PATH)
    checker.get_by_role("button", name="Tôi đã kiểm tra").click()
    maker.goto(PATH)
    maker.get_by_label("Gõ số của tuần").fill(str(CLOSED))
    maker.get_by_role("button", name="Công bố người đạt giải").click()
    expect(maker.get_by_text("Đã công bố. Người đạt giải thấy tin")).to_be_visible()


def disqualify_the_first(maker: Page) -> None:
    maker.goto(PATH)
    row = maker.locator("table.awards tbody tr").first
    row.get_by_text("Hủy giải").first.click()
    row.get_by_label("Lý do").fill("Nhờ người thi hộ")
    row.get_by_role("button", name="Hủy giải").click()
    expect(maker.locator("table.awards tbody tr").first).to_contain_text("đề nghị trao cho người kế tiếp")
    # Who offered it can't give it.
    expect(maker.get_by_role("button", name="Trao vị trí này")).to_have_count(0)


def check_outside(anybody: Page, published: str, folder: Path) -> list[str]:
    """The ids in the order that the script finds, in a process that knows nothing of the project."""
    anybody.get_by_role("link", name="Lượt bốc thăm").click()
    expect(anybody.locator("#sha256")).to_have_text(published)
    seed = anybody.locator("#seed").inner_text()
    command = [sys.executable, "-I", "lot_check.py", "list.txt", published, seed]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return [row.split()[1] for row in run.stdout.splitlines()]


def test_a_list_is_approved_a_lot_is_drawn_and_a_winner_disqualified(
    winner: accounts.Account, platform: Platform, context_with: OpenContext, tmp_path: Path
) -> None:
    staffing.make("organizer", MAKER, name="Lê Hoàng Nam")
    staffing.make("organizer", CHECKER, name="Trần Thị Mai")
    maker, checker = (context_with(viewport=DESK_SIZE).new_page() for _ in range(2))
    anybody = context_with(accept_downloads=True).new_page()
    enter(maker, MAKER)
    enter(checker, CHECKER)
    make_the_list(maker, platform)
    published = draw_the_lot(maker, anybody, platform, tmp_path)
    drawn = rows(maker)[2].splitlines()[0]
    approve_and_announce(maker, checker)
    anybody.goto("/awards")
    expect(anybody.locator("table.prizes tbody tr")).to_have_count(3)
    expect(anybody.get_by_text("N. T. Lan")).to_be_visible()
    assert check(anybody, "winners") == []

    order = check_outside(anybody, published, tmp_path)
    assert anybody.locator(".drawn code").all_inner_texts() == order
    assert check(anybody, "lot") == []
    expect(anybody.locator(".drawn li").first.locator("strong")).to_have_text(f"T. V. {drawn[-1]}")

    phone = context_with().new_page()
    sign_in(phone)
    phone.goto("/")
    phone.locator("[data-fill]").first.scroll_into_view_if_needed()
    expect(phone.get_by_text("Bạn đã đạt giải: Giải Nhất")).to_be_visible()

    # The next in line is who was drawn second; the other organizer gives the place.
    disqualify_the_first(maker)
    anybody.goto("/awards")
    expect(anybody.locator("table.prizes tbody tr")).to_have_count(2)
    expect(anybody.get_by_text("N. T. Lan")).to_have_count(0)
    checker.goto(PATH)
    checker.get_by_role("button", name="Trao vị trí này").click()
    expect(checker.locator("table.awards tbody tr").first).to_contain_text("giữ vị trí")
    expect(checker.get_by_text("Nhờ người thi hộ")).to_be_visible()
    anybody.reload()
    expect(anybody.locator("table.prizes tbody tr")).to_have_count(3)
    lot = db.session.scalars(select(Lot)).one()
    next_one = dict(zip(lot.ids.split(), lot.members, strict=True))[order[1]]
    place = db.session.scalars(select(Award).where(Award.state == "held", Award.prize == "first")).one()
    assert place.person_id == next_one
    maker.goto("/staff/log")
    expect(maker.locator("tbody").get_by_text("hủy giải của một người")).to_be_visible()


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE_SIZE, "light"), (DESK_SIZE, "dark")], ids=["phone", "desk in the dark"]
)
def test_the_pages_of_prizes_can_be_read_and_reached(
    winner: accounts.Account, platform: Platform, context_with: OpenContext, size: dict[str, int], scheme: str
) -> None:
    me = staffing.make("organizer", MAKER).id
    made = lists.begin(db.session(), db.session.scalars(select(Round).where(Round.number == CLOSED)).one(),
        clock.now(), actor_id=me)  # fmt: skip
    lists.fill(db.session(), made.id, clock.now())
    db.session.commit()
    page = context_with(viewport=size, color_scheme=scheme).new_page()
    enter(page, MAKER)
    wrong = []
    for path in ("/staff/contests/tong-tuyen-cu/awards", PATH, "/staff/units/members"):
        page.goto(path)
        expect(page.locator(".rail a[aria-current]")).to_have_count(1)
        wrong += check(page, path)
    for path in ("/awards",):
        page.goto(path)
        wrong += check(page, path)
    assert wrong == []
