// The table of a review: a cell that is changed is a decision and sent at once, and what is decided
// for many records is one. The page works without it, too, by its forms.

const page = document.querySelector("[data-table]");
const { base } = page.dataset;
const PAUSE = 2000; // ms between two looks at what the decisions come to
const RENEWED = ["#facts", "#acts", "#total", "#names"]; // elements that have no script of their own
const VERDICTS = ["accept", "skip", "flag"]; // with a button in each row
const find = (selector) => document.querySelector(selector);
const rows = () => [...document.querySelectorAll("tr[data-record]")];
const rowOf = (record) => find(`tr[data-record="${CSS.escape(record ?? "")}"]`);
const current = () => find("tr[data-record][aria-current]");
const labels = () => [...document.querySelectorAll("#names option")];

// What others do meanwhile; heard from the start, as the stream does not wait for this script.
let open;
const begun = new Promise((resolve) => (open = resolve));
page.addEventListener("alo:decision", ({ detail }) => begun.then(() => takeOver(detail)));
page.addEventListener("alo:review", ({ detail }) => begun.then(() => onReview(detail)));
page.addEventListener("alo:poll", () => begun.then(renew));

const shared = await import(page.dataset.deciding);
const { decisionOn, labelOf, openConflicts, paint, sender, trouble, words } = shared;

let heard = 0; // the last decision that the stream has brought
let lastLabel = null;
let renewing = 0;

// ---- deciding

function decide(row, verdict, label = null) {
  if (!row) return;
  if (label !== null) lastLabel = label;
  const decision = decisionOn(row, verdict, label);
  sender.decide([decision]);
  paint(row, decision);
}


// The label that is called so, or is the only one that looks so: those of files of a Mac are decomposed.
function labelLike(name) {
  const all = labels().map((each) => each.value);
  const alike = all.filter((each) => each.normalize() === name.normalize());
  return all.includes(name) ? name : alike.length === 1 ? alike[0] : null;
}

const refuse = (name) => trouble(words.nolabel.replace("{label}", name));

// What was typed into a cell; none takes back what was said.
function takeTyped(field) {
  const row = field.closest("tr");
  const label = field.value.trim();
  const { given } = row.dataset;
  const meant = label && labelLike(label);
  if (meant === null || meant === given) {
    field.value = given;
    if (meant === null) refuse(label);
  } else decide(row, meant ? "change" : "reset", meant || null);
}

function decideOnMany(form, scope) {
  const fields = new FormData(form);
  const [verdict, typed, note] = ["verdict", "label", "note"].map((name) => fields.get(name).trim());
  const label = labelLike(typed);
  const records = fields.getAll("records");
  if (scope === "selection" && !records.length) return trouble(words.none);
  if (verdict === "change" && label === null) return refuse(typed);
  const until = Math.max(Number(fields.get("until")), heard);
  const bulk = { verdict, label: verdict === "change" ? label : "", note, until };
  const wanted = [...fields].filter(([name]) => name.startsWith("filter.") && !["filter.page", "filter.limit"].includes(name));
  const filter = Object.fromEntries(wanted.map(([name, value]) => [name.slice("filter.".length), value]));
  sender.decideOnMany(scope === "filter" ? { ...bulk, scope, filter } : { ...bulk, records });
  for (const row of scope === "filter" ? rows() : records.map(rowOf)) paint(row, bulk);
  for (const box of form.querySelectorAll("[name=records]")) box.checked = false;
}

async function takeBack(redo) {
  const results = await shared.takeBack(redo);
  const row = results?.filter((each) => each.state === "saved").map((each) => rowOf(each.record)).find(Boolean);
  if (!row) return;
  current()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
}

// ---- what the sender and others tell

function take(row, item) {
  if (!row || sender.pendingOf(row.dataset.record)) return; // what is said of it is on its way
  const edited = document.activeElement;
  if (edited.matches("[data-edit]") && row.contains(edited)) return; // it has not seen that
  shared.show(row, item);
  row.dataset.seen = item.seen ?? "";
  const time = document.createElement("time");
  time.dateTime = item.at ?? "";
  time.textContent = item.at ?? "";
  row.querySelector('[data-fact="at"]').replaceChildren(time);
}

