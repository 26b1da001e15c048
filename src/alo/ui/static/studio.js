// What pages do beyond showing: keys, copying, the theme, forms.
// Every page works without it.

const base = new URL(document.querySelector(".brand")?.href ?? "/", location.href).pathname;
const korean = document.documentElement.lang === "ko";

// Times are UTC in the page, and shown as the reader's own.
function localise(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    time.textContent = moment.toLocaleString(korean ? "ko" : "sv-SE");
  }
}

localise();
for (const each of ["htmx:after:swap", "alo:rows"]) document.addEventListener(each, () => localise());
// htmx restores only those entries of the browser's history that bear its mark.
if (!history.state) history.replaceState({ htmx: true }, "");

// What a proxy answers in the studio's place, or nothing at all, takes the place of no part of a page.
function refuseSwap(event) {
  const { select, text, response, sourceElement } = event.detail.ctx ?? {};
  if (!select?.startsWith("#") || text?.includes(`id="${select.slice(1)}"`)) return;
  event.preventDefault();
  if (!sourceElement?.matches("a, form")) return; // nobody waits for it
  const note = document.querySelector("[data-not-shown]") ?? document.createElement("p");
  note.className = "failure";
  note.role = "alert";
  note.dataset.notShown = response?.status ?? "";
  note.textContent = document.body.dataset.notShownText.replace("{why}", response?.status ?? "–");
  document.querySelector("main").prepend(note);
}

for (const each of ["htmx:after:request", "htmx:error"]) document.addEventListener(each, refuseSwap);

// ---- clicks

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (!button) return;
  const action = button.dataset.action;
  if (action === "copy") navigator.clipboard?.writeText(button.dataset.copy);
  if (action === "help") document.querySelector("#keys").showModal();
  if (action === "theme") {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("alo-theme", root.dataset.theme);
    } catch {
      // this page has it; the next one is as the system has it
    }
  }
});

// Which runs are selected is in the URL, so that Back and a pasted link show the same, and in all
// that leads to another page of the list.
document.addEventListener("change", (event) => {
  if (!event.target.matches("#compare [name=run]")) return;
  const fields = [...document.querySelectorAll("#compare [name=run]")];
  const ids = fields.filter((each) => each.checked || each.type === "hidden").map((each) => each.value);
  history.replaceState(history.state, "", selecting(ids, location.href));
  for (const link of document.querySelectorAll("main a[href]:not([data-action=clear-selection])")) {
    if (link.pathname === location.pathname) link.href = selecting(ids, link.href);
  }
  for (const form of document.querySelectorAll("main form:not(#compare)")) {
    for (const each of form.querySelectorAll("[name=run]")) each.remove();
    form.append(...ids.map((id) => Object.assign(document.createElement("input"), { type: "hidden", name: "run", value: id })));
  }
  const shown = document.querySelector("[data-selected]");
  shown.dataset.selected = ids.length;
  shown.hidden = !ids.length;
  shown.querySelector("b").textContent = shown.dataset.text.replace("{n}", ids.length);
  const most = document.querySelector("[data-most]");
  most.hidden = ids.length <= most.dataset.most;
});

function selecting(ids, address) {
  const url = new URL(address);
  url.searchParams.delete("run");
  for (const id of ids) url.searchParams.append("run", id);
  return url;
}

// Rows that come take the place of others: what was ticked in those is not in these.
document.addEventListener("htmx:after:swap", () => {
  for (const each of document.querySelectorAll("#compare [name=run]")) each.checked = each.defaultChecked;
});

// ---- forms

// A second click on a button that changes something does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  else if (form.dataset.keep) keep(event);
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Sends a form without leaving it, so that what was typed is there still if it is refused.
async function keep(event) {
  event.preventDefault();
  const form = event.target;
  const refusal = form.querySelector("[data-refusal]");
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.keep, { method: "POST", body }).catch(() => null);
  const content = await answer?.json().catch(() => null);
  if (answer?.ok && content?.id) {
    location.assign(`${base}jobs/${encodeURIComponent(content.id)}`);
    return;
  }
  delete form.dataset.sent;
  for (const each of form.querySelectorAll(".wrong")) each.textContent = "";
  let wrong = null;
  for (const { field, what } of content?.fields ?? []) {
    const place = form.querySelector(`[data-field="${CSS.escape(field)}"]`);
    if (!place) continue;
    place.querySelector(".wrong").textContent = what;
    wrong ??= place;
  }
  const { what, fix } = content?.error ?? {};
  refusal.textContent = !answer
    ? refusal.dataset.offline
    : answer.status === 401
      ? refusal.dataset.refusal
      : [what, ...(content?.fields ?? []).map((each) => each.what), fix].filter(Boolean).join(" · ");
  refusal.hidden = false;
  (wrong ?? form).querySelector("input:not([type=hidden]), select, textarea, button")?.focus();
}

