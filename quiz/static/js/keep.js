// Keeps the paper's own page for a reload without a line (see sw.js), where the browser can: over https, and at home.

const CACHE = "quiz80-paper";

export async function keepPage(files) {
  if (!("caches" in globalThis && navigator.serviceWorker)) return;
  const page = `<!doctype html>${document.documentElement.outerHTML}`;
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'",
    "X-Kept": String(Date.now()),
  };
  const cache = await caches.open(CACHE);
  await cache.put("/paper", new Response(page, { headers }));
  await cache.addAll(files);
  await navigator.serviceWorker.register("/sw.js");
}

export function forgetPage() {
  globalThis.caches?.delete(CACHE);
}
