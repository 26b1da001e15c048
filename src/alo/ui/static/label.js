// The label screen: a key decides, and the next record is there. The page works without it, too.

const page = document.querySelector("[data-label-page]");
const isClosed = page.dataset.closed !== undefined;
const find = (selector) => page.querySelector(selector);
const list = find("[data-cases]");
const form = find("[data-decide]");
const note = form.elements.note;

const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, j: 1, k: -1 };

let current = null;
let anchor = null; // where a selection has begun
let lastLabel = null;
let zoom = 1;
let decided = Number(page.dataset.decided);
let total = Number(page.dataset.total);
let isCounted = true; // whether what is shown as decided is what the studio counts

// What others do meanwhile; heard from the start, as the stream does not wait for this script.
let open;
const begun = new Promise((resolve) => (open = resolve));
page.addEventListener("alo:decision", ({ detail }) => begun.then(() => takeOver(detail)));
page.addEventListener("alo:review", ({ detail }) => begun.then(() => onReview(detail)));
page.addEventListener("alo:poll", () => begun.then(() => current && refresh([current.dataset.record])));

const shared = await import(page.dataset.deciding);
const { STATES, decisionOn, enqueue, labelOf, openConflicts, sender, words } = shared;
const { address, ahead, articles, cardOf, cards, enlarge, fetched, isGrid, isOpen, load, loadBefore, loaded, overlay, prune, put } =
  await import(page.dataset.casesScript);
const { follow } = (await import(page.dataset.presenceScript)).presence(page.dataset.base, address, () => current?.dataset.record);

// ---- moving

function show(card) {
  if (!card) return;
  if (current && current !== card) {
    current.removeAttribute("aria-current");
    if (!isGrid) current.hidden = true;
  }
  if (current !== card) resize(1);
  current = card;
  card.hidden = false;
  card.setAttribute("aria-current", "true");
  if (isGrid) card.scrollIntoView({ block: "nearest" });
  form.elements.record.value = card.dataset.record;
  form.elements.seen.value = card.dataset.seen;
  if (document.activeElement !== note) note.value = card.dataset.note;
  link("previous", card.dataset.previous && { record: card.dataset.previous });
  link("next", card.dataset.next && { record: card.dataset.next });
  link("next-undecided", { after: card.dataset.record });
  find("[data-nothing]").hidden = true;
  mark();
  follow();
  prune(current);
  ahead(current);
}

const link = (action, more) =>
  (find(`[data-action="${action}"]`).href = address(more || { record: current.dataset.record }));

async function step(by, isExtending) {
  if (!current) return;
  if (isExtending) anchor ??= current;
  else anchor = null;
  const record = by > 0 ? current.dataset.next : current.dataset.previous;
  if (record) {
    const card = cardOf(record) ?? (by > 0 ? await load({ record }) : await loadBefore(record));
    show(card);
  }
  select();
}

// On to the next record that is open: of those that are loaded, else of those that the studio has.
async function advance() {
  const all = cards();
  let next = all.slice(all.indexOf(current) + 1).find(isOpen);
  if (!next && loaded.loading) {
    await loaded.loading;
    next = cards().slice(cards().indexOf(current) + 1).find(isOpen);
  }
  if (!next) {
    next = cards().find(isOpen) ?? (await load({ after: current?.dataset.record ?? "" }));
    if (next && !isOpen(next)) next = cards().find(isOpen);
  }
  if (next) show(next);
  else if (next !== null) find("[data-nothing]").hidden = false;
  return next;
}

// ---- the selection: from where it began to the current record

function selected() {
  if (!anchor || !current) return current ? [current] : [];
  const all = cards();
  const [from, to] = [all.indexOf(anchor), all.indexOf(current)].sort((one, other) => one - other);
  return all.slice(Math.max(0, from), to + 1);
}

function select() {
  const chosen = anchor ? selected() : [];
  for (const each of cards()) each.toggleAttribute("data-chosen", chosen.includes(each));
  const shown = find("[data-selected]");
  shown.hidden = !anchor;
  shown.textContent = words.selected.replace("{n}", chosen.length);
}

// ---- deciding

function paint(card, decision) {
  shared.paint(card, decision);
  if (card === current) mark();
}

// Which label and verdict the current record has by now.
function mark() {
  const { given, state } = current.dataset;
  for (const each of form.querySelectorAll("[data-label]")) {
    each.setAttribute("aria-pressed", String(Boolean(given) && each.dataset.label === given));
  }
  for (const each of form.querySelectorAll('[name="verdict"]')) {
    each.setAttribute("aria-pressed", String(state !== "undecided" && STATES[each.value] === state));
  }
}

