// A part that waits for long work looks again by itself, as long as the page is in sight.

const waiting = document.querySelector("[data-again]");

if (waiting) {
  setInterval(() => {
    if (!document.hidden) location.reload();
  }, Number(waiting.dataset.again) * 1000);
}