function takeOver(item) {
  heard = Math.max(heard, item.seen ?? 0);
  take(rowOf(item.record), item);
  document.dispatchEvent(new Event("alo:rows"));
  soon();
}

let shownLabels = "";
function onReview({ labels: given, present }) {
  find("[data-present]").textContent = present.map((each) => each.name).join(", ");
  const now = JSON.stringify(given);
  if (shownLabels && shownLabels !== now) renew();
  shownLabels = now;
}

function soon() {
  renewing ||= setTimeout(renew, PAUSE);
}

// What the studio has by now, in the places of what is shown; no row comes or goes.
async function renew() {
  clearTimeout(renewing);
  renewing = 0;
  const found = await shared.fetched(location.href);
  if (!found) return;
  for (const row of found.querySelectorAll("tr[data-record]")) {
    const { state, given: label, note, seen } = row.dataset;
    const by = row.querySelector('[data-fact="by"]').textContent;
    const at = row.querySelector("time")?.dateTime;
    take(rowOf(row.dataset.record), { state, label, note, seen, by, at });
  }
  document.dispatchEvent(new Event("alo:rows"));
  for (const each of RENEWED) replace(each, found);
  if (found.querySelector("#accuracy[hx-get]")) {
    htmx.ajax("GET", `${base}/accuracy`, { target: "#accuracy", select: "#accuracy", swap: "outerHTML" });
  } else replace("#accuracy", found);
}

function replace(selector, found) {
  const [shown, fresh] = [find(selector), found.querySelector(selector)];
  if (!shown || !fresh) return;
  const isOpen = shown.querySelector("details")?.open;
  const taken = document.importNode(fresh, true);
  const details = taken.querySelector("details");
  if (details) details.open = Boolean(isOpen);
  shown.replaceWith(taken);
}

const ON = {
  elementOf: rowOf,
  saved({ record, seen }) {
    const row = rowOf(record);
    if (row) row.dataset.seen = seen ?? "";
    soon();
  },
  waiting({ decision, result }) {
    const row = rowOf(decision.record);
    if (row && result.theirs) shared.showTheirs(row, result.theirs);
    else soon();
  },
  undone: renew,
  decided: renew,
};

// ---- cells, buttons and keys

document.addEventListener("change", ({ target }) => target.matches("tr [data-edit]") && takeTyped(target));

document.addEventListener(
  "keydown",
  (event) => {
    if (!event.target.matches("tr [data-edit]") || event.isComposing) return;
    if (event.key === "Escape") event.target.value = event.target.closest("tr").dataset.given;
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.target.blur();
  },
  true,
);

document.addEventListener(
  "submit",
  (event) => {
    const { target: form, submitter } = event;
    if (!form.matches("#decide, [data-undo]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.matches("[data-undo]")) takeBack(submitter?.name === "redo");
    else if (VERDICTS.includes(submitter?.name)) decide(rowOf(submitter.value), submitter.name);
    else if (submitter?.name === "scope") decideOnMany(form, submitter.value);
  },
  true,
);

document.addEventListener("click", ({ target }) => target.closest("[data-waiting]") && openConflicts());

const COMMANDS = {
  a: () => decide(current(), "accept"),
  s: () => decide(current(), "skip"),
  f: () => decide(current(), "flag"),
  z: (event) => takeBack(event.shiftKey),
  c: openConflicts,
  ".": () => lastLabel !== null && decide(current(), "change", lastLabel),
};

document.addEventListener("alo:key", (asked) => {
  const { key, event } = asked.detail;
  if (!find("#decide")) return; // one who may not decide, or a review that is closed
  const label = labelOf(labels(), key, event);
  const command = COMMANDS[key.toLowerCase()];
  if (!label && !command) return;
  asked.preventDefault();
  if (event.repeat) return; // a key that is held decides once
  if (label) decide(current(), "change", label.value);
  else command(event);
});

// Rows that have come: what is on its way is shown as if it were acknowledged.
function settleIn() {
  for (const each of document.querySelectorAll("[data-scriptless]")) each.hidden = true;
  for (const row of rows()) {
    const pending = sender.pendingOf(row.dataset.record);
    if (pending) paint(row, pending);
  }
  shared.showCount();
}

document.addEventListener("htmx:after:swap", settleIn);
settleIn();
shared.begin(ON);
open();
page.dataset.ready = "1";
