"""No tapped answer is lost: by a reload, a closed tab, a lost line, a dead Redis, a late phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from deploy.embedded import Servers
from quiz import clock
from quiz.extensions import db
from quiz.intake.reading import read_draft
from quiz.models import Entry
from quiz.services import season
from tests.browser import stage as staging
from tests.browser import steps
from tests.browser.conftest import OpenContext
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def taking(page: Page, stage: Stage) -> Page:
    """Somebody in the middle of a paper."""
    staging.person(stage)
    steps.sign_in(page)
    steps.start(page)
    return page


def test_a_reload_keeps_everything(taking: Page) -> None:
    steps.answer(taking, 1)
    taking.get_by_label("Chưa chắc").check()
    steps.go_on(taking)
    steps.answer(taking, 2)
    before = steps.chosen(taking)
    taking.reload()
    expect(taking.locator("#where")).to_have_text("Câu 2/10")
    assert steps.chosen(taking) == before
    taking.get_by_role("link", name="Tổng quan").click()
    expect(taking.locator(".tiles a").first).to_contain_text("chưa chắc")


def test_a_tap_without_a_line_is_kept_and_sent_later(taking: Page, stage: Stage) -> None:
    steps.answer(taking, 1)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    taking.context.set_offline(True)
    steps.go_on(taking)
    steps.answer(taking, 3)
    steps.truth(taking, "Mất kết nối. Bài làm của bạn vẫn còn trên máy")
    given = steps.chosen(taking)
    taking.context.set_offline(False)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    assert len(drafted(stage)) == len(given) == 2


@pytest.mark.service_worker
def test_a_reload_without_a_line_brings_the_paper_back(taking: Page, stage: Stage) -> None:
    steps.answer(taking, 1)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    taking.evaluate("() => navigator.serviceWorker.ready")
    left = "() => document.getElementById('timer').textContent"
    before = taking.evaluate(left)
    taking.context.set_offline(True)
    taking.reload()
    expect(taking.locator("#where")).to_have_text("Câu 1/10")
    assert len(steps.chosen(taking)) == 1
    # Its clock went on from where it was: not from the time the page was made.
    assert "09:00" < taking.evaluate(left) <= before
    steps.go_on(taking)
    steps.answer(taking, 2)
    steps.truth(taking, "Mất kết nối")
    given = steps.chosen(taking)
    taking.context.set_offline(False)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    assert len(drafted(stage)) == len(given) == 2
    # Away from the paper nothing of it stays behind.
    taking.goto("/")
    taking.wait_for_function("async () => !(await caches.has('quiz80-paper'))")


def test_another_device_goes_on_where_the_first_one_stopped(
    taking: Page, stage: Stage, context_with: OpenContext
) -> None:
    steps.answer(taking, 1)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    given = steps.chosen(taking)
    taking.close()
    other = context_with().new_page()
    other.goto("/sign-in")
    other.get_by_label("Số điện thoại di động").fill(staging.PHONE)
    other.get_by_label("Mật khẩu").fill(staging.PASSWORD)
    other.locator("main").get_by_role("button", name="Đăng nhập").click()
    other.get_by_role("button", name="Làm tiếp bài thi").click()
    expect(other.locator("form.flow")).to_be_visible()
    assert steps.chosen(other) == given


def test_handing_in_without_a_line_goes_on_by_itself_from_any_page(taking: Page, stage: Stage) -> None:
    steps.answer(taking, 0)
    taking.get_by_role("link", name="Tổng quan").click()
    taking.context.set_offline(True)
    taking.get_by_role("button", name="Nộp bài").click()
    steps.truth(taking, "Mất kết nối")
    # The tab is closed, the line comes back, the person looks at the home page: the sheet leaves from there.
    context = taking.context
    taking.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("#outbox")).to_contain_text("Bài của bạn đã được nộp.")
    page.get_by_role("link", name="Xem mã xác nhận").click()
    expect(page.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    assert stage.count() == 1


def test_redis_down_during_the_hand_in(taking: Page, stage: Stage, servers: Servers) -> None:
    steps.answer(taking, 2)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    taking.get_by_role("link", name="Tổng quan").click()
    servers.redis.kill9()
    try:
        taking.get_by_role("button", name="Nộp bài").click()
        steps.truth(taking, "Máy chủ bận. Bài làm của bạn vẫn còn trên máy và sẽ tự gửi.")
        assert len(steps.chosen(taking)) == 1
        # Even the page itself can be had again, with the answers from the device.
        taking.reload()
        steps.truth(taking, "Máy chủ bận")
        assert len(steps.chosen(taking)) == 1
    finally:
        servers.redis.start()
    taking.wait_for_url("**/entries/*", timeout=40_000)
    assert stage.count() == 1


def test_redis_down_without_scripts_brings_the_sheet_back(
    context_with: OpenContext, stage: Stage, servers: Servers
) -> None:
    staging.person(stage)
    page = context_with(java_script_enabled=False).new_page()
    steps.sign_in(page)
    page.get_by_role("button", name="Vào thi").click()
    for number in range(3):
        page.locator("[data-question]").nth(number).locator(".option").nth(number).click()
    given = page.locator("input:checked").evaluate_all("all => all.map(i => [i.name, i.value])")
    servers.redis.kill9()
    try:
        page.get_by_role("button", name="Nộp bài").click()
        expect(page.get_by_role("alert")).to_contain_text("Lúc này chưa nhận được bài")
        assert page.locator("input:checked").evaluate_all("all => all.map(i => [i.name, i.value])") == given
    finally:
        servers.redis.start()
    page.get_by_role("button", name="Nộp bài").click()
    expect(page.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    assert stage.count() == 1


def test_the_end_of_the_time_hands_in_by_itself(page: Page, stage: Stage) -> None:
    staging.person(stage)
    steps.sign_in(page)
    page.clock.install()
    steps.start(page)
    steps.answer(page, 1)
    steps.truth(page, "Đã lưu trên máy và máy chủ")
    page.clock.fast_forward(8 * 60_000 + 1_000)
    expect(page.locator("#aloud")).to_have_text("Còn hai phút.")
    page.clock.fast_forward(2 * 60_000)
    page.wait_for_url("**/entries/*")
    expect(page.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    stage.count()
    assert db.session.query(Entry).one().answers.count(b"\\0") < 20


def test_a_paper_without_an_answer_is_let_go_at_the_end(page: Page, stage: Stage) -> None:
    staging.person(stage)
    steps.sign_in(page)
    page.clock.install()
    steps.start(page)
    page.clock.fast_forward(10 * 60_000 + 1_000)
    expect(page.get_by_text("Làm tiếp bài thi")).to_be_visible()
    assert steps.sheets(page) == []
    assert stage.count() == 0


def test_a_device_whose_clock_jumps_does_not_end_the_paper(taking: Page, stage: Stage) -> None:
    steps.answer(taking, 1)
    # The network told the phone another time: an hour later than the server's.
    taking.evaluate("() => { const real = Date.now; Date.now = () => real() + 3600000; }")
    taking.wait_for_function("() => document.getElementById('timer').textContent > '08:00'")
    expect(taking.locator("#where")).to_have_text("Câu 1/10")
    assert [sheet["state"] for sheet in steps.sheets(taking)] == ["open"]
    assert stage.count() == 0


def test_a_server_that_lost_the_entry_gets_it_again_with_its_receipt(taking: Page, stage: Stage) -> None:
    steps.answer(taking, 1)
    taking.get_by_role("link", name="Tổng quan").click()
    taking.get_by_role("button", name="Nộp bài").click()
    taking.wait_for_url("**/entries/*")
    receipt = taking.locator(".receipt code").inner_text()
    assert [sheet["state"] for sheet in steps.sheets(taking)] == ["accepted"]
    # Redis loses its disk before the drain came by, and is primed from PostgreSQL.
    stage.platform.gateway.client.flushall()
    season.prime_all(db.session(), stage.platform.gateway.client, clock.now())
    db.session.commit()
    stage.platform.season.refresh()
    taking.goto("/")
    stage.await_entries(1)
    entry = db.session.query(Entry).one()
    assert entry.received_at is not None
    # Once it is scored the device lets go of it.
    taking.reload()
    taking.wait_for_function("() => !Object.keys(localStorage).some((k) => k.startsWith('quiz80:sheet:'))")
    taking.goto(f"/entries/{receipt}")
    expect(taking.get_by_text("Đã ghi nhận")).to_be_visible()


def test_two_tabs_of_one_paper_show_the_same_sheet(taking: Page) -> None:
    other = taking.context.new_page()
    other.goto("/paper")
    expect(other.locator("form.flow")).to_be_visible()
    steps.answer(taking, 2)
    expect(other.locator(".shown input").nth(2)).to_be_checked()


def test_a_session_ended_elsewhere_asks_to_sign_in_and_keeps_the_sheet(taking: Page, stage: Stage) -> None:
    from quiz.services import accounts

    steps.answer(taking, 1)
    steps.truth(taking, "Đã lưu trên máy và máy chủ")
    held = stage.platform
    accounts.sign_out_everywhere(db.session(), held.gateway.client, held.season.get(), 1)
    # The paper in hand can still be handed in: its signature says whose it is.
    taking.get_by_role("link", name="Tổng quan").click()
    taking.get_by_role("button", name="Nộp bài").click()
    taking.wait_for_url("**/sign-in**")
    assert stage.count() == 1


def drafted(stage: Stage) -> list[int]:
    draft = read_draft(stage.platform.gateway, stage.card(staging.OPEN), 1, 1)
    return [] if draft is None else [mask for mask in draft.masks if mask]
