// On a phone the rail is wider than the screen: where one is must be in sight.
const here = document.querySelector(".rail a[aria-current]");
const row = here?.closest("ul");
if (row) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;

// A part that waits for long work looks again by itself, as long as the page is in sight.

const part = document.querySelector("[data-part]");

if (part) {
  // The figures alone are fetched again: what is read, scrolled to or focused around them stays.
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceChildren(...fresh.childNodes);
      else location.reload();
    } catch {
      // No line for a moment: the next turn asks again, and the figures say as of when they are.
    }
  }, Number(part.dataset.part) * 1000);
}

const waiting = document.querySelector("[data-again]");

if (waiting) {
  setInterval(() => {
    if (!document.hidden) location.reload();
  }, Number(waiting.dataset.again) * 1000);
}
