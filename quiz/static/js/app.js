// On every page: countdowns, parts that fill themselves, and the line that says what still waits to be sent.

import * as clock from "./clock.js";
import { forgetPage } from "./keep.js";
import * as sheets from "./sheets.js";
import * as sync from "./sync.js";

const outbox = document.getElementById("outbox");
const words = outbox ? JSON.parse(outbox.dataset.words) : {};

function countdowns() {
  document.querySelectorAll("[data-countdown]").forEach((place) => {
    const left = Number(place.dataset.countdown) - clock.now();
    // Days read better as the server wrote them; the last day runs by the second.
    if (left > 86400000) return;
    place.textContent = clock.spell(left);
    if (left <= 0 && place.dataset.over !== "yes") {
      place.dataset.over = "yes";
      // The page of the next phase; spread, because everybody's countdown ends at once.
      setTimeout(() => location.reload(), 1000 + Math.random() * 4000);
    }
  });
}

async function fill(part) {
  const place = part.querySelector("[data-here]");
  const response = await fetch(part.dataset.fill, { headers: { Accept: "text/html" } }).catch(() => null);
  // A session that has ended is sent to the sign-in page: that is no part of this one.
  if (response?.ok && !response.redirected) place.innerHTML = await response.text();
}

// Parts that ask the tables wait until somebody looks at them: who goes straight into the quiz costs nothing.
function fillParts() {
  const watch = new IntersectionObserver((seen) => {
    seen.filter((one) => one.isIntersecting).forEach(({ target }) => {
      watch.unobserve(target);
      fill(target);
    });
  });
  document.querySelectorAll("[data-fill]").forEach((part) => (part.dataset.when ? watch.observe(part) : fill(part)));
}

function reveal(event) {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  const input = document.getElementById(button.dataset.reveal);
  const hidden = input.type === "password";
  input.type = hidden ? "text" : "password";
  button.textContent = hidden ? button.dataset.hide : button.dataset.show;
  button.setAttribute("aria-pressed", String(hidden));
}

function say(kind, text, link) {
  outbox.replaceChildren();
  if (!text) return;
  const note = document.createElement("div");
  note.className = `note ${kind}`;
  const inner = document.createElement("div");
  inner.append(text);
  if (link) {
    const a = document.createElement("a");
    a.href = link;
    a.textContent = words.see;
    inner.append(" ", a);
  }
  note.append(inner);
  outbox.append(note);
}

let handed = null;

function report() {
  // The paper's own page has its own line.
  const here = document.getElementById("paper")?.dataset.sheet;
  const mine = sheets.all().filter((sheet) => sheet.id !== here);
  const waiting = mine.find((sheet) => sheet.state === "handing");
  const lost = mine.find((sheet) => sheet.state === "expired" || sheet.state === "refused");
  if (waiting) {
    handed = waiting.id;
    const wrong = sync.trouble(waiting.id);
    return say(wrong ? "gold" : "", wrong === "line" ? words.waiting : wrong === "busy" ? words.busy : words.sending);
  }
  const done = handed && sheets.load(handed);
  if (done?.state === "accepted") return say("green", words.done, `/entries/${done.receipt}`);
  if (lost) {
    say("red", words[lost.state]);
    return sheets.remove(lost.id); // said once
  }
  if (!handed) say("", "");
}

if (!document.getElementById("paper")) forgetPage();
countdowns();
setInterval(countdowns, 1000);
fillParts();
document.querySelectorAll("[data-reveal]").forEach((button) => (button.hidden = false));
document.addEventListener("click", reveal);
document.addEventListener("change", (event) => event.target.matches("[data-submit]") && event.target.form.submit());
sync.start();
if (outbox) {
  sync.listen(report);
  report();
}
document.getElementById("refused")?.focus();
