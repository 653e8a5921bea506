// Gives the paper in hand back to a phone that reloads it without a line. It keeps nothing itself: the paper's page
// puts itself and its files into the cache (keep.js), and every other page takes them out.

const CACHE = "quiz80-paper";

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== location.origin || event.request.method !== "GET") return;
  if (pathname === "/paper") event.respondWith(fetch(event.request).catch((lost) => kept(event.request, lost)));
  else if (pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
});

async function kept(request, lost) {
  const page = await (await caches.open(CACHE)).match("/paper");
  if (!page) throw lost;
  // The page says when it was made: its clock goes on from there.
  const since = Date.now() - Number(page.headers.get("X-Kept"));
  const text = (await page.text()).replace(/data-now="(\d+)"/, (_, made) => `data-now="${Number(made) + since}"`);
  return new Response(text, { headers: page.headers });
}

async function asset(request) {
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request);
}
