// Choosing the commune by typing, accents or not: the list of a province comes once and is searched on the device.
// The plain select stays the form's value, so the server sees the same fields with and without this file.

const form = document.getElementById("register");
const words = JSON.parse(form.dataset.words);
const province = document.getElementById("province");
const field = document.getElementById("commune-field");
const select = document.getElementById("commune");
const unknown = select.querySelector("option[value='unknown']");
const fold = (text) =>
  text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/g, "d").replace(/\s+/g, " ").trim();

let units = [];
let active = -1;

const picker = document.createElement("div");
picker.className = "picker";
picker.innerHTML = `<input type="text" id="commune-text" role="combobox" autocomplete="off" aria-autocomplete="list"
  aria-expanded="false" aria-controls="commune-list" spellcheck="false"><ul id="commune-list" role="listbox" hidden></ul>
  <span class="hear" role="status"></span>`;
const [input, list, status] = picker.children;

function found() {
  const wanted = fold(input.value).split(" ").filter(Boolean);
  const fits = units.filter((unit) => wanted.every((word) => unit.folded.includes(word)));
  // Where the words stand at a word's beginning comes first.
  const start = (unit) => (wanted.every((word) => ` ${unit.folded}`.includes(` ${word}`)) ? 0 : 1);
  return fits.sort((a, b) => start(a) - start(b)).slice(0, 30);
}

function draw() {
  const shown = [...found(), { code: "unknown", name: unknown.textContent }];
  active = -1;
  list.replaceChildren(
    ...shown.map((unit, place) => {
      const item = document.createElement("li");
      item.id = `commune-${place}`;
      item.role = "option";
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.dataset.code = unit.code;
      item.textContent = unit.name;
      return item;
    }),
  );
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
  status.textContent = shown.length > 1 ? words.count.replace("#", shown.length - 1) : words.none;
}

function close() {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(code) {
  select.value = code;
  input.value = select.selectedOptions[0]?.textContent ?? "";
  close();
}

function go(step) {
  if (list.hidden) draw();
  const items = [...list.children];
  active = (active + step + items.length) % items.length;
  items.forEach((item, place) => item.setAttribute("aria-selected", String(place === active)));
  items[active].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", items[active].id);
}

function fillSelect(chosen) {
  const option = (code, name) => new Option(name, code);
  select.replaceChildren(select.options[0], ...units.map((unit) => option(unit.code, unit.name)), unknown);
  select.value = chosen ?? "";
  input.value = select.value ? select.selectedOptions[0].textContent : "";
}

async function load() {
  const code = province.value;
  const isProvince = /^\d\d$/.test(code);
  field.hidden = !isProvince;
  units = [];
  fillSelect();
  if (!isProvince) return;
  const response = await fetch(`${form.dataset.units}?parent=${code}`).catch(() => null);
  if (!response?.ok) {
    field.hidden = true;
    status.textContent = words.away;
    return;
  }
  const answer = await response.json();
  if (province.value !== code) return; // changed meanwhile
  units = answer.units.map((unit) => ({ ...unit, folded: fold(unit.name) }));
  // On a slow line somebody types before the list is there.
  const typed = input.value;
  fillSelect();
  input.value = typed;
  if (document.activeElement === input) draw();
}

input.addEventListener("input", () => {
  select.value = "";
  draw();
});
input.addEventListener("focus", () => {
  input.select();
  if (!select.value) draw();
});
input.addEventListener("blur", () => {
  close();
  // Half a name is no choice: one that fits alone is taken, otherwise what was chosen stands.
  const only = found();
  if (!select.value && input.value && only.length === 1) choose(only[0].code);
});
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") go(1);
  else if (event.key === "ArrowUp") go(-1);
  else if (event.key === "Escape") close();
  else if (event.key === "Enter" && !list.hidden) choose((list.children[active] ?? list.children[0]).dataset.code);
  else return;
  event.preventDefault();
});
list.addEventListener("mousedown", (event) => {
  event.preventDefault(); // before the input's blur
  const item = event.target.closest("li");
  if (item) choose(item.dataset.code);
});
province.addEventListener("change", load);

document.querySelectorAll(".without-script").forEach((part) => (part.hidden = true));
units = [...select.options]
  .filter((option) => option.value && option !== unknown)
  .map((option) => ({ code: option.value, name: option.textContent, folded: fold(option.textContent) }));
field.querySelector("label").htmlFor = "commune-text";
select.hidden = true;
select.after(picker);
fillSelect(select.value);
if (province.value && !units.length) load();
