// Taking a paper, one question a screen. The page is a plain form that works without this file; here every tap is
// kept on the device first, and only then sent.

import "./app.js";
import * as clock from "./clock.js";
import { keepPage } from "./keep.js";
import * as sheets from "./sheets.js";
import * as sync from "./sync.js";

const form = document.getElementById("paper");
// Before the script changes anything on it; without it the paper works all the same, only not after a reload offline.
const files = [...document.head.querySelectorAll("link[href], script[src]")].map((file) => file.href ?? file.src);
keepPage(files).catch(() => {});
const words = JSON.parse(form.dataset.words);
const screens = [...form.querySelectorAll("[data-screen]")];
const questions = screens.filter((screen) => screen.dataset.question);
const finish = document.getElementById("finish");
const dock = document.getElementById("dock");
const where = document.getElementById("where");
const timer = document.getElementById("timer");
const truth = document.getElementById("truth");
const aloud = document.getElementById("aloud");
const unsure = document.getElementById("unsure");
const prediction = document.getElementById("prediction");
const segments = document.getElementById("segments");
const WARN = 120000;
const id = form.dataset.sheet;

let at = 0;
let warned = false;
let over = false;
let last = "";

const fillIn = (text, values) => text.replace(/#(\w+)/g, (_, name) => values[name]);

// ---- the sheet

function fromPage() {
  const answers = {};
  questions.forEach((screen) => {
    const chosen = [...screen.querySelectorAll("input:checked")].map((input) => input.value);
    if (chosen.length) answers[screen.dataset.question] = chosen;
  });
  return { answers, prediction: predicted() };
}

function predicted() {
  const text = prediction?.value.replace(/[.,\s]/g, "") ?? "";
  const number = Number(text);
  const fits = /^\d{1,10}$/.test(text) && number >= prediction.dataset.min && number <= prediction.dataset.max;
  prediction?.setAttribute("aria-invalid", String(text !== "" && !fits));
  return fits ? number : null;
}

function toPage(sheet) {
  questions.forEach((screen) => {
    const chosen = new Set(sheet.answers[screen.dataset.question] ?? []);
    screen.querySelectorAll(".option input").forEach((input) => (input.checked = chosen.has(input.value)));
  });
  if (prediction && document.activeElement !== prediction && sheet.prediction !== null) prediction.value = sheet.prediction;
}

function open() {
  const drafted = Number(form.dataset.seq);
  const held = sheets.load(id);
  const facts = {
    id,
    round: Number(form.dataset.round),
    participant: Number(form.dataset.participant),
    paper: form.elements.paper.value,
    deadline: Number(form.dataset.deadline),
  };
  if (held && held.seq >= drafted) {
    sheets.save({ ...held, ...facts });
  } else {
    // Nothing here yet, or another device went on with this paper meanwhile.
    sheets.save({ unsure: [], state: "open", ...held, ...facts, ...fromPage(), seq: drafted, sent: drafted });
  }
  toPage(sheets.load(id));
}

function keep() {
  const sheet = sheets.change(id, (now) => {
    if (now.state !== "open") return;
    Object.assign(now, fromPage(), { wrong: null });
    // Rises on every device, and over all devices of one person.
    now.seq = Math.max(now.seq + 1, Math.floor(clock.now()));
  });
  if (!sheet) open();
  draw();
  sync.nudgeDraft(id);
}

// ---- what is on the screen

function show(next, { move = true, push = true } = {}) {
  const before = at;
  at = Math.min(Math.max(next, 0), screens.length - 1);
  screens.forEach((screen, place) => {
    screen.classList.toggle("shown", place === at);
    screen.classList.toggle("back", place === at && at < before);
  });
  if (push && at !== before) history.pushState({ at }, "", `#${screens[at].id}`);
  draw();
  if (move) {
    scrollTo(0, 0);
    (screens[at].querySelector("[data-focus]") ?? screens[at]).focus({ preventScroll: true });
  }
}

function draw() {
  const sheet = sheets.load(id);
  if (!sheet) return;
  const locked = sheet.state !== "open";
  const screen = screens[at];
  const last = screen === finish;
  where.textContent = screen.dataset.title;
  questions.forEach((question, place) => {
    const name = question.dataset.question;
    const answered = Boolean(sheet.answers[name]);
    const doubt = sheet.unsure.includes(name);
    const mark = segments.children[place];
    mark.className = doubt ? "unsure" : answered ? "done" : "";
    mark.classList.toggle("here", place === at);
    const tile = document.getElementById(`tile-${name}`);
    tile.className = doubt ? "unsure-tile" : answered ? "answered" : "";
    tile.querySelector("span").textContent = doubt ? words.unsure : answered ? words.answered : words.open;
  });
  document.getElementById("overview").hidden = last;
  dock.querySelector("[data-move='-1']").disabled = at === 0;
  dock.querySelector("[data-move='1']").hidden = last;
  const hand = dock.querySelector("[data-hand-in]");
  hand.hidden = !last;
  hand.disabled = locked;
  unsure.closest("label").hidden = !screen.dataset.question;
  unsure.checked = sheet.unsure.includes(screen.dataset.question);
  form.querySelectorAll(".option input, #prediction").forEach((input) => (input.disabled = locked));
  if (last) summary(sheet);
  tellTruth(sheet);
}

function summary(sheet) {
  const missing = questions.filter((question) => !sheet.answers[question.dataset.question]);
  const done = questions.length - missing.length;
  if (prediction && sheet.prediction === null) missing.push(document.getElementById("guess"));
  document.getElementById("finish-title").textContent = fillIn(words.review, { done, all: questions.length });
  const list = document.getElementById("missing");
  list.hidden = missing.length === 0;
  list.querySelector("ul").replaceChildren(
    ...missing.map((question) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${question.id}`;
      link.textContent = `${question.dataset.title} · ${question.querySelector(".question-text").textContent.trim()}`;
      item.append(link);
      return item;
    }),
  );
}

function tellTruth(sheet) {
  const wrong = sync.trouble(id);
  let text = words.kept;
  let mood = "";
  if (sheet.state === "accepted") [text, mood] = [fillIn(words.handed, { receipt: sheet.receipt.slice(0, 8) }), "sent"];
  else if (sheet.state === "expired") [text, mood] = [words.expired, "trouble"];
  else if (sheet.state === "refused") [text, mood] = [words.refused, "trouble"];
  else if (sheet.wrong) [text, mood] = [sheet.wrong, "trouble"];
  else if (wrong) [text, mood] = [wrong === "line" ? words.line : words.busy, "trouble"];
  else if (sync.sending(id)) text = sheet.state === "handing" ? words.handing : words.sending;
  else if (sheet.seq > 0 && sheet.sent >= sheet.seq) [text, mood] = [words.both, "sent"];
  else if (!sheets.isKept()) [text, mood] = [words.unkept, "trouble"];
  truth.dataset.state = mood;
  if (truth.lastElementChild.textContent !== text) truth.lastElementChild.textContent = text;
  // Read aloud only what changes what one has to do, not every saved tap.
  const loud = mood === "trouble" || sheet.state !== "open" ? text : "";
  if (loud !== last) say((last = loud));
}

function say(text) {
  aloud.textContent = text;
}

function tick() {
  const left = Number(form.dataset.deadline) - clock.now();
  timer.textContent = clock.spell(left);
  timer.parentElement.classList.toggle("short", left <= WARN);
  if (!warned && left <= WARN && left > 0) {
    warned = true;
    say(words.two);
  }
  if (left <= 0 && !over) {
    over = true;
    say(words.over);
    show(screens.length - 1, { push: false });
    sync.nudge(id);
  }
}

// ---- what is done on it

form.addEventListener("change", keep);
prediction?.addEventListener("input", keep);
unsure.addEventListener("change", () => {
  const name = screens[at].dataset.question;
  sheets.change(id, (sheet) => {
    sheet.unsure = sheet.unsure.filter((other) => other !== name);
    if (unsure.checked) sheet.unsure.push(name);
  });
  draw();
});
dock.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (button) show(at + Number(button.dataset.move));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  // Enter inside an answer means "go on"; only the button of the last screen hands in.
  if (event.submitter?.dataset.handIn !== undefined && screens[at] === finish) {
    keep();
    sync.handIn(id);
  } else if (screens[at] !== finish) show(at + 1);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const target = link && screens.findIndex((screen) => `#${screen.id}` === link.getAttribute("href"));
  if (link && target >= 0) {
    event.preventDefault();
    show(target);
  }
});
addEventListener("popstate", () => show(placeOf(location.hash), { push: false }));
addEventListener("online", draw);
addEventListener("offline", draw);
sync.listen((changed, sheet) => {
  if (changed !== id) return;
  if (!sheet) return location.replace("/"); // the time ended over an empty sheet
  if (sheet.state === "open") toPage(sheet);
  draw();
  if (sheet.state === "accepted") location.replace(`/entries/${sheet.receipt}`);
});

function placeOf(hash) {
  return Math.max(0, screens.findIndex((screen) => `#${screen.id}` === hash));
}

open();
form.classList.add("flow");
segments.hidden = dock.hidden = false;
document.querySelectorAll(".without-script").forEach((part) => (part.hidden = true));
document.querySelectorAll(".with-script").forEach((part) => (part.hidden = false));
history.replaceState({ at: placeOf(location.hash) }, "");
show(placeOf(location.hash), { move: false, push: false });
tick();
setInterval(tick, 500);
sync.nudge(id);
