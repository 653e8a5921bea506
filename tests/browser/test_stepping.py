"""Questions one by one on a phone: each with its own time, on a good line, on none, and without a script."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from quiz.extensions import db
from quiz.models import Entry
from quiz.services import papers
from tests.browser import stage as staging
from tests.browser import steps
from tests.browser.conftest import OpenContext
from tests.browser.stage import OPEN, Stage

pytestmark = pytest.mark.browser

STEP = "**/api/v1/papers/step"


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    return staging.build(app, questions=4, seconds=4 * 10, seconds_per_question=10, prediction=None)


@pytest.fixture
def asked(page: Page, stage: Stage) -> Page:
    """Somebody who is asked the first question."""
    staging.person(stage)
    begin(page)
    return page


def begin(page: Page) -> None:
    steps.sign_in(page)
    page.get_by_role("button", name="Vào thi").click()
    page.wait_for_url("**/paper")
    where(page, 1)


def where(page: Page, number: int) -> None:
    expect(page.locator("#where")).to_have_text(f"Câu {number}/4")


def tap(page: Page, option: int) -> str:
    """The id of the question that was answered."""
    page.locator("#asked .option").nth(option).click()
    return str(page.locator("#asked").get_attribute("data-question"))


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Câu tiếp theo").click()


def left(page: Page) -> int:
    minutes, seconds = page.locator("#timer").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


def entry(stage: Stage) -> list[int]:
    stage.await_entries(1)
    return papers.read_masks(db.session.query(Entry).one().answers)


def test_from_the_first_question_to_the_receipt(asked: Page, stage: Stage) -> None:
    seen = []
    for number in range(1, 5):
        where(asked, number)
        expect(asked.locator("#asked .option")).to_have_count(4)
        assert 0 < left(asked) <= 10
        seen.append(tap(asked, 1))
        steps.truth(asked, "Đã lưu trên máy")
        go_on(asked)
    expect(asked.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    assert len(set(seen)) == 4
    assert all(entry(stage))


def test_when_its_time_is_over_what_was_tapped_is_sent_and_the_next_comes(asked: Page, stage: Stage) -> None:
    tap(asked, 2)
    expect(asked.locator("#where")).to_have_text("Câu 2/4", timeout=15_000)
    # Nothing tapped here: it is left out.
    expect(asked.locator("#where")).to_have_text("Câu 3/4", timeout=15_000)
    expect(asked.locator("#asked input:checked")).to_have_count(0)
    tap(asked, 0)
    go_on(asked)
    where(asked, 4)
    tap(asked, 0)
    go_on(asked)
    expect(asked.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    assert [mask > 0 for mask in entry(stage)] == [True, False, True, True]


def test_a_reload_brings_the_same_question_the_tap_and_the_time_that_is_left(asked: Page) -> None:
    question = tap(asked, 3)
    asked.reload()
    where(asked, 1)
    assert asked.locator("#asked").get_attribute("data-question") == question
    expect(asked.locator("#asked .option input").nth(3)).to_be_checked()
    assert left(asked) <= 10


def test_without_a_line_the_answer_is_sent_until_it_arrives(asked: Page, stage: Stage) -> None:
    tap(asked, 1)
    asked.context.set_offline(True)
    go_on(asked)
    steps.truth(asked, "Mất kết nối. Câu trả lời vẫn còn trên máy")
    where(asked, 1)
    asked.context.set_offline(False)
    where(asked, 2)
    steps.truth(asked, "Bấm tiếp là không quay lại")


def test_an_answer_whose_confirmation_was_lost_is_not_asked_again(asked: Page) -> None:
    """The server took it, the line broke before its answer came: the repeated call gets the next question."""
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort()

    asked.route(STEP, lose)
    tap(asked, 1)
    go_on(asked)
    where(asked, 2)
    assert '"number":2' in lost[0]
    assert str(asked.locator("#asked").get_attribute("data-question")) in lost[0]


@pytest.mark.service_worker
def test_a_reload_without_a_line_brings_the_question_back(asked: Page) -> None:
    tap(asked, 1)
    go_on(asked)
    where(asked, 2)
    question = tap(asked, 2)
    asked.evaluate("() => navigator.serviceWorker.ready")
    asked.context.set_offline(True)
    asked.reload()
    where(asked, 2)
    assert asked.locator("#asked").get_attribute("data-question") == question
    expect(asked.locator("#asked .option input").nth(2)).to_be_checked()
    asked.context.set_offline(False)
    steps.truth(asked, "Đã lưu trên máy")
    go_on(asked)
    where(asked, 3)


def test_no_later_question_is_in_the_page_or_on_the_device(asked: Page, stage: Stage) -> None:
    bank = stage.platform.season.bank(stage.card(OPEN))
    question = asked.locator("#asked").get_attribute("data-question")
    held = asked.content() + str(asked.evaluate("() => JSON.stringify(localStorage)"))
    assert [one.id for one in bank.questions if one.text[:30] in held] == [question]


def test_without_a_script(context_with: OpenContext, stage: Stage) -> None:
    page = context_with(java_script_enabled=False).new_page()
    staging.person(stage)
    begin(page)
    for number in range(1, 5):
        where(page, number)
        assert re.fullmatch(r"đến \d\d:\d\d:\d\d", page.locator("#timer").inner_text())
        tap(page, 0)
        go_on(page)
    expect(page.get_by_role("heading", name="Bạn đã trả lời 4/4 câu.")).to_be_visible()
    page.get_by_role("button", name="Nộp bài").click()
    expect(page.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
    assert all(entry(stage))


class TestPrediction:
    @pytest.fixture
    def stage(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Stage:
        monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
        return staging.build(app, questions=4, seconds=4 * 30, seconds_per_question=30)

    def test_it_comes_after_the_questions(self, asked: Page, stage: Stage) -> None:
        for number in range(1, 5):
            where(asked, number)
            tap(asked, 1)
            go_on(asked)
        expect(asked.get_by_role("heading", name="Bạn đã trả lời 4/4 câu.")).to_be_visible()
        asked.get_by_label("Có bao nhiêu người").fill("1.500")
        asked.get_by_role("button", name="Nộp bài").click()
        expect(asked.get_by_role("heading", name="Đã nộp bài")).to_be_visible()
        stage.await_entries(1)
        assert db.session.query(Entry).one().prediction == 1_500
