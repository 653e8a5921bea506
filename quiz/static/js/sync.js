// What is on this device finds its way to the server: drafts while a paper is open, the hand-in until there is a
// receipt, and the sheet once more if the server says it does not know the receipt. Runs on every page.

import * as clock from "./clock.js";
import { call } from "./line.js";
import * as sheets from "./sheets.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;
const DRAFT_PAUSE = 500;
// Phones of a whole country reach the end of a window in the same second.
const SPREAD = 2000;

const listeners = new Set();
const states = new Map(); // id → {busy, failures, timer, trouble}

export function listen(hear) {
  listeners.add(hear);
}

// What is wrong on the way to the server: null, "line" or "busy"; and whether something is being sent.
export function trouble(id) {
  return state(id).trouble;
}

export function sending(id) {
  return state(id).busy;
}

export function start() {
  sheets.prune();
  sheets.all().forEach((sheet) => nudge(sheet.id));
  addEventListener("online", hurry);
  addEventListener("pageshow", hurry);
  addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => (document.hidden ? flush() : hurry()));
  sheets.onOtherTab((id) => {
    tell(id);
    nudge(id);
  });
}

export function handIn(id) {
  sheets.change(id, (sheet) => {
    if (sheet.state === "open") sheet.state = "handing";
  });
  tell(id);
  nudge(id);
}

// Look at a sheet soon (or after `wait` ms) and do the next thing it needs.
export function nudge(id, wait = 0) {
  const held = state(id);
  clearTimeout(held.timer);
  held.timer = setTimeout(() => step(id), wait);
}

export function nudgeDraft(id) {
  if (!state(id).busy) nudge(id, DRAFT_PAUSE);
}

function hurry() {
  sheets.all().forEach((sheet) => {
    state(sheet.id).failures = 0;
    if (!state(sheet.id).busy) nudge(sheet.id);
  });
}

// The page goes away: the last taps leave with it, whatever becomes of the answer.
function flush() {
  sheets.all().forEach((sheet) => {
    if (sheet.state === "open" && sheet.seq > sheet.sent && clock.now() < sheet.deadline) {
      call("PUT", "/api/v1/papers/draft", draft(sheet), { keepalive: true });
    }
  });
}

async function step(id) {
  const held = state(id);
  const sheet = sheets.load(id);
  if (!sheet || held.busy) return;
  if (sheet.state === "open" && clock.now() >= sheet.deadline) return end(sheet);
  const act = { open: sendDraft, handing: sendSheet, accepted: confirm }[sheet.state];
  if (!act) return;
  held.busy = true;
  if (sheet.state !== "accepted") tell(id);
  let wait = null;
  try {
    wait = await act(sheet);
  } finally {
    held.busy = false;
  }
  tell(id);
  if (wait !== null) nudge(id, wait);
}

// The time of a paper is over: what was answered is handed in. A sheet with nothing on it is let go.
async function end(sheet) {
  if (!clock.sure()) {
    const answer = await call("GET", "/now"); // its Date puts the clock right
    return nudge(sheet.id, answer.outcome === "ok" ? 0 : backOff(sheet.id, answer.wait ?? 0));
  }
  if (isEmpty(sheet)) sheets.remove(sheet.id);
  else sheets.change(sheet.id, (now) => (now.state = "handing"));
  tell(sheet.id);
  nudge(sheet.id, Math.random() * SPREAD);
}

function isEmpty(sheet) {
  return Object.keys(sheet.answers).length === 0 && sheet.prediction === null;
}

async function sendDraft(sheet) {
  const left = Math.max(0, sheet.deadline - clock.now());
  if (sheet.seq <= sheet.sent) return left; // nothing new: wake up at the deadline
  const { seq } = sheet;
  const answer = await call("PUT", "/api/v1/papers/draft", draft(sheet));
  if (answer.outcome === "line" || answer.outcome === "busy") return Math.min(retry(sheet.id, answer), left);
  calm(sheet.id);
  const after = sheets.change(sheet.id, (now) => {
    if (answer.outcome === "ok") now.sent = Math.max(now.sent, seq);
    // The time of the paper is over by the server's clock: what was kept there until then is the entry.
    if (answer.outcome === "refused" && answer.status === 410 && now.state === "open") now.state = "handing";
    // Forged or another's: nothing that is sent again will do. Other refusals wait for the hand-in to be said.
    if (answer.outcome === "refused" && answer.status === 400) now.state = "refused";
  });
  if (!after || after.state === "refused") return null;
  return after.state === "handing" || (answer.outcome === "ok" && after.seq > after.sent) ? 0 : left;
}

async function sendSheet(sheet) {
  const answer = await call("POST", "/api/v1/entries", whole(sheet));
  if (answer.outcome === "line" || answer.outcome === "busy") return retry(sheet.id, answer);
  calm(sheet.id);
  sheets.change(sheet.id, (now) => {
    if (answer.outcome === "ok") {
      now.state = "accepted";
      now.receipt = answer.data.receipt;
      now.received = answer.data.received_at;
    } else if (answer.status === 422 && clock.now() < now.deadline) {
      now.state = "open"; // a slip that can be put right, such as a prediction out of range
      now.wrong = answer.data?.errors?.[0]?.message ?? answer.data?.detail;
    } else {
      now.state = answer.status === 410 ? "expired" : "refused";
    }
  });
  return answer.outcome === "ok" ? FIRST_WAIT : null;
}

// Kept until the entry is scored: if the server ever lost what it took, this device hands it in again.
async function confirm(sheet) {
  if (document.body.dataset.me !== String(sheet.participant)) return null;
  const answer = await call("GET", `/entries/${sheet.receipt}/state`);
  if (answer.outcome === "ok" && answer.data.state === "scored") {
    sheets.remove(sheet.id);
    return null;
  }
  if (answer.outcome === "refused" && answer.status === 404) {
    const again = await call("POST", "/api/v1/entries", { ...whole(sheet), receipt: sheet.receipt });
    if (again.outcome === "refused") return null;
    if (again.outcome === "ok") sheets.change(sheet.id, (now) => (now.receipt = again.data.receipt));
  } else if (answer.outcome === "refused") {
    return null; // signed out: the next signed-in page asks again
  }
  return backOff(sheet.id, 0);
}

function retry(id, answer) {
  state(id).trouble = answer.outcome;
  return backOff(id, answer.wait ?? 0);
}

function backOff(id, wait) {
  const held = state(id);
  const own = Math.min(FIRST_WAIT * 2 ** held.failures, LONGEST_WAIT);
  held.failures += 1;
  return Math.max(wait, own * (0.75 + Math.random() / 2));
}

function calm(id) {
  const held = state(id);
  held.failures = 0;
  held.trouble = null;
}

function draft(sheet) {
  return { ...whole(sheet), seq: sheet.seq };
}

function whole(sheet) {
  const body = { paper: sheet.paper, answers: sheet.answers };
  if (sheet.steps) body.steps = sheet.steps;
  return sheet.prediction === null ? body : { ...body, prediction: sheet.prediction };
}

function state(id) {
  if (!states.has(id)) states.set(id, { busy: false, failures: 0, timer: 0, trouble: null });
  return states.get(id);
}

function tell(id) {
  const sheet = sheets.load(id);
  listeners.forEach((hear) => hear(id, sheet));
}
