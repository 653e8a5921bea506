// The server's clock, as far as this device can know it: every page says when it was made.

let offset = 0;

const stamp = Number(document.body?.dataset.now);
if (stamp) {
  const [page] = performance.getEntriesByType("navigation");
  // The moment the page's first byte came in, not the moment this script got its turn.
  const arrived = performance.timeOrigin + (page?.responseStart ?? performance.now());
  offset = stamp - arrived;
}

export function now() {
  return Date.now() + offset;
}

// The device's clock was changed, or it slept: answers carry the server's time to the second.
export function correct(response) {
  const told = Date.parse(response.headers.get("Date") ?? "");
  if (told && Math.abs(now() - told - 500) > 3000) offset = told + 500 - Date.now();
}

export function spell(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${two(hours)}:${rest}` : rest;
}
