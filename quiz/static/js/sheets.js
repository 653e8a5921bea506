// Sheets on this device: one record a paper in localStorage, written at every tap, deleted when the entry is scored.
//
// {id, round, participant, paper, deadline, answers: {question: [option, …]}, prediction, unsure: [question, …],
//  seq, sent, state: "open" | "stepping" | "handing" | "accepted" | "expired" | "refused", receipt, received}
// Of a paper whose questions come one by one besides: {said, steps, chosen} (steps.js).

const PREFIX = "quiz80:sheet:";
const MOST = 60;

// Where the browser refuses storage (private windows of old phones) sheets live as long as the page.
const memory = new Map();
let kept = true;

export function isKept() {
  return kept;
}

export function load(id) {
  return read(PREFIX + id);
}

export function save(sheet) {
  const text = JSON.stringify(sheet);
  memory.set(PREFIX + sheet.id, text);
  try {
    localStorage.setItem(PREFIX + sheet.id, text);
    kept = true;
  } catch {
    kept = false;
  }
}

export function change(id, edit) {
  const sheet = load(id);
  if (sheet) {
    edit(sheet);
    save(sheet);
  }
  return sheet;
}

export function remove(id) {
  memory.delete(PREFIX + id);
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    kept = false;
  }
}

export function all() {
  const names = new Set(memory.keys());
  try {
    for (let i = 0; i < localStorage.length; i += 1) {
      const name = localStorage.key(i);
      if (name.startsWith(PREFIX)) names.add(name);
    }
  } catch {
    kept = false;
  }
  return [...names].map(read).filter(Boolean).sort((a, b) => b.deadline - a.deadline);
}

// Old sheets that nobody can confirm any more (another person's, signed out for good) must not fill the device.
export function prune() {
  all().slice(MOST).forEach((sheet) => remove(sheet.id));
  // What was answered step by step is on the server, and handed in there when its time is over.
  const over = (sheet) => sheet.state === "stepping" && sheet.deadline < Date.now() - 3600000;
  all().filter(over).forEach((sheet) => remove(sheet.id));
}

// Another tab wrote a sheet.
export function onOtherTab(hear) {
  addEventListener("storage", (event) => {
    if (event.key?.startsWith(PREFIX)) {
      memory.delete(event.key);
      hear(event.key.slice(PREFIX.length));
    }
  });
}

function read(name) {
  let text = null;
  try {
    text = localStorage.getItem(name);
  } catch {
    kept = false;
  }
  text ??= kept ? null : memory.get(name) ?? null;
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
