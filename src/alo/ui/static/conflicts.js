// The conflicts of a review: a key settles the current one, and what somebody else settles leaves.
// The page works without it, too.

const list = document.querySelector("[data-conflict-list]");
const articles = () => [...(list?.querySelectorAll("article") ?? [])];
const current = () => list?.querySelector("[aria-current]");

function show(article) {
  if (!article) return;
  current()?.removeAttribute("aria-current");
  article.setAttribute("aria-current", "true");
  article.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = articles();
  show(all[all.indexOf(current()) + by]);
}

const PLACES = { Digit1: 1, Numpad1: 1, Digit2: 2, Numpad2: 2 };
const STILL = 60; // ms in which no other key comes: a scanner types faster, and settles nothing
let settling = 0;
const MOVES = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 };

document.addEventListener("keydown", () => clearTimeout(settling), true);

document.addEventListener("alo:key", (asked) => {
  const { key, event } = asked.detail;
  const place = PLACES[event.code];
  const by = MOVES[key.length === 1 ? key.toLowerCase() : key];
  if (!place && !by) return;
  asked.preventDefault();
  if (by) move(by);
  else if (!event.repeat) {
    const button = current()?.querySelector(`[data-answer="${place}"] button`);
    settling = setTimeout(() => button?.click(), STILL);
  }
});

list?.addEventListener("alo:decision", ({ detail: { record, state } }) => {
  const settled = state !== "conflict" && articles().find((each) => each.dataset.record === record);
  if (!settled) return;
  if (settled === current()) move(1);
  settled.remove();
  show(current() ?? articles()[0]);
});

show(articles()[0]);
