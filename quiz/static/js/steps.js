// A paper whose questions come one by one. Each question is a form that works without this file; here the next one
// comes into the same page, and an answer is sent again and again until the server has said what it made of it.

import "./app.js";
import * as clock from "./clock.js";
import { keepPage } from "./keep.js";
import { call } from "./line.js";
import * as sheets from "./sheets.js";
import * as sync from "./sync.js";

const form = document.getElementById("paper");
const files = [...document.head.querySelectorAll("link[href], script[src]")].map((file) => file.href ?? file.src);
keepPage(files).catch(() => {});
const words = JSON.parse(form.dataset.words);
const id = form.dataset.sheet;
const where = document.getElementById("where");
const timer = document.getElementById("timer");
const truth = document.getElementById("truth");
const aloud = document.getElementById("aloud");
const segments = document.getElementById("segments");
const finish = document.getElementById("finish");
const next = document.getElementById("next");
const handInButton = document.getElementById("hand-in");
const prediction = document.getElementById("prediction");
const SOON = 5000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000;

let said = null; // what the server said last: the question that is asked, or that all were
let sending = false;
let trouble = null;
let warned = false;
let over = false;
let wake = null;

const fillIn = (text, values) => text.replace(/#(\w+)/g, (_, name) => values[name]);
const make = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

// ---- what is kept on this device

function open() {
  const shown = JSON.parse(form.dataset.said);
  const held = sheets.load(id);
  const facts = {
    id,
    round: Number(form.dataset.round),
    participant: Number(form.dataset.participant),
    paper: form.elements.paper.value,
    deadline: Number(form.dataset.deadline),
  };
  if (held && held.state !== "stepping") {
    // On its way already: the page only tells how that goes.
    said = shown;
    return sync.nudge(id);
  }
  // A page out of the device's own cache is older than what this device was told since.
  const mine = held?.said && place(held.said) > place(shown) ? held.said : shown;
  const fresh = { unsure: [], answers: {}, prediction: null, seq: 0, sent: 0, chosen: [], ...held };
  sheets.save({ ...fresh, ...facts, state: "stepping", said: mine, steps: mine.steps ?? held?.steps });
  show(mine, sheets.load(id).chosen);
  if (mine !== shown) step();
}

function place(answer) {
  return answer.done ? Infinity : answer.number;
}

function keep() {
  sheets.change(id, (sheet) => (sheet.chosen = chosen()));
  draw();
}

function chosen() {
  return [...form.querySelectorAll(".option input:checked")].map((input) => `${input.name.slice(1)}:${input.value}`);
}

// ---- what is on the screen

function show(answer, ticked = []) {
  said = answer;
  warned = over = false;
  document.getElementById("late")?.remove();
  document.getElementById("asked")?.remove();
  form.elements.question?.remove();
  finish.hidden = !said.done;
  if (said.done) ended();
  else form.insertBefore(question(said.question, new Set(ticked)), finish);
  next.hidden = next.disabled = said.done;
  handInButton.hidden = handInButton.disabled = !said.done;
  where.textContent = said.done ? words.finish : fillIn(words.where, { number: said.number, count: said.of });
  [...segments.children].forEach((mark, index) => {
    mark.className = said.done || index + 1 < said.number ? "done" : index + 1 === said.number ? "here" : "";
  });
  draw();
  tick();
}

function question(asked, ticked) {
  const section = make("section", "question");
  section.id = "asked";
  section.dataset.question = asked.id;
  const fieldset = make("fieldset");
  const legend = make("legend");
  legend.tabIndex = -1;
  if (asked.multiple) legend.append(make("span", "count", words.several));
  legend.append(make("span", "question-text", asked.text));
  const options = make("div", "options");
  asked.options.forEach((option, index) => {
    const label = make("label", "option");
    const input = make("input");
    input.type = asked.multiple ? "checkbox" : "radio";
    input.name = `q${asked.id}`;
    input.value = option.id;
    input.checked = ticked.has(`${asked.id}:${option.id}`);
    label.append(input, make("span", "letter", "ABCDEFGHIJKLMNOP"[index]), make("span", "", option.text));
    options.append(label);
  });
  fieldset.append(legend, options);
  section.append(fieldset);
  return section;
}

function ended() {
  if (!said.answers) return;
  const done = Object.keys(said.answers).length;
  document.getElementById("finish-title").textContent = fillIn(words.review, { done, all: said.of });
}

function draw() {
  const sheet = sheets.load(id);
  const locked = sending || sheet?.state !== "stepping";
  form.querySelectorAll(".option input").forEach((input) => (input.disabled = locked));
  if (prediction) prediction.disabled = sheet?.state !== "stepping";
  next.disabled = locked || said?.done;
  handInButton.disabled = locked || !said?.done;
  let [text, mood] = said?.done ? [words.there, "sent"] : [words.choose, ""];
  const wrong = sync.trouble(id);
  if (sheet?.state === "accepted") [text, mood] = [fillIn(words.handed, { receipt: sheet.receipt.slice(0, 8) }), "sent"];
  else if (sheet?.state === "expired") [text, mood] = [words.expired, "trouble"];
  else if (sheet?.state === "refused") [text, mood] = [words.refused, "trouble"];
  else if (sheet?.state === "handing") [text, mood] = wrong ? [words.handing_line, "trouble"] : [words.handing, ""];
  else if (sheet?.wrong) [text, mood] = [sheet.wrong, "trouble"];
  else if (trouble) [text, mood] = [trouble === "line" ? words.line : words.busy, "trouble"];
  else if (sending) text = words.sending;
  else if (sheet?.chosen.length && !said?.done) text = words.kept;
  truth.dataset.state = mood;
  if (truth.lastElementChild.textContent !== text) {
    truth.lastElementChild.textContent = text;
    if (mood === "trouble") aloud.textContent = text;
  }
}

function tick() {
  if (!said?.expires_at) return;
  const left = Date.parse(said.expires_at) - clock.now();
  timer.textContent = clock.spell(left);
  timer.parentElement.classList.toggle("short", left <= SOON);
  if (!warned && left <= SOON && left > 0 && !sending) {
    warned = true;
    aloud.textContent = words.soon;
  }
  if (left > 0 || over) return;
  // What was tapped is sent whoever looks; but the clock of the next question must not run unseen.
  if (document.hidden && !said.done && !chosen().length) return;
  over = true;
  if (said.done) return handIn();
  if (!sending) {
    aloud.textContent = words.over;
    step(answer());
  }
}

// ---- to the server and back

function answer() {
  const asked = document.getElementById("asked").dataset.question;
  return { [asked]: chosen().map((one) => one.slice(asked.length + 1)) };
}

// The same call again and again, until the server has answered it: it may be repeated as often as one likes.
async function step(given) {
  sending = true;
  draw();
  let wait = FIRST_WAIT;
  for (;;) {
    const body = { paper: form.elements.paper.value, steps: sheets.load(id)?.steps };
    const began = performance.now();
    const answer = await call("POST", "/api/v1/papers/step", given ? { ...body, answer: given } : body);
    if (answer.outcome === "ok") {
      clock.learn(Date.parse(answer.data.server_time), performance.now() - began);
      return arrived(answer.data);
    }
    if (answer.outcome === "refused") return refused(answer);
    trouble = answer.outcome;
    draw();
    await pause(Math.max(answer.wait ?? 0, wait));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

function arrived(data) {
  const before = said;
  sending = false;
  trouble = null;
  sheets.change(id, (sheet) => {
    sheet.said = data;
    sheet.steps = data.steps ?? sheet.steps;
    if (place(data) !== place(before)) sheet.chosen = [];
  });
  show(data, sheets.load(id).chosen);
  if (place(data) !== place(before)) {
    scrollTo(0, 0);
    form.querySelector("#asked legend, #finish:not([hidden]) h1")?.focus({ preventScroll: true });
  }
  // Nothing is left to be said: the sheet goes in at once. Where a prediction is asked for, the person sends it.
  if (data.done && (form.dataset.prediction !== "yes" || !data.answers)) handIn();
}

function refused(answer) {
  sending = false;
  trouble = null;
  if (answer.status === 410) {
    sheets.remove(id);
    return location.replace("/"); // the time ended over an empty sheet
  }
  sheets.change(id, (sheet) => (sheet.state = "refused"));
  draw();
}

function pause(milliseconds) {
  return new Promise((go) => {
    wake = go;
    setTimeout(go, milliseconds);
  });
}

function handIn() {
  sheets.change(id, (sheet) => {
    if (sheet.state !== "stepping") return;
    sheet.state = "handing";
    sheet.answers = said.answers ?? sheet.answers;
    sheet.prediction = predicted();
    sheet.wrong = null;
  });
  draw();
  sync.nudge(id);
}

function predicted() {
  const text = prediction?.value.replace(/[.,\s]/g, "") ?? "";
  const number = Number(text);
  const fits = /^\d{1,10}$/.test(text) && number >= prediction.dataset.min && number <= prediction.dataset.max;
  prediction?.setAttribute("aria-invalid", String(text !== "" && !fits));
  return fits ? number : null;
}

// ---- what is done on it

form.addEventListener("change", keep);
prediction?.addEventListener("input", predicted);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (sending || sheets.load(id)?.state !== "stepping") return;
  if (said.done) handIn();
  else step(answer());
});
addEventListener("online", () => wake?.());
sync.listen((changed, sheet) => {
  if (changed !== id || !sheet) return;
  // A slip that can be put right, such as a prediction out of range.
  if (sheet.state === "open") sheets.change(id, (now) => (now.state = "stepping"));
  draw();
  if (sheet.state === "accepted") location.replace(`/entries/${sheet.receipt}`);
});

open();
draw();
setInterval(tick, 250);
if (said.done && form.dataset.prediction !== "yes") handIn();
