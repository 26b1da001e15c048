// What the screens share on which one decides: what is not acknowledged yet, conflicts, signing in
// again over the page, undo, and how a record shows what was said of it.

const page = document.querySelector("[data-deciding]");
const { base, person } = page.dataset;
const DIGITS = "1234567890";
const find = (selector) => document.querySelector(selector); // rows that come may take its place
const dialogs = { conflicts: find("[data-conflicts]"), signing: find("[data-signing]") };

export const words = JSON.parse(page.dataset.words);
export const STATES = { accept: "accepted", change: "changed", skip: "skipped", flag: "flagged", reset: "undecided" };

const { Sender } = await import(page.dataset.sender);
let screen = {};
let isOfSender = false; // whether the sender has said so
let chain = Promise.resolve(); // what keys do, one behind the other
let queued = 0; // keys that wait for those before them
export const sender = new Sender({
  base,
  place: page.dataset.keptAs,
  person,
  on(what, detail) {
    ON[what]?.(detail);
    const shown = screen[what]?.(detail);
    // Only once it is shown: what is decided next has seen what was taken back.
    if (what === "undone") Promise.resolve(shown).finally(() => answered?.(detail.results));
  },
});

// own: what a screen does when the sender tells something, and elementOf(record), where it is shown.
export function begin(own) {
  screen = own;
  showCount();
  sender.flush();
}

// ---- what the sender tells

const ON = {
  count: showCount,
  undone({ results }) {
    const refused = results.filter((each) => each.state === "refused");
    if (!results.length) trouble(words.nothing);
    if (refused.length) trouble(refused.map((each) => `${each.record}: ${each.why}`).join(" · "));
  },
  session: () => signIn(),
  trouble(why) {
    trouble(why || words.away);
    isOfSender = true;
  },
  calm: () => isOfSender && trouble(""), // what a screen has said stays until it says something else
};

export function showCount() {
  const { waiting, isKept } = sender;
  const count = sender.count + queued;
  const shown = find("[data-unsent]");
  if (!shown) return; // a page that says what is wrong has come in the place of the records
  shown.dataset.unsent = count;
  shown.textContent = count ? words.unsent.replace("{n}", count) : words.sent;
  const button = find("[data-waiting]");
  button.hidden = !waiting.length;
  button.textContent = words.conflicts.replace("{n}", waiting.length);
  if (!isKept) trouble(words.full);
  if (dialogs.conflicts.open) drawConflicts();
}

export function trouble(text) {
  isOfSender = false;
  const shown = find("[data-trouble]");
  shown.textContent = text;
  shown.hidden = !text;
}

let answered = null;
// What an undo, or a redo, has come to; null: the network is away, and it waits.
export async function takeBack(redo) {
  const results = await Promise.race([
    new Promise((resolve) => {
      answered = resolve;
      sender.undo(redo);
    }),
    new Promise((resolve) => setTimeout(resolve, 2000, null)),
  ]);
  answered = null;
  return results;
}

// Does what a key asks for once those before it are done: a record that they lead to may be on its way.
export function enqueue(act) {
  queued += 1;
  showCount();
  const begin = () => {
    queued -= 1;
    return act();
  };
  chain = chain
    .then(begin)
    .catch((error) => trouble(String(error)))
    .finally(showCount);
}

// What was said of records before they were decided on here: {at, decision}, the newest last.
const before = [];
const MOST_BEFORE = 200;

function keepBefore({ record, state, given, note }) {
  const verdict = Object.keys(STATES).find((each) => STATES[each] === state) ?? "reset";
  before.push({ at: performance.now(), decision: { record, verdict, label: verdict === "change" ? given : null, note } });
  if (before.length > MOST_BEFORE) before.shift();
}

// What keys have decided that no hand has typed: it is again as it was before the first of them.
document.addEventListener("alo:scanned", ({ detail }) => {
  enqueue(() => {
    const mine = new Map();
    for (const { at, decision } of before.splice(0)) {
      if (at >= detail.since && !mine.has(decision.record)) mine.set(decision.record, decision);
    }
    const shown = [...mine.values()].filter(({ record }) => screen.elementOf(record));
    const decisions = shown.map((each) => {
      const element = screen.elementOf(each.record);
      const seen = element.dataset.seen === "" ? null : Number(element.dataset.seen);
      paint(element, each);
      return { ...each, seen };
    });
    if (decisions.length) sender.decide(decisions);
    screen.scanned?.(shown.map(({ record }) => record));
    trouble(words.scanned);
  });
});

addEventListener("beforeunload", (event) => {
  if (queued) event.preventDefault();
});

// ---- a record as an element shows it

// A decision on it, as it is sent.
export function decisionOn({ dataset }, verdict, label, note = dataset.note) {
  keepBefore(dataset);
  const own = verdict === "change" && label === dataset.predicted ? "accept" : verdict;
  const seen = dataset.seen === "" ? null : Number(dataset.seen);
  return { record: dataset.record, verdict: own, label: own === "change" ? label : null, note, seen };
}

