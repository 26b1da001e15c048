// The records that the label screen has, and how it gets those before and behind them.

const page = document.querySelector("[data-label-page]");
const { base, view } = page.dataset;
export const isGrid = view === "grid";
const list = page.querySelector("[data-cases]");
const shared = await import(page.dataset.deciding);

const AHEAD = 24; // undecided records that are there before they are wanted
const BEHIND = 60; // records that stay

export const cards = () => [...list.children];
export const cardOf = (record) => list.querySelector(`[data-record="${CSS.escape(record)}"]`);
export const isOpen = (card) => (filters.has("state") ? !card.dataset.done : card.dataset.state === "undecided");
const filters = new URLSearchParams(location.search);
for (const each of ["record", "after", "view", "lang", "token"]) filters.delete(each);

export function address(more) {
  const query = new URLSearchParams(filters);
  if (isGrid) query.set("view", "grid");
  for (const [name, value] of Object.entries(more)) if (value) query.set(name, value);
  return `${base}/label${query.size ? `?${query}` : ""}`;
}

// The page as the studio has it by now; null: it cannot be had.
export async function fetched(more) {
  return (await shared.fetched(address(more)))?.querySelector("[data-label-page]") ?? null;
}

// What is decided here and not acknowledged yet is shown as if it were.
export function overlay(card) {
  const pending = shared.sender.pendingOf(card.dataset.record);
  if (pending) shared.paint(card, pending);
  return card;
}

export function articles(found) {
  return [...(found?.querySelectorAll("article.case") ?? [])].map((each) => document.importNode(each, true));
}

export function put(card, place) {
  if (cardOf(card.dataset.record)) return false;
  card.hidden = !isGrid;
  list.insertBefore(overlay(card), place);
  return true;
}

// Loads the record that a query leads to and those behind it; returns the first of them.
export async function load(more) {
  const found = await fetched(more);
  if (!found) return null;
  const all = articles(found);
  for (const card of all) {
    const before = cardOf(card.dataset.previous);
    put(card, before ? before.nextSibling : null);
  }
  return all.length ? cardOf(all[0].dataset.record) : undefined;
}

export async function loadBefore(record) {
  const found = articles(await fetched({ record }))[0];
  if (found) put(found, cardOf(found.dataset.next));
  return found ? cardOf(record) : null;
}

export function prune(current) {
  const all = cards();
  const at = all.indexOf(current);
  if (!isGrid) for (const each of all.slice(0, Math.max(0, at - BEHIND))) each.remove();
}

export const loaded = {
  loading: null, // what is on its way
  isAtEnd: false, // nothing undecided is left behind what is here
};

export function ahead(current) {
  if (loaded.loading || loaded.isAtEnd) return;
  const all = cards();
  const open = all.slice(all.indexOf(current) + 1).filter(isOpen).length;
  if (open >= AHEAD || !all.length) return;
  const size = all.length;
  loaded.loading = load({ after: all.at(-1).dataset.record }).then((first) => {
    loaded.loading = null;
    if (first === null) return; // the network is away
    loaded.isAtEnd = list.children.length === size;
    ahead(list.querySelector("[aria-current]") ?? current);
  });
}

// A picture as many times its usual size; whole instead of its small copy, where that would not do.
export function enlarge(card, zoom) {
  const picture = card?.querySelector(".picture img");
  if (!picture) return;
  if (zoom > 1 && picture.dataset.full) {
    picture.src = picture.dataset.full;
    delete picture.dataset.full;
  }
  picture.style.setProperty("--zoom", zoom);
  picture.style.maxWidth = zoom === 1 ? "" : "none";
}