async function decide(verdict, label = null) {
  const chosen = selected();
  if (!chosen.length || isClosed) return;
  if (label !== null) lastLabel = label;
  const noteOf = (card) => (card === current ? note.value : card.dataset.note);
  const sent = chosen.map((card) => decisionOn(card, verdict, label, noteOf(card)));
  sender.decide(sent);
  chosen.forEach((card, at) => {
    decided += (verdict !== "reset") - (card.dataset.state !== "undecided");
    paint(card, sent[at]);
    card.dataset.done = "1";
    remember(card, verdict);
  });
  progress();
  note.blur();
  anchor = null;
  select();
  if (verdict !== "reset") await advance();
}

// A note on what is decided already is sent by itself; else it goes with the decision.
function keepNote() {
  const { state, given } = current.dataset;
  const verdict = Object.keys(STATES).find((each) => STATES[each] === state);
  if (note.value === current.dataset.note || isClosed) return;
  if (state === "undecided" || !verdict) return;
  const decision = decisionOn(current, verdict, given, note.value);
  sender.decide([decision]);
  paint(current, decision);
  remember(current, verdict);
}

// As label.html has the last decisions of before.
function remember(card, verdict, text) {
  const line = document.createElement("li");
  const to = document.createElement("a");
  to.href = address({ record: card.dataset.record });
  to.textContent = card.dataset.record;
  const what = document.createElement("b");
  what.textContent = text ?? (card.dataset.given || words[STATES[verdict]]);
  line.dataset.verdict = verdict;
  const said = document.createElement("small");
  said.textContent = card.dataset.note;
  line.append(to, " ", what, " ", said);
  const last = find("[data-last]");
  last.prepend(line);
  while (last.children.length > 10) last.lastChild.remove();
}

// Once all is acknowledged, what the studio counts is what is shown.
async function recount() {
  if (isCounted || sender.count) return;
  isCounted = true;
  const found = current && (await fetched({ record: current.dataset.record }));
  if (found && !sender.count) decided = Number(found.dataset.decided);
  progress();
}

function progress() {
  const shown = Math.min(decided, total);
  Object.assign(find("[data-progress] progress"), { max: total, value: shown });
  find("[data-progress-text]").textContent = words.of.replace("{decided}", shown).replace("{total}", total);
}

// The records as the studio has them by now, in the places of those that are shown.
async function refresh(records) {
  for (const record of records) {
    const [fresh] = articles(await fetched({ record }));
    const card = cardOf(record);
    if (!fresh || !card) continue;
    fresh.hidden = card.hidden;
    card.replaceWith(overlay(fresh));
    if (card === anchor) anchor = fresh;
    if (card !== current) continue;
    current = null;
    show(fresh);
  }
}

// ---- what the sender tells

const ON = {
  elementOf: cardOf,
  count: recount,
  saved({ record, seen }) {
    const card = cardOf(record);
    if (!card) return;
    card.dataset.seen = seen ?? "";
    if (card === current) form.elements.seen.value = card.dataset.seen;
  },
  waiting({ decision, result }) {
    const card = cardOf(decision.record);
    if (!card) return;
    if (!result.theirs) refresh([decision.record]);
    else shared.showTheirs(card, result.theirs);
    if (card === current) mark();
  },
  async undone({ redo, results }) {
    const saved = results.filter((each) => each.state === "saved");
    loaded.isAtEnd = false;
    await refresh(saved.map((each) => each.record));
    for (const { record } of saved) {
      const card = cardOf(record);
      if (card) {
        delete card.dataset.done;
        remember(card, "reset", redo ? words.redone : words.undone);
      }
    }
  },
  decided: ({ seen }) => refresh(Object.keys(seen).filter(cardOf)),
  scanned(records) {
    const found = records.map(cardOf);
    for (const card of found) {
      delete card.dataset.done;
      remember(card, "reset", words.undone);
    }
    decided -= found.filter((card) => card.dataset.state === "undecided").length;
    progress();
    if (found.length) show(found[0]);
  },
};

async function takeBack(redo) {
  const results = await shared.takeBack(redo);
  const record = results?.find((each) => each.state === "saved")?.record;
  if (record) show(cardOf(record) ?? (await load({ record })));
}

// ---- what others do

function takeOver(item) {
  if (sender.pendingOf(item.record)) return; // what is said of it here is on its way
  const card = cardOf(item.record);
  if (!card) return;
  shared.show(card, item);
  card.dataset.seen = item.seen ?? "";
  if (card === current) {
    mark();
    form.elements.seen.value = card.dataset.seen;
    if (document.activeElement !== note) note.value = card.dataset.note;
  }
}

