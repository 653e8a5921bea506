"""The form of rules in a real browser: rows come, go and move; the preview; what is wrong; and keeping."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from quiz.extensions import db
from quiz.models import Round
from tests import staffing
from tests.browser.conftest import DESK_SIZE, PHONE_SIZE, OpenContext
from tests.browser.stage import Stage
from tests.browser.test_accessible import check
from tests.browser.test_organizer import SLUG, enter

pytestmark = pytest.mark.browser

NUMBER = 14
RULES = f"/staff/contests/{SLUG}/rounds/{NUMBER}/rules"
KEEP = "Lưu thể lệ này"


def stored() -> Round:
    db.session.rollback()
    return db.session.query(Round).filter_by(number=NUMBER).one()


def keys_shown(page: Page) -> list[str]:
    shown: list[str] = page.locator("#ranking input[name=ranking]").evaluate_all(
        "(all) => all.map((each) => each.value)"
    )
    return shown


def test_rules_are_edited_without_a_page_load(stage: Stage, context_with: OpenContext) -> None:
    staffing.make("organizer")
    page = context_with(viewport=DESK_SIZE).new_page()
    enter(page)
    page.goto(RULES)
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Bạn được thi tối đa 7 lượt.")

    page.get_by_label("Số lượt thi").fill("3")
    expect(preview).to_contain_text("Bạn được thi tối đa 3 lượt.")

    # A row that was just added has the focus and is named by the preview, but not red before it was filled in.
    page.get_by_role("button", name="Thêm một bảng").click()
    name = page.locator('[id="brackets.0.name"]')
    expect(name).to_be_focused()
    expect(preview.get_by_role("link", name="Bảng 1: Tên bảng")).to_be_visible()
    expect(page.locator('[id="brackets.0.name-error"]')).to_have_count(0)
    page.keyboard.type("Đến 25 tuổi")
    expect(page.locator("#brackets strong")).to_have_text("Đến 25 tuổi")
    page.locator('[id="brackets.0.max_age"]').fill("25")

    page.get_by_role("button", name="Thêm một giải").click()
    expect(page.locator('[id="prizes.0.name"]')).to_be_focused()
    page.keyboard.type("Giải Nhất")
    page.locator('[id="prizes.0.value"]').fill("5.000.000")
    expect(preview).to_contain_text("Giải Nhất: 1 giải, mỗi giải 5.000.000 đồng.")
    page.get_by_label("Dành cho bảng").select_option("Đến 25 tuổi")
    expect(preview).to_contain_text("dành cho bảng “Đến 25 tuổi”")

    # The focus stays with what is moved.
    assert keys_shown(page) == ["score", "prediction_gap", "received_at"]
    page.locator('button[value="up:ranking:2"]').click()
    moved = page.locator('button[value="up:ranking:1"]')
    expect(moved).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('button[value="down:ranking:0"]')).to_be_focused()
    assert keys_shown(page) == ["received_at", "score", "prediction_gap"]
    expect(preview).to_contain_text(re.compile("lần lượt theo: nộp bài sớm hơn; nhiều điểm hơn"))
    # At a desk the preview is in sight already: asking for it moves nothing.
    stood = page.evaluate("scrollY")
    assert stood > 0
    # (by the page itself: the driver would scroll to the button first)
    page.locator(".rules-keep button[value=preview]").evaluate("(button) => button.click()")
    expect(preview).to_be_focused()
    assert page.evaluate("scrollY") == stood
    # What was typed is still there.
    expect(page.get_by_label("Số lượt thi")).to_have_value("3")
    assert loads == []
    assert stored().rules["prizes"] == []

    page.get_by_role("button", name=KEEP).click()
    expect(page.get_by_text("Đã lưu thể lệ.")).to_be_visible()
    rules = stored().rules
    assert rules["ranking"] == ["received_at", "score", "prediction_gap"]
    assert [(prize["key"], prize["value"], prize["bracket"]) for prize in rules["prizes"]] == [
        ("giai-nhat", 5_000_000, "den-25-tuoi")
    ]
    reader = context_with().new_page()
    reader.goto(f"/rounds/{NUMBER}")
    expect(reader.locator("main")).to_contain_text("Bạn được thi tối đa 3 lượt.")
    expect(reader.locator("#prizes + ul")).to_contain_text(
        "Giải Nhất: 1 giải, mỗi giải 5.000.000 đồng, dành cho bảng “Đến 25 tuổi”."
    )


def test_what_is_wrong_stands_beside_its_field_until_it_is_right(stage: Stage, context_with: OpenContext) -> None:
    staffing.make("organizer")
    page = context_with(viewport=DESK_SIZE).new_page()
    enter(page)
    page.goto(RULES)
    questions, said = page.get_by_label("Số câu hỏi trong đề"), page.locator("#questions-error")
    questions.fill("mười")
    expect(page.locator("#preview")).to_contain_text("Chưa thành thể lệ.")
    expect(said).to_have_count(0)  # it is still being typed
    questions.press("Tab")
    expect(said).to_have_text("Hãy nhập một số nguyên từ 1 đến 200.")
    expect(questions).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name=KEEP).click()
    expect(page.locator("#refused")).to_contain_text("Số câu hỏi trong đề: Hãy nhập một số nguyên từ 1 đến 200.")
    expect(said).to_be_visible()
    page.locator("#refused").get_by_role("link").click()
    questions.fill("5")
    expect(said).to_have_count(0)
    assert questions.get_attribute("aria-invalid") is None
    expect(page.locator("#preview")).to_contain_text("5 câu hỏi")
    assert stored().rules["questions"] == 10


def test_without_scripts_the_page_comes_back_where_one_was(stage: Stage, context_with: OpenContext) -> None:
    staffing.make("organizer")
    signed_in = context_with(viewport=DESK_SIZE)
    enter(signed_in.new_page())
    plain = context_with(java_script_enabled=False, viewport=PHONE_SIZE)
    plain.add_cookies(signed_in.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(RULES)
    page.get_by_role("button", name="Thêm một giải").click()
    expect(page.locator('[id="prizes.0.name"]')).to_be_in_viewport()
    page.locator('[id="prizes.0.name"]').fill("Giải Nhất")
    page.get_by_role("button", name="Xem trước").last.click()
    expect(page.locator("#preview h2")).to_be_in_viewport()
    expect(page.locator("#preview")).to_contain_text("Giải Nhất: 1 giải.")
    page.get_by_role("button", name=KEEP).click()
    expect(page.get_by_text("Đã lưu thể lệ.")).to_be_visible()
    assert [prize["name"] for prize in stored().rules["prizes"]] == ["Giải Nhất"]


@pytest.mark.parametrize("size", [PHONE_SIZE, DESK_SIZE], ids=["phone", "desk"])
def test_the_form_can_be_read_and_reached(stage: Stage, context_with: OpenContext, size: dict[str, int]) -> None:
    staffing.make("organizer")
    page = context_with(viewport=size).new_page()
    enter(page)
    wrong = []
    for path in (RULES, f"/staff/contests/{SLUG}/rules"):
        page.goto(path)
        for button in ("Thêm một phần", "Thêm một bảng", "Thêm một giải"):
            page.get_by_role("button", name=button).click()
        page.locator('[id="prizes.0.kind"]').select_option("collective")
        expect(page.locator('[id="prizes.0.level"]')).to_be_visible()
        wrong += check(page, path)
    assert wrong == []