// A field takes no more than it may have, and the browser says nothing of the rest.
document.addEventListener("paste", ({ target: field, clipboardData }) => {
  const most = field.maxLength;
  if (!(most > 0)) return;
  const room = most - field.value.length + field.selectionEnd - field.selectionStart;
  if (clipboardData.getData("text").replaceAll("\r\n", "\n").length <= room) return;
  const note = document.createElement("span");
  note.className = "wrong";
  note.role = "alert";
  note.textContent = document.body.dataset.cutText.replace("{n}", most.toLocaleString());
  field.after(note);
  // Once this has been pasted.
  setTimeout(() => field.addEventListener("input", () => note.remove(), { once: true }));
});

// What was said to be wrong is no more once it is typed anew.
document.addEventListener("input", (event) => {
  const wrong = event.target.closest("[data-field]")?.querySelector(".wrong");
  if (wrong) wrong.textContent = "";
});

// What is typed or chosen in a field, as YAML: a text that looks like a number stays a text.
function yaml(field, several) {
  if (several) return `[${several.map((each) => each.dataset.yaml).join(", ")}]`;
  if (field.tagName === "SELECT") return field.selectedOptions[0]?.dataset.yaml ?? "";
  return field.dataset.text === undefined ? field.value : JSON.stringify(field.value);
}

// A word of a command as a shell takes it.
function quoted(word) {
  return /^[\w.=,:/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// The command that does what the form would do with what is typed in it by now.
const started = document.querySelector("form[data-pipeline]");
started?.addEventListener("input", () => {
  const pipeline = started.dataset.pipeline;
  const words = ["alo", "run", "--mode", pipeline, ...sets(started, pipeline)];
  const data = started.querySelector("[name=data]").value.split(/\s+/).filter(Boolean);
  if (data.length) {
    const paths = data.map((each) => JSON.stringify(each)).join(", ");
    const system = `{"pipeline": [{"type": "${pipeline}", "dataset_uri": [${paths}]}]}`;
    words.push("--system", quoted(system));
  }
  showCommand(words);
});

// The options that set what differs from the plan.
function sets(form, pipeline) {
  const words = [];
  for (const field of form.querySelectorAll("[data-plan]")) {
    const several = field.tagName === "FIELDSET" ? [...field.querySelectorAll(":checked")] : null;
    if ((several?.map((each) => each.value).join("\n") ?? field.value) === field.dataset.plan) continue;
    const name = (field.dataset.field ?? field.name).slice("args.".length);
    words.push("--set", quoted(`${pipeline}.${name}=${yaml(field, several)}`));
  }
  return words;
}

function showCommand(words) {
  const shown = document.querySelector(".command code");
  shown.textContent = words.join(" ");
  document.querySelector(".command [data-copy]").dataset.copy = shown.textContent;
}

// The same of a form whose fields say which options they are.
const commanding = document.querySelector("form[data-command]");
commanding?.addEventListener("input", () => {
  const words = commanding.dataset.command.split(" ");
  for (const field of commanding.querySelectorAll("[data-word], [data-option]")) {
    const { option, flag, default: usual } = field.dataset;
    const isBox = field.tagName === "FIELDSET" || field.type === "checkbox";
    const boxes = field.type === "checkbox" ? [field] : [...field.querySelectorAll("input")];
    const lines = field.tagName === "TEXTAREA" ? field.value.trim().split(/\s*\n\s*/) : [field.value?.trim()];
    const values = isBox ? boxes.filter((each) => each.checked).map((each) => each.value) : lines;
    if (!values.length || values[0] === "" || values[0] === usual) continue;
    const given = flag === undefined ? values.map(quoted) : [];
    if (option && field.dataset.each !== undefined) words.push(...given.flatMap((each) => [option, each]));
    else words.push(...(option ? [option] : []), ...given);
  }
  showCommand([...words, ...sets(commanding, commanding.dataset.pipelineSet)]);
});

// ---- pictures that cannot be shown: the studio says why, in their place

async function explain(picture) {
  const answer = await fetch(picture.src, { headers: { Accept: "application/json" } }).catch(() => null);
  const content = answer?.ok === false ? await answer.json().catch(() => null) : null;
  if (!content?.error || picture.hidden) return;
  const why = document.createElement("span");
  why.className = "wrong";
  why.textContent = [content.error.what, content.error.fix].filter(Boolean).join(" · ");
  picture.hidden = true;
  picture.after(why);
}

const isThumb = (each) => each.matches?.('main img[src*="thumb="]');
document.addEventListener("error", ({ target }) => isThumb(target) && explain(target), true);
for (const each of document.images) if (isThumb(each) && each.complete && !each.naturalWidth) explain(each);

// ---- keys: by the letter, or by the key's place where that types no Latin one

const PLACES = { Slash: "/", BracketLeft: "[", BracketRight: "]" };
let going = 0; // until when the letter after g is waited for

function letter(event) {
  if (event.key.length > 1 || /^[\x20-\x7e]$/.test(event.key)) return event.key;
  if (event.code.startsWith("Key")) return event.code.slice(3).toLowerCase();
  return PLACES[event.code] ?? event.key;
}

function rows() {
  return [...document.querySelectorAll("table.rows tbody tr:not(.alarm)")]; // an alarm opens nothing
}

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.hasAttribute("aria-current"));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
  if (!next) return;
  all[at]?.removeAttribute("aria-current");
  next.setAttribute("aria-current", "true");
  next.scrollIntoView({ block: "nearest" });
}