let shownLabels = "";
async function onReview({ labels, progress: now, present: people }) {
  isCounted = !sender.count; // of what is on its way, nobody knows what it counts already
  if (isCounted) decided = now.decided;
  total = now.total;
  progress();
  for (const each of list.querySelectorAll('[data-fact="present"]')) each.textContent = "";
  for (const { name, record } of people) {
    const place = cardOf(record)?.querySelector('[data-fact="present"]');
    if (place) place.textContent = `${place.textContent} ${name}`.trim();
  }
  find("[data-present]").textContent = people.map((each) => each.name).join(", ");
  const given = JSON.stringify(labels);
  if (shownLabels && shownLabels !== given) {
    const record = current?.dataset.record, found = await fetched({ record });
    if (!found) return;
    form.querySelector(".labels").replaceWith(document.importNode(found.querySelector(".labels"), true));
    list.replaceChildren();
    current = anchor = null;
    loaded.isAtEnd = false;
    for (const card of articles(found)) put(card, null);
    show(cardOf(record ?? "") ?? list.firstElementChild);
  }
  shownLabels = given;
}

// ---- zoom

const resize = (to) => enlarge(current, (zoom = to));

// ---- keys and buttons

const labelButtons = () => [...form.querySelectorAll("[data-label]")];

const COMMANDS = {
  a: () => decide("accept"),
  s: () => decide("skip"),
  f: () => decide("flag"),
  z: (event) => takeBack(event.shiftKey),
  ".": () => lastLabel !== null && decide("change", lastLabel),
  Enter: () => {
    anchor = null;
    select();
    return advance();
  },
};
const AT_ONCE = {
  n: () => note.focus(),
  i: () => {
    const input = current?.querySelector(".input");
    if (input) input.open = !input.open;
  },
  "+": () => resize(Math.min(8, zoom * 1.25)),
  "=": () => resize(Math.min(8, zoom * 1.25)),
  "-": () => resize(Math.max(0.25, zoom / 1.25)),
  0: () => resize(1),
  c: openConflicts,
};

document.addEventListener("alo:key", (asked) => {
  const { key, event } = asked.detail;
  const plain = key.length === 1 ? key.toLowerCase() : key;
  if (plain === "Enter" && event.target.closest("a, button, summary")) return;
  if (plain === "Escape" && anchor) {
    anchor = null;
    select();
    return asked.preventDefault();
  }
  const label = labelOf(labelButtons(), key, event);
  const move = MOVES[plain];
  if (label || COMMANDS[plain]) {
    asked.preventDefault();
    if (event.repeat) return; // a key that is held decides once
    if (label) enqueue(() => decide("change", label.dataset.label));
    else enqueue(() => COMMANDS[plain](event));
  } else if (move) {
    asked.preventDefault();
    const isExtending = event.shiftKey && plain.startsWith("Arrow");
    enqueue(() => step(move, isExtending));
  } else if (AT_ONCE[plain]) {
    asked.preventDefault();
    AT_ONCE[plain](event);
  }
});

note.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  note.blur();
});
note.addEventListener("change", () => current && keepNote());

const CLICKS = {
  label: (button) => enqueue(() => decide("change", button.dataset.label)),
  accept: () => enqueue(() => decide("accept")),
  skip: () => enqueue(() => decide("skip")),
  flag: () => enqueue(() => decide("flag")),
  reset: () => enqueue(() => decide("reset")),
  undo: () => enqueue(() => takeBack(false)),
  redo: () => enqueue(() => takeBack(true)),
  previous: () => enqueue(() => step(-1, false)),
  next: () => enqueue(() => step(1, false)),
  "next-undecided": () => enqueue(advance),
  conflicts: openConflicts,
};

page.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const button = event.target.closest("[data-action]");
  const act = button && CLICKS[button.dataset.action];
  if (act) {
    event.preventDefault();
    act(button);
    // Enter goes on to the next record then, and does not press this one again.
    if (event.detail) button.blur();
    return;
  }
  const card = isGrid && event.target.closest("article.case");
  if (card && !event.target.closest("a, summary")) show(card);
});

for (const card of cards()) overlay(card);
if (list.firstElementChild) {
  if (isOpen(list.firstElementChild) || new URLSearchParams(location.search).has("record")) show(list.firstElementChild);
  else {
    current = list.firstElementChild; // it was decided a moment ago, before the page was loaded again
    enqueue(advance);
  }
}
shared.begin(ON);
open();
page.dataset.ready = "1";
