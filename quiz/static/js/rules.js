// The form of rules without a page load: its buttons and what is typed go to the server in the background, and the
// form or the preview comes back as the server makes it. Without this file the same buttons load the page.

const page = () => document.getElementById("rules-page");
const formOf = () => document.getElementById("rules-form");
const left = new Set(); // names of the fields that were changed and left since the page was made
let asked = 0;
let timer = 0;
let submitting = false;

async function ask(act) {
  const form = formOf();
  const data = new URLSearchParams(new FormData(form));
  data.append("act", act);
  const mine = ++asked;
  const answer = await fetch(form.action, { method: "POST", body: data, credentials: "same-origin" });
  if (mine !== asked || answer.status !== 200) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function preview() {
  clearTimeout(timer);
  const fresh = await ask("preview").catch(() => null);
  const shown = fresh?.getElementById("preview");
  if (!shown) return;
  document.getElementById("preview").replaceChildren(...shown.childNodes);
  mark(fresh);
}

async function act(button) {
  clearTimeout(timer);
  const form = formOf();
  // What would be typed before the answer is here would be lost.
  form.inert = true;
  const fresh = await ask(button.value).catch(() => null);
  const made = fresh?.getElementById("rules-page");
  if (!made) {
    // No line or signed out: the page's own way says which.
    form.inert = false;
    form.requestSubmit(button);
    return;
  }
  page().replaceWith(document.importNode(made, true));
  left.clear();
  listen();
  settle();
  nextFocus(button.value)?.focus();
}

// A new row takes the focus to its first field, a moved one keeps it on the button that moved it.
function nextFocus(value) {
  const [verb, list, at] = value.split(":");
  const rows = [...document.querySelectorAll(`#${list} > li`)];
  const find = (what, place) => document.querySelector(`button[value="${what}:${list}:${place}"]:not(:disabled)`);
  const add = document.querySelector(`button[value="add:${list}"]`);
  if (verb === "add") {
    const last = rows.at(-1);
    const field = list === "ranking" ? add : last?.querySelector("input:not([type=hidden]), select");
    return field || last?.querySelector("button:not(:disabled)");
  }
  if (verb === "remove") return find("remove", Math.min(Number(at), rows.length - 1)) || add;
  const place = Number(at) + (verb === "up" ? -1 : 1);
  return find(verb, place) || find(verb === "up" ? "down" : "up", place);
}

// What is wrong stands beside its field: from when somebody has left the field, until it is right.
function mark(fresh) {
  const form = formOf();
  for (const said of form.querySelectorAll(".wrong[id]")) {
    if (!fresh.getElementById(said.id)) {
      said.remove();
      document.getElementById(said.id.slice(0, -6))?.removeAttribute("aria-invalid");
    }
  }
  for (const said of fresh.querySelectorAll("#rules-form .wrong[id]")) {
    const name = said.id.slice(0, -6);
    const here = document.getElementById(said.id);
    const concerned = [...left].some((each) => each === name || each.startsWith(`${name}.`));
    if (here) here.replaceWith(document.importNode(said, true));
    else if (concerned) place(document.importNode(said, true), document.getElementById(name));
  }
}

function place(said, beside) {
  const field = beside?.closest(".field");
  if (!field) {
    beside?.before(said);
    return;
  }
  field.append(said);
  if (!beside.matches("input, select")) return;
  beside.setAttribute("aria-invalid", "true");
  const words = (beside.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== said.id);
  beside.setAttribute("aria-describedby", [...words, said.id].join(" "));
}

// Fields that only a collective prize has are put away for the others; a row is called by its name.
function settle() {
  for (const row of document.querySelectorAll("#prizes > li")) {
    const kind = row.querySelector("select[name$='.kind']");
    row.querySelector(".collective").toggleAttribute("data-off", kind.value !== "collective");
  }
  for (const title of document.querySelectorAll("[data-named]")) {
    const name = title.closest("li").querySelector("input[name$='.name']");
    if (name) title.textContent = name.value.trim() || title.dataset.named;
  }
}

async function look(button) {
  await preview();
  // Enter in a field presses the hidden button: it must not carry anybody away from the field.
  if (button.matches(".hear")) return;
  const shown = document.getElementById("preview");
  const top = shown.getBoundingClientRect().top;
  // At a desk it stands beside the form wherever that is, and nothing has to move.
  if (top < 0 || top > innerHeight / 2) shown.scrollIntoView({ block: "start" });
  shown.focus({ preventScroll: true });
}

function later(event) {
  if (event.type === "change") left.add(event.target.name);
  settle();
  clearTimeout(timer);
  timer = setTimeout(preview, 400);
}

function listen() {
  const form = formOf();
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=act]");
    if (!button || submitting) return;
    event.preventDefault();
    if (button.value === "preview") look(button);
    else act(button);
  });
  form.addEventListener("submit", () => {
    submitting = true;
  });
  form.addEventListener("input", later);
  form.addEventListener("change", later);
}

listen();
settle();
