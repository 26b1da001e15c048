// What changes while a page is looked at: a run's log and steps, jobs, and that there are newer rows.
// Every page works without it.

const base = new URL(document.querySelector(".brand")?.href ?? "/", location.href).pathname;

// ---- a stream of events

const PATIENCE = 8000; // ms without any event, after which a proxy is thought to hold them back
const POLL = 3000;
const OUTPUT_LOOK = 500;
const LONGEST_PAUSE = 30_000;

// Ms until the next try after some that have failed: longer each time, and not all at once.
function pause(failures) {
  return Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
}

// A stream that goes on behind its last event, however long the network or the studio was away. A
// browser by itself gives up at an answer that is no stream, such as that of a proxy.
function listen({ name, names, on, over, poll, from = "" }) {
  let source, timer, polling, after = from, failures = 0, isClosed = false;
  const came = () => {
    failures = 0;
    clearTimeout(silence);
    clearInterval(polling);
  };
  const silence = setTimeout(() => (polling = setInterval(poll, POLL)), PATIENCE);
  function open() {
    clearTimeout(timer);
    if (isClosed) return;
    const query = new URLSearchParams({ run: name, after });
    source = new EventSource(`${base}events?${query}`);
    for (const each of names) {
      source.addEventListener(each, (event) => {
        came();
        after = event.lastEventId;
        on(each, JSON.parse(event.data));
      });
    }
    source.addEventListener("over", () => {
      close();
      over?.();
    });
    source.addEventListener("error", () => {
      source.close();
      clearTimeout(timer);
      timer = setTimeout(open, pause(failures++));
    });
  }
  function close() {
    isClosed = true;
    came();
    clearTimeout(timer);
    source.close();
  }
  open();
  addEventListener("online", () => {
    if (source.readyState === EventSource.CLOSED) open();
  });
  addEventListener("pagehide", close);
  return close;
}

// What a screen's own script hears: events of the element that names a stream.
const heard = document.querySelector("[data-listen]");
if (heard) {
  const tell = (name, detail) => heard.dispatchEvent(new CustomEvent(`alo:${name}`, { detail }));
  const { listen: name, names, after: from } = heard.dataset;
  listen({ name, names: names.split(" "), on: tell, poll: () => tell("poll"), from });
}

const words = JSON.parse(document.querySelector("[data-words]")?.dataset.words ?? "{}");
const MOST = 5000; // lines that stay on the page

const watched = new WeakSet(); // logs; a mark on the element would go with the next swap

function watch() {
  const log = document.querySelector("[data-live-log]");
  if (!log || watched.has(log)) return;
  watched.add(log);
  const name = log.dataset.liveLog;
  const close = listen({
    name,
    names: ["run_started", "log", "output", "step_started", "step_finished", "run_finished"],
    on: onEvent,
    over: renew,
    poll,
  });
  let from = 0; // the byte of the log behind what polling has shown

  function onEvent(name, { payload, time }) {
    if (name === "run_finished") {
      close();
      renew();
      return;
    }
    if (payload.step && name.startsWith("step_")) showStep(name, payload);
    if (payload.text === undefined) return;
    const level = payload.level ? `${time.slice(11, 19)} ${payload.level} ` : "";
    show([level + payload.text.replace(/\n?$/, "\n")]);
  }

  function show(lines) {
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.append(...lines);
    while (log.childNodes.length > MOST) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  async function poll() {
    const url = `${base}runs/${encodeURIComponent(name)}/log.json?from=${from}`;
    const answer = await fetch(url).catch(() => null);
    if (!answer?.ok || !log.isConnected) return;
    const { lines, to } = await answer.json();
    show(lines.map((line) => `${line}\n`));
    from = to;
    await renew();
    if (!log.isConnected) close();
  }
}

function showStep(name, { step, status, seconds }) {
  const box = document.querySelector(`li[data-step="${CSS.escape(step)}"]`);
  if (!box) return;
  const state = name === "step_started" ? "running" : status;
  const shown = box.querySelector(".state");
  for (const each of [box, shown]) each.dataset.state = state;
  shown.textContent = words[state] ?? state;
  if (seconds) box.querySelector('[data-fact="time"]').textContent = `${seconds.toPrecision(2)} s`;
}

watch();
document.addEventListener("htmx:after:swap", watch);

// Puts the page as it is now in the place of what is shown; what is the same stays untouched.
function renew() {
  return htmx.ajax("GET", location.pathname + location.search, {
    target: "#main",
    select: "#main",
    swap: "outerMorph",
  });
}

// Of a list, only the rows that are shown: new ones would move them under the pointer.
async function renewRows(list) {
  const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const shown = new Set();
  for (const row of list.querySelectorAll("tr[data-job]")) {
    shown.add(row.dataset.job);
    const now = page.querySelector(`tr[data-job="${CSS.escape(row.dataset.job)}"]`);
    if (!now || now.dataset.state === row.dataset.state) continue;
    row.dataset.state = now.dataset.state;
    row.replaceChildren(...now.childNodes);
  }
  document.dispatchEvent(new Event("alo:rows")); // their times are the reader's own
  announce([...page.querySelectorAll("tr[data-job]")].filter((row) => !shown.has(row.dataset.job)).length);
}

const jobs = document.querySelector('[data-stream="jobs"]');
if (jobs) {
  let first = true;
  const poll = () => (jobs.matches("table") ? renewRows(jobs) : renew());
  const on = () => {
    if (!first) poll();
    first = false;
  };
  listen({ name: "jobs", names: ["jobs"], on, poll });
}

// What the command of a job prints, as it comes.
async function followOutput() {
  const output = document.querySelector("[data-live-output]");
  if (!output) return;
  const answer = await fetch(output.dataset.liveOutput).catch(() => null);
  const lines = answer?.ok ? (await answer.json()).output : null;
  const text = lines?.map((line) => `${line}\n`).join("");
  if (text && text !== output.textContent) {
    output.textContent = text;
    output.scrollTop = output.scrollHeight;
  }
  setTimeout(followOutput, OUTPUT_LOOK);
}

followOutput();

// ---- newer rows are announced, not put in: nothing moves under the pointer

const notice = document.createElement("p");
notice.className = "notice";
notice.setAttribute("role", "status");
document.body.append(notice);

function announce(count) {
  if (!count) return;
  const link = document.createElement("a");
  link.href = location.href;
  link.dataset.action = "newer";
  link.textContent = document.body.dataset.newerText.replace("{n}", count);
  notice.replaceChildren(link);
}

async function lookForNewer() {
  const list = document.querySelector("[data-newer]");
  if (document.hidden || !list?.dataset.newest) return;
  const answer = await fetch(list.dataset.newer, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const { items } = await answer.json();
  const at = items.findIndex((item) => item.id === list.dataset.newest);
  announce(at < 0 ? items.length : at);
}

if (document.querySelector("[data-newer]")) setInterval(lookForNewer, 3000);
