"""The pictures of the README, taken from a running demo: python -m tests.browser.pictures http://127.0.0.1:8000"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from quiz.services.demo import LOGINS
from tests.browser.conftest import DESK_SIZE, PHONE_SIZE, QUIET, chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"


def take(page: Page, name: str) -> None:
    # What fades in has to be there, and what is fetched apart too.
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.locator("#phone").fill(LOGINS[0].phone)
    page.locator("#password").fill(LOGINS[0].password)
    page.locator("main .primary").click()
    page.wait_for_url("**/")


def on_the_phone(page: Page) -> None:
    sign_in(page)
    take(page, "home-360")
    page.locator(".go button").click()
    page.locator("form.flow").wait_for()
    for number in range(9):
        page.locator(".shown .option").nth((number * 3 + 1) % 4).click()
        if number == 4:
            page.locator("#unsure").check()
        if number == 2:
            page.locator("#truth[data-state=sent]").wait_for()
            take(page, "question-360")
        page.locator("[data-move='1']").click()
    page.locator("#overview").click()
    page.locator("#truth[data-state=sent]").wait_for()
    take(page, "overview-360")
    page.locator("[data-hand-in]").click()
    page.wait_for_url("**/entries/*")
    page.locator("[data-receipt]").wait_for(state="detached")
    take(page, "receipt-360")
    page.goto("/boards")
    take(page, "boards-360")


def main(address: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        phone = browser.new_context(base_url=address, viewport=PHONE_SIZE, locale="vi-VN", device_scale_factor=1.5)
        on_the_phone(phone.new_page())
        desk = browser.new_context(base_url=address, viewport=DESK_SIZE, locale="vi-VN", color_scheme="dark").new_page()
        sign_in(desk)
        take(desk, "home-1280-dark")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
