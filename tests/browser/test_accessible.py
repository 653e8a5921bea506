"""What axe would ask first: names, labels, structure, contrast, targets, no sideways scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from quiz import clock
from quiz.door.answers import Answers, Wait
from tests.browser import stage as staging
from tests.browser import steps
from tests.browser.conftest import DESK_SIZE, PHONE_SIZE, OpenContext
from tests.browser.stage import CLOSED, OPEN, Stage

pytestmark = pytest.mark.browser

PUBLIC = (
    "/",
    "/sign-in",
    "/register",
    "/rounds",
    f"/rounds/{OPEN}",
    "/boards",
    "/boards?parent=42",
    "/awards",
    "/privacy",
    "/nowhere",
)
OWN = ("/", "/account", "/entries", f"/boards/people?round={CLOSED}")

# Returns sentences about what is wrong on the page.
CHECK = r"""
() => {
  const wrong = [];
  const visible = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 1;
  const labels = (e) => e.labels && [...e.labels].map((label) => label.textContent).join(" ");
  const name = (e) => (e.getAttribute("aria-label") || labels(e) || e.textContent || e.value || "").trim();
  const say = (what, e) => wrong.push(`${what}: ${e.outerHTML.slice(0, 120)}`);

  if (!document.documentElement.lang) wrong.push("no language");
  if (!document.title.trim()) wrong.push("no title");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => wrong.push(`id twice: ${id}`));
  document.querySelectorAll("[aria-describedby],[aria-labelledby],[aria-controls]").forEach((e) => {
    ["aria-labelledby", "aria-controls"].forEach((a) => (e.getAttribute(a) || "").split(/\s+/).filter(Boolean)
      .forEach((id) => document.getElementById(id) || say(`${a} leads nowhere`, e)));
  });
  document.querySelectorAll("img:not([alt])").forEach((e) => say("picture without alt", e));
  document.querySelectorAll("svg").forEach((e) =>
    e.closest("[aria-hidden]") || (e.getAttribute("role") === "img" && name(e)) || say("icon read aloud", e));
  document.querySelectorAll("button,a[href],[role=option]").forEach((e) => visible(e) && !name(e) && say("no name", e));
  document.querySelectorAll("input:not([type=hidden]),select,textarea").forEach((e) =>
    visible(e) && !name(e) && say("no label", e));
  document.querySelectorAll("table").forEach((e) => e.querySelector("caption") || say("table without caption", e));
  let level = 0;
  document.querySelectorAll("h1,h2,h3,h4").forEach((e) => {
    if (!visible(e)) return;
    const next = Number(e.tagName[1]);
    if (next > level + 1 && level) say(`heading jumps from ${level}`, e);
    level = next;
  });
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) wrong.push(`scrolls sideways: ${width}`);

  // Targets: 48 px high, except links inside sentences and small print.
  const links = ".tabs a,.top a,.tiles a,.chips a,.rail a,.lots a";
  const targets = `button,.button,select,input:not([type=hidden]),.option,${links}`;
  document.querySelectorAll(targets).forEach((e) => {
    if (!visible(e) || e.closest("[aria-hidden]")) return;
    const target = e.matches("input[type=radio],input[type=checkbox]") ? e.closest("label") : e;
    const box = target.getBoundingClientRect();
    if (box.height < 47.5) say(`only ${Math.round(box.height)} px high`, e);
  });

  // Contrast of text against the nearest painted background.
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (color) => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => sum + part * linear(color[i] / 255), 0);
  const behind = (e) => {
    for (let up = e; up; up = up.parentElement) {
      const color = rgb(getComputedStyle(up).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const said = walker.currentNode.textContent.trim();
    if (!said || !visible(e) || e.closest(":disabled,.hear,script,option,.skip")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgb(style.color)), light(behind(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)} of “${said}”`, e);
  }
  return wrong;
}
"""


def check(page: Page, where: str) -> list[str]:
    return [f"{where}: {problem}" for problem in page.evaluate(CHECK)]


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE_SIZE, "light"), (DESK_SIZE, "dark")], ids=["phone", "desk in the dark"]
)
def test_the_waiting_page_can_be_read_and_reached(
    context_with: OpenContext, stage: Stage, size: dict[str, int], scheme: str
) -> None:
    made = Answers(stage.app).page("vi", "", Wait(1_204, 190, 10), "/", clock.to_ms(stage.now))
    page = context_with(color_scheme=scheme, viewport=size).new_page()
    page.route("**/waiting", lambda route: route.fulfill(body=made, content_type="text/html; charset=utf-8"))
    page.goto("/waiting")
    expect(page.locator(".place .figure")).to_have_text("1.204")
    assert check(page, "waiting") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE_SIZE, DESK_SIZE], ids=["phone", "desk"])
def test_every_page_can_be_read_and_reached(
    context_with: OpenContext, stage: Stage, scheme: str, size: dict[str, int]
) -> None:
    staging.person(stage)
    page = context_with(color_scheme=scheme, viewport=size).new_page()
    wrong: list[str] = []
    for path in PUBLIC:
        page.goto(path)
        wrong += check(page, path)
    page.get_by_role("link", name="Trang chủ").first.click()
    steps.sign_in(page)
    for path in OWN:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        wrong += check(page, path)
    steps.start(page)
    steps.answer(page, 0)
    page.get_by_label("Chưa chắc").check()
    wrong += check(page, "question")
    page.get_by_role("link", name="Tổng quan").click()
    wrong += check(page, "overview")
    page.get_by_role("button", name="Nộp bài").click()
    page.wait_for_url("**/entries/*")
    wrong += check(page, "receipt")
    assert wrong == []


def test_a_refused_form_takes_the_focus_to_what_is_wrong(page: Page, stage: Stage) -> None:
    page.goto("/register")
    page.get_by_role("button", name="Đăng ký").click()
    alert = page.get_by_role("alert")
    assert alert.evaluate("e => e === document.activeElement")
    alert.get_by_role("link", name="Họ và tên: Hãy nhập họ và tên.").click()
    assert page.evaluate("() => document.activeElement.id || location.hash.slice(1)") == "full_name"
    field = page.get_by_label("Họ và tên")
    assert field.get_attribute("aria-invalid") == "true"
    described = field.get_attribute("aria-describedby") or ""
    assert "full_name-error" in described


def test_motion_stops_where_it_is_not_wanted(context_with: OpenContext, stage: Stage) -> None:
    staging.person(stage)
    page = context_with(reduced_motion="reduce").new_page()
    steps.sign_in(page)
    steps.start(page)
    assert page.locator(".shown").evaluate("e => getComputedStyle(e).animationName") == "none"