// Shows a decision as if it were acknowledged.
export function paint(element, { verdict, label, note }) {
  const given = verdict === "accept" ? element.dataset.predicted : verdict === "change" ? label : "";
  const by = verdict === "reset" ? "" : person;
  show(element, { state: STATES[verdict], label: given, by, note });
}

export function show(element, { state, label, by, note }) {
  Object.assign(element.dataset, { state, given: label ?? "", note: note ?? "" });
  if (label) element.dataset.label = label;
  else delete element.dataset.label;
  const facts = { state: words[state] ?? state, label: label ?? "", by: by ?? "", note: note ?? "" };
  for (const [name, value] of Object.entries(facts)) {
    const place = element.querySelector(`[data-fact="${name}"]`);
    place[place.tagName === "INPUT" ? "value" : "textContent"] = value;
  }
  element.querySelector('[data-fact="state"]').dataset.state = state;
}

// What another has decided of it, as a result has it.
export function showTheirs(element, { label, by, note, seen, verdict }) {
  show(element, { state: STATES[verdict], label, by, note });
  element.dataset.seen = seen;
}

// Which of the labels a key gives: one whose own key it is, else that of its place.
export function labelOf(all, key, event) {
  const typed = [event.key, event.shiftKey ? key.toUpperCase() : key.toLowerCase()];
  const own = all.find((each) => each.dataset.key && typed.includes(each.dataset.key));
  if (own) return own;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit === undefined) return null;
  return all[DIGITS.indexOf(digit) + (event.shiftKey ? 10 : 0)] ?? null;
}

// ---- a conflict: both labels, and a key for each

function drawConflicts() {
  const shown = dialogs.conflicts.querySelector("[data-list]");
  shown.replaceChildren(...sender.waiting.map(([name, each]) => conflict(name, each)));
  if (!sender.waiting.length) dialogs.conflicts.close();
  // A button that is gone takes the keys with it.
  else if (!dialogs.conflicts.contains(document.activeElement)) shown.querySelector("button")?.focus();
}

function conflict(name, { decision, result }) {
  const line = document.createElement("li");
  const element = decision.record && screen.elementOf(decision.record);
  if (decision.record) line.dataset.record = decision.record;
  const mine = decision.label || (decision.verdict === "accept" ? element?.dataset.predicted : null);
  const theirs = result.theirs;
  const text = theirs
    ? `${words.theirs} (${theirs.by}): ${theirs.label ?? words[STATES[theirs.verdict]]} · ${words.yours}: ${mine ?? words[STATES[decision.verdict]]}`
    : result.why;
  line.append(`${decision.record ?? words.several} · ${text} `);
  const button = (action, said, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.dataset.action = action;
    made.textContent = said;
    made.addEventListener("click", act);
    line.append(made, " ");
  };
  if (!theirs) {
    button("discard", words.discard, () => sender.dismiss(name));
    return line;
  }
  button("keep", words.keep, () => sender.dismiss(name));
  button("replace", words.replace, () => {
    const { record, verdict, label, note } = decision;
    sender.dismiss(name);
    sender.decide([{ record, verdict, label, note, seen: theirs.seen, replace: true }]);
    if (element) paint(element, decision);
  });
  return line;
}

export function openConflicts() {
  if (!sender.waiting.length) return;
  drawConflicts();
  dialogs.conflicts.showModal();
}

const PLACES = { Digit1: ["keep", "discard"], Digit2: ["replace"], Numpad1: ["keep", "discard"], Numpad2: ["replace"] };
dialogs.conflicts.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = PLACES[event.code];
  if (!action) return;
  event.preventDefault();
  event.stopPropagation(); // once the dialog is closed by it, the same key would give a label
  const first = dialogs.conflicts.querySelector("li");
  first?.querySelector(action.map((each) => `[data-action="${each}"]`).join(","))?.click();
});

// ---- a session that is over: signing in over the page, which stays as it is

export function signIn() {
  if (!dialogs.signing.open) dialogs.signing.showModal();
}

// A page of the review as the studio has it by now; null: it cannot be had.
export async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  if (answer?.url && new URL(answer.url).pathname.endsWith("/sign-in")) signIn();
  if (!answer) trouble(words.away);
  return answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

dialogs.signing.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(event.target));
  const answer = await fetch(page.dataset.signIn, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name, password }),
  }).catch(() => null);
  const wrong = dialogs.signing.querySelector("[data-wrong]");
  wrong.hidden = Boolean(answer?.ok);
  if (!answer?.ok) {
    const content = await answer?.json().catch(() => null);
    wrong.textContent = content ? [content.error.what, content.error.fix].filter(Boolean).join(" · ") : words.away;
    return;
  }
  dialogs.signing.querySelector("[name=password]").value = "";
  if (name !== person) {
    trouble(words.other);
    location.reload();
    return;
  }
  dialogs.signing.close();
  sender.flush();
});

dialogs.signing.querySelector('[data-action="try-again"]').addEventListener("click", () => {
  dialogs.signing.close();
  sender.flush();
});
