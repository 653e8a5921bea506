"""From registering to the boards: on a phone, without scripts, by keyboard alone, in English, in the dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import stage as staging
from tests.browser import steps
from tests.browser.conftest import OpenContext
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


def test_register_take_the_quiz_and_stand_on_the_board(page: Page, stage: Stage) -> None:
    commune, province = staging.unit_names(stage)
    page.goto("/")
    page.get_by_role("link", name="Vào thi").click()
    page.locator("main").get_by_role("link", name="Đăng ký").click()

    page.get_by_label("Tỉnh, thành phố hoặc Đoàn trực thuộc").select_option(label=province)
    search = page.get_by_role("combobox", name="Xã, phường, đặc khu")
    search.press_sequentially("bac hong linh")
    page.get_by_role("option", name=commune).click()
    page.get_by_label("Họ và tên").fill("Nguyễn Thị Lan")
    page.get_by_label("Số điện thoại di động").fill("+84 912 345 678")
    page.get_by_label("Mật khẩu").fill(staging.PASSWORD)
    page.get_by_text("Tôi đồng ý").click(position={"x": 5, "y": 5})
    page.get_by_role("button", name="Đăng ký").click()
    expect(page.get_by_text("Chào Nguyễn Thị Lan")).to_be_visible()

    page.get_by_role("button", name="Vào thi").click()
    expect(page.get_by_text("Câu 1/10").first).to_be_visible()
    for number in range(10):
        steps.answer(page, number % 4)
        steps.go_on(page)
    page.get_by_label("Có bao nhiêu người trả lời đúng cả 10 câu?").fill("1.200")
    steps.go_on(page)
    expect(page.get_by_text("Bạn đã trả lời 10/10 câu. Nộp bài?")).to_be_visible()
    page.get_by_role("button", name="Nộp bài").click()

    page.wait_for_url("**/entries/*")
    receipt = page.locator(".receipt code").inner_text()
    assert re.fullmatch(r"[A-Z2-7]{24}-[A-Z2-7]{24}", receipt)
    expect(page.get_by_text("đang chờ ghi nhận")).to_be_visible()
    assert stage.count() == 1
    expect(page.get_by_text("Đã ghi nhận. Điểm công bố lúc")).to_be_visible()

    page.get_by_role("link", name="Mọi bài dự thi").click()
    expect(page.get_by_role("link", name=re.compile("Lượt 1"))).to_have_attribute("href", f"/entries/{receipt}")
    page.get_by_role("link", name="Trang chủ").last.click()
    expect(page.locator(".unit-line", has_text=commune)).to_contain_text("1 thí sinh")
    expect(page.get_by_text("Bạn còn 6/7 lượt")).to_be_visible()
    page.goto("/boards?q=ha tinh")
    expect(page.locator("tr.mine")).to_contain_text("1 thí sinh · 1 bài")


def test_what_stood_on_the_paper_is_what_is_stored(page: Page, stage: Stage) -> None:
    from quiz.extensions import db
    from quiz.intake.signing import EntryName
    from quiz.models import Entry
    from quiz.services import papers

    staging.person(stage)
    steps.sign_in(page)
    steps.start(page)
    for number in (1, 3, 0):
        steps.answer(page, number)
        steps.go_on(page)
    given = steps.chosen(page)
    page.get_by_role("link", name="Tổng quan").click()
    expect(page.get_by_text("Bạn đã trả lời 3/10 câu. Nộp bài?")).to_be_visible()
    page.get_by_role("button", name="Nộp bài").click()
    page.wait_for_url("**/entries/*")
    stage.count()
    entry = db.session.query(Entry).one()
    card = stage.card(staging.OPEN)
    bank, places = stage.desk.seasons.bank(card), papers.read_masks(entry.questions)
    name = EntryName(card.id, entry.participant_id, entry.issuer, entry.attempt)
    turns = papers.turns_of(card, name, len(places))
    assert papers.ids_of(bank, places, turns, papers.read_masks(entry.answers)) == given
    assert entry.channel == "web"


def test_the_overview_names_what_is_missing_and_leads_back(page: Page, stage: Stage) -> None:
    staging.person(stage)
    steps.sign_in(page)
    steps.start(page)
    steps.answer(page, 0)
    page.get_by_label("Chưa chắc").check()
    page.get_by_role("link", name="Tổng quan").click()
    expect(page.locator(".tiles a").nth(0)).to_contain_text("chưa chắc")
    expect(page.locator(".tiles a").nth(1)).to_contain_text("bỏ trống")
    expect(page.locator("#missing a")).to_have_count(10)
    expect(page.locator("#missing a").last).to_have_text("Dự đoán · Có bao nhiêu người trả lời đúng cả 10 câu?")
    page.locator("#missing a").first.click()
    expect(page.locator("#where")).to_have_text("Câu 2/10")
    # The back button of the phone does the least harm: it goes back a screen and loses nothing.
    page.go_back()
    expect(page.locator("#where")).to_have_text("Tổng quan")
    page.go_back()
    expect(page.locator("#where")).to_have_text("Câu 1/10")
    assert len(steps.chosen(page)) == 1


def test_everything_works_without_scripts(context_with: OpenContext, stage: Stage) -> None:
    commune, province = staging.unit_names(stage)
    page = context_with(java_script_enabled=False).new_page()
    page.goto("/register")
    page.get_by_label("Tỉnh, thành phố hoặc Đoàn trực thuộc").select_option(label=province)
    page.get_by_role("button", name="Hiện các xã, phường").click()
    page.get_by_label("Xã, phường, đặc khu").select_option(label=commune)
    page.get_by_label("Họ và tên").fill("Lê Văn Bình")
    page.get_by_label("Số điện thoại di động").fill("12345")
    page.get_by_label("Mật khẩu").fill(staging.PASSWORD)
    page.get_by_text("Tôi đồng ý").click(position={"x": 5, "y": 5})
    page.get_by_role("button", name="Đăng ký").click()
    # Refused, and what was typed is still there.
    expect(page.get_by_role("alert")).to_contain_text("Hãy nhập số di động Việt Nam")
    expect(page.get_by_label("Họ và tên")).to_have_value("Lê Văn Bình")
    expect(page.get_by_label("Xã, phường, đặc khu")).to_have_value(stage.home)
    page.get_by_label("Số điện thoại di động").fill("0987 654 321")
    page.get_by_label("Mật khẩu").fill(staging.PASSWORD)
    page.get_by_role("button", name="Đăng ký").click()

    page.get_by_role("button", name="Vào thi").click()
    questions = page.locator("[data-question]")
    expect(questions).to_have_count(10)
    for number in range(4):
        questions.nth(number).locator(".option").nth(2).click()
    page.get_by_role("button", name="Lưu và làm tiếp").click()
    expect(page.get_by_text("Đã lưu trên máy chủ")).to_be_visible()
    expect(page.locator("[data-question] input:checked")).to_have_count(4)
    questions.nth(4).locator(".option").nth(1).click()
    page.get_by_label("Có bao nhiêu người trả lời đúng").fill("rất nhiều")
    page.get_by_role("button", name="Nộp bài").click()
    # A slip in one field costs no answer.
    expect(page.get_by_text("Hãy ghi một số nguyên")).to_be_visible()
    expect(page.locator("[data-question] input:checked")).to_have_count(5)
    page.get_by_label("Có bao nhiêu người trả lời đúng").fill("900")
    page.get_by_role("button", name="Nộp bài").click()
    expect(page.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    assert stage.count() == 1
    page.get_by_role("link", name="Xem lại").click()
    expect(page.get_by_text("Đã ghi nhận")).to_be_visible()


def test_by_keyboard_alone(page: Page, stage: Stage) -> None:
    staging.person(stage)
    keys = page.keyboard
    page.goto("/sign-in")
    page.get_by_label("Số điện thoại di động").focus()
    keys.type(staging.PHONE)
    keys.press("Tab")
    keys.type(staging.PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("button", name="Vào thi")).to_be_visible()
    page.get_by_role("button", name="Vào thi").focus()
    keys.press("Enter")
    expect(page.locator("form.flow")).to_be_visible()
    for number in range(3):
        expect(page.locator("#where")).to_have_text(f"Câu {number + 1}/10")
        # Each new question has the focus, so the next Tab stands on its first option.
        if number == 0:
            page.locator(".shown legend").focus()
        expect(page.locator(".shown legend")).to_be_focused()
        keys.press("Tab")
        keys.press("ArrowDown")
        expect(page.locator(".shown input").nth(1)).to_be_checked()
        keys.press("Enter")
    expect(page.locator("#where")).to_have_text("Câu 4/10")
    assert len(steps.chosen(page)) == 3
    page.get_by_role("link", name="Tổng quan").focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Bạn đã trả lời 3/10 câu. Nộp bài?")).to_be_focused()
    page.get_by_role("button", name="Nộp bài").focus()
    keys.press("Enter")
    page.wait_for_url("**/entries/*")


def test_the_commune_is_chosen_by_keyboard(page: Page, stage: Stage) -> None:
    commune, province = staging.unit_names(stage)
    page.goto("/register")
    page.get_by_label("Tỉnh, thành phố hoặc Đoàn trực thuộc").select_option(label=province)
    search = page.get_by_role("combobox", name="Xã, phường, đặc khu")
    search.press_sequentially("HONG LINH bac")
    search.press("ArrowDown")
    expect(page.get_by_role("option", name=commune)).to_have_attribute("aria-selected", "true")
    search.press("Enter")
    expect(search).to_have_value(commune)
    expect(page.locator("#commune")).to_have_value(stage.home)
    # Another province takes the commune back.
    page.get_by_label("Tỉnh, thành phố hoặc Đoàn trực thuộc").select_option(label="Tỉnh Nghệ An")
    expect(search).to_have_value("")
    # A central union has no communes to choose.
    page.get_by_label("Tỉnh, thành phố hoặc Đoàn trực thuộc").select_option(label="Đoàn Thanh niên Quốc hội")
    expect(search).to_be_hidden()


def test_in_english(context_with: OpenContext, stage: Stage) -> None:
    staging.person(stage)
    page = context_with().new_page()
    page.goto("/sign-in")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_label("Mobile phone number").fill(staging.PHONE)
    page.get_by_label("Password").fill(staging.PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    # The choice outlives the sign-in.
    expect(page.get_by_text("You have 7 of 7 attempts left · 10 questions · 10 minutes")).to_be_visible()
    page.get_by_role("button", name="Take the quiz").click()
    expect(page.get_by_text("Question 1 of 10").first).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", name="Handed in")).to_be_visible()


def test_the_colours_follow_the_device_and_the_switch(context_with: OpenContext, stage: Stage) -> None:
    page = context_with(color_scheme="dark").new_page()
    page.goto("/")
    background = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(14, 20, 32)"
    page.get_by_role("button", name="Nền sáng").click()
    assert page.evaluate(background) == "rgb(246, 248, 251)"
    page.goto("/sign-in")
    assert page.evaluate(background) == "rgb(246, 248, 251)"
    page.get_by_role("button", name="Nền tối").click()
    assert page.evaluate(background) == "rgb(14, 20, 32)"
