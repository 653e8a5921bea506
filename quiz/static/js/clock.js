// The server's clock, as far as this device can know it: every page says when it was made, every answer when it left.
//
// Two clocks run from there, the device's (which somebody may set) and the page's own (which stops while a phone
// sleeps). Where they disagree nothing irreversible is done before the server was asked.

const DISAGREE = 3000;
let offset = 0;
let steadyBase = 0;

const stamp = Number(document.body?.dataset.now);
if (stamp) {
  const [page] = performance.getEntriesByType("navigation");
  // The moment the page's first byte came in, not the moment this script got its turn.
  set(stamp + Math.max(0, performance.now() - (page?.responseStart ?? performance.now())));
}

function set(server) {
  offset = server - Date.now();
  steadyBase = server - performance.now();
}

export function now() {
  return Date.now() + offset;
}

export function sure() {
  return Math.abs(now() - (steadyBase + performance.now())) < DISAGREE;
}

// An answer carries the server's time to the second; `took` is how long it was on its way.
export function correct(response, took) {
  const told = Date.parse(response.headers.get("Date") ?? "") + 500;
  if (told && (!sure() || Math.abs(now() - told) > DISAGREE + took)) set(told + took / 2);
}

// The same of an answer that says in its body, to the millisecond, when it was made.
export function learn(server, took) {
  set(server + took / 2);
}

export function spell(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${two(hours)}:${rest}` : rest;
}
