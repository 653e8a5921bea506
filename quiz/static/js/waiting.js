// Counts down to the next look at the line. The page's own refresh does the looking, with or without this.

const line = document.getElementById("next");
const until = performance.now() + Number(line.dataset.seconds) * 1000;

function tick() {
  const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  line.textContent = line.dataset.words.replace("…", left);
}

// Said once to those who listen; then only shown.
tick();
line.removeAttribute("role");
setInterval(tick, 1000);
