// The receipt page: turns from "in the line" to "counted" by itself, and hands an invitation to the device's own sheet.

import "./app.js";
import { call } from "./line.js";

const part = document.querySelector("[data-receipt]");
const share = document.getElementById("share");

async function look(wait) {
  const answer = await call("GET", `/entries/${part.dataset.receipt}/state`);
  if (answer.outcome === "ok" && answer.data.state === "scored") location.reload();
  else if (answer.outcome !== "refused") setTimeout(() => look(Math.min(wait * 1.6, 15000)), wait);
}

if (part) setTimeout(() => look(1000), 700);
if (share && navigator.share) {
  share.hidden = false;
  share.addEventListener("click", () => {
    const { title, text, url } = share.dataset;
    navigator.share({ title, text, url }).catch(() => {}); // closed without sharing
  });
}