function current() {
  return document.querySelector("table.rows tr[aria-current]");
}

function follow(selector, root = document) {
  root?.querySelector(selector)?.click();
}

const KEYS = {
  "/": () => document.querySelector('[data-action="search"], input[type="search"]')?.focus(),
  "?": () => document.querySelector("#keys").showModal(),
  j: () => move(1),
  k: () => move(-1),
  x: () => follow('input[type="checkbox"]', current()),
  Enter: () => follow('[data-action="open"]', current()),
  c: () => follow('[data-action="compare"]'),
  a: () => follow('[data-action="accept"]', current()),
  e: () => current()?.querySelector("[data-edit]")?.focus(),
  "[": () => follow('[rel="prev"]'),
  "]": () => follow('[rel="next"]'),
  Escape: () => follow('[data-action="up"]'),
};

// A scanner types as a keyboard does, faster than any hand, and ends with Enter: what it types while
// no field has the focus was meant for another window. Screens take back what those keys have done.
const FAST = 30; // ms between two keys
const CODE = 8; // characters at least
let typed = 0; // that fast, one behind the other
let begun = 0; // when the first of them was pressed
let latest = 0; // and the last one

function endsScan({ key, timeStamp }, isInField) {
  if (key === "Shift") return false;
  const isFast = timeStamp - latest < FAST;
  latest = timeStamp;
  if (key === "Enter" && isFast && typed >= CODE) return true;
  if (isInField || key.length > 1) typed = 0; // Tab, an arrow: those are of a hand
  else if (isFast && typed) typed += 1;
  else [typed, begun] = [1, timeStamp];
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (endsScan(event, Boolean(field))) {
    typed = 0;
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("alo:scanned", { detail: { since: begun } }));
    return;
  }
  if (field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const key = letter(event);
  if (going > Date.now()) {
    going = 0;
    follow(`[data-go="${CSS.escape(key)}"]`);
    return;
  }
  if (key === "g") {
    going = Date.now() + 1500;
    return;
  }
  const asked = new CustomEvent("alo:key", { detail: { key, event }, cancelable: true });
  if (!document.dispatchEvent(asked)) return event.preventDefault(); // it is the screen's own
  if (key === "Enter" && (!current() || event.target.closest("a, button, summary"))) return;
  if (KEYS[key]) {
    event.preventDefault();
    KEYS[key]();
  }
});
