// The form of rules without a page load: its buttons and what is typed go to the server in the background, and the
// form or the preview comes back as the server makes it. Without this file the same buttons load the page.

const page = () => document.getElementById("rules-page");
let asked = 0;
let timer = 0;

async function ask(act) {
  const form = document.getElementById("rules-form");
  const data = new URLSearchParams(new FormData(form));
  data.append("act", act);
  const mine = ++asked;
  const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
  if (mine !== asked || answer.status !== 200) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function preview() {
  const fresh = await ask("preview").catch(() => null);
  const shown = fresh?.getElementById("preview");
  if (shown) document.getElementById("preview").replaceWith(shown);
}

async function act(button) {
  const value = button.value;
  const fresh = await ask(value).catch(() => null);
  const made = fresh?.getElementById("rules-page");
  if (!made) {
    // No line or signed out: the page's own way says which.
    button.form.requestSubmit(button);
    return;
  }
  page().replaceWith(document.importNode(made, true));
  listen();
  settle();
  const [verb, list] = value.split(":");
  const rows = document.querySelectorAll(`#${list} > li`);
  const target =
    verb === "add" && rows.length && list !== "ranking"
      ? rows[rows.length - 1].querySelector("input:not([type=hidden]), select")
      : document.querySelector(`[value="${value}"]:not(:disabled)`) || document.getElementById(`add-${list}`);
  target?.focus({ preventScroll: verb !== "add" });
}

// Fields that only a collective prize has are put away for the others.
function settle() {
  for (const row of document.querySelectorAll("#prizes > li")) {
    const kind = row.querySelector("select[name$='.kind']");
    row.querySelector(".collective").toggleAttribute("data-off", kind.value !== "collective");
  }
}

let submitting = false;

function listen() {
  const form = document.getElementById("rules-form");
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=act]");
    if (!button || submitting) return;
    event.preventDefault();
    if (button.value === "preview") {
      preview();
      document.getElementById("preview").scrollIntoView({ block: "nearest" });
    } else {
      act(button);
    }
  });
  form.addEventListener("submit", () => {
    submitting = true;
  });
  form.addEventListener("input", () => {
    settle();
    clearTimeout(timer);
    timer = setTimeout(preview, 400);
  });
}

listen();
settle();
