// What pages do beyond showing: keys, copying, the theme, live logs, and that there are newer rows.
// Every page works without it.

const main = document.querySelector("main");
const korean = document.documentElement.lang === "ko";

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.getTime())) {
    time.title = `${time.textContent} UTC`;
    time.textContent = moment.toLocaleString(korean ? "ko" : "sv-SE");
  }
}

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
    localStorage.setItem("alo-theme", root.dataset.theme);
  }
});

document.querySelector("[data-zoom]")?.addEventListener("click", (event) => {
  event.currentTarget.classList.toggle("zoomed");
});

// A second click on a button that changes something does nothing.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// ---- keys: by the letter, or by the key's place where that types no Latin one

const PLACES = { Slash: "/", BracketLeft: "[", BracketRight: "]" };
let going = 0; // until when the letter after g is waited for

function letter(event) {
  if (event.key.length > 1 || /^[\x20-\x7e]$/.test(event.key)) return event.key;
  if (event.code.startsWith("Key")) return event.code.slice(3).toLowerCase();
  return PLACES[event.code] ?? event.key;
}

function rows() {
  return [...document.querySelectorAll("table.rows tbody tr")];
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
  "[": () => follow('[rel="prev"]'),
  "]": () => follow('[rel="next"]'),
  Escape: () => follow('[data-action="up"]'),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select");
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
  if (key === "Enter" && !current()) return;
  if (KEYS[key]) {
    event.preventDefault();
    KEYS[key]();
  }
});

// ---- live: a run's log and steps, as its events come

const base = new URL(document.querySelector(".brand")?.href ?? "/", location.href).pathname;

function listen(name, on, names) {
  const source = new EventSource(`${base}events?run=${encodeURIComponent(name)}`);
  for (const each of names) source.addEventListener(each, (event) => on(each, JSON.parse(event.data)));
  source.addEventListener("over", () => source.close());
  addEventListener("pagehide", () => source.close());
  return source;
}

const log = document.querySelector("[data-live-log]");
if (log) {
  const MOST = 5000; // lines that stay on the page
  const source = listen(
    log.dataset.liveLog,
    (name, { payload, time }) => {
      if (name === "run_finished") {
        source.close();
        location.reload();
        return;
      }
      const item = payload.step && main.querySelector(`[data-step="${CSS.escape(payload.step)}"]`);
      if (item) {
        const status = name === "step_started" ? "running" : payload.status;
        for (const each of [item, ...item.querySelectorAll("[data-state]")]) each.dataset.state = status;
        const shown = item.querySelector(".state");
        if (shown) shown.textContent = status;
      }
      if (payload.text === undefined) return;
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      const level = payload.level ? `${time.slice(11, 19)} ${payload.level} ` : "";
      log.append(level + payload.text.replace(/\n?$/, "\n"));
      while (log.childNodes.length > MOST) log.firstChild.remove();
      if (atEnd) log.scrollTop = log.scrollHeight;
    },
    ["log", "output", "step_started", "step_finished", "run_finished"],
  );
}

if (document.querySelector('[data-stream="jobs"]')) {
  let first = true;
  listen("jobs", () => {
    if (!first) location.reload();
    first = false;
  }, ["jobs"]);
}

// ---- newer rows are announced, not put in: nothing moves under the pointer

const list = document.querySelector("[data-newer]");
if (list?.dataset.newest) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "status");
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(list.dataset.newer, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) return;
    const { items } = await answer.json();
    const at = items.findIndex((item) => item.id === list.dataset.newest);
    const count = at < 0 ? items.length : at;
    if (!count) return;
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = korean ? `새 항목 ${count}개` : `${count} newer`;
    notice.replaceChildren(link);
    list.closest(".scroll").before(notice);
  }, 5000);
}
