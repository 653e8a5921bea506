// One call to the server and what became of it, in four words that the rest of the code acts on:
// "ok", "line" (nothing came back), "busy" (try again later), "refused" (trying again changes nothing).

import { correct } from "./clock.js";

const PATIENCE = 20000;

export async function call(method, url, body, { keepalive = false } = {}) {
  const stop = new AbortController();
  const began = performance.now();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const response = await fetch(url, {
      method,
      keepalive,
      signal: stop.signal,
      headers: body === undefined ? { Accept: "application/json" } : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    correct(response, performance.now() - began);
    return await read(response);
  } catch {
    return { outcome: "line" };
  } finally {
    clearTimeout(timer);
  }
}

async function read(response) {
  const json = response.headers.get("Content-Type")?.includes("json");
  const data = json ? await response.json() : null;
  if (response.ok) return { outcome: "ok", status: response.status, data };
  const busy = response.status >= 500 || response.status === 429 || response.status === 408;
  const wait = Number(response.headers.get("Retry-After")) * 1000 || 0;
  return { outcome: busy ? "busy" : "refused", status: response.status, data, wait };
}
