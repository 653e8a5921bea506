"""What people do on the pages, as the tests say it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.stage import PASSWORD, PHONE


def sign_in(page: Page, phone: str = PHONE) -> None:
    page.goto("/sign-in")
    page.get_by_label("Số điện thoại di động").fill(phone)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("button", name="Vào thi")).to_be_visible()


def start(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Vào thi").click()
    page.wait_for_url("**/paper")
    expect(page.locator("form.flow")).to_be_visible()


def answer(page: Page, option: int) -> None:
    """Tap an option of the question on the screen."""
    page.locator(".shown .option").nth(option).click()


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Tiếp theo").click()


def chosen(page: Page) -> dict[str, list[str]]:
    """What is ticked on the sheet: question → options."""
    found: dict[str, list[str]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-question]")]
            .map((q) => [q.dataset.question, [...q.querySelectorAll("input:checked")].map((i) => i.value)])
            .filter(([, ticked]) => ticked.length))"""
    )
    return found


def truth(page: Page, text: str) -> None:
    expect(page.locator("#truth")).to_contain_text(text)


def sheets(page: Page) -> list[dict[str, object]]:
    """The sheets that this device keeps."""
    kept: list[dict[str, object]] = page.evaluate(
        """() => Object.keys(localStorage).filter((k) => k.startsWith("quiz80:sheet:"))
            .map((k) => JSON.parse(localStorage.getItem(k)))"""
    )
    return kept
