// Sends what people decide: each once with effect, kept in the browser until it is acknowledged.
//
// An entry has a key that makes a repeated send harmless, so that a reload, a second tab, or an
// answer that was lost on its way may send it again. Entries wait in this browser's storage, apart
// for each project, review and person.

const MOST = 500; // decisions of one request, unless one action has more
const MOST_AT_ALL = 10_000;
const PATIENCE = 30_000; // ms for an answer
const LONGEST_PAUSE = 30_000; // ms between two tries
const HOPELESS = new Set([400, 413, 415, 422]); // whatever is sent like that is refused again

// A key that nothing else has; randomUUID is there only over TLS and on this machine.
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}

const isKeyed = (sent) => typeof sent?.key === "string";

// Values by names in this browser's storage, or, where that is full or refused, in memory alone.
class Store {
  // isOurs: whether a value is one of ours; another is left alone, whoever has written it.
  constructor(prefix, isOurs) {
    Object.assign(this, { prefix, isOurs });
    this.loose = new Set(); // names of what is in memory alone
    this.known = null; // all, as they were read last; null: another tab has changed them
    addEventListener("storage", ({ key }) => {
      if (key === null) this.keepAgain(); // somebody has emptied it
      else if (key.startsWith(prefix)) this.known = null;
    });
    addEventListener("pageshow", () => (this.known = null)); // nothing was heard while it was away
  }

  set(name, value) {
    this.all().set(name, value);
    try {
      localStorage.setItem(this.prefix + name, JSON.stringify(value));
      this.loose.delete(name);
    } catch {
      this.loose.add(name);
    }
  }

  keepAgain() {
    for (const [name, value] of this.before ?? []) this.set(name, value);
  }

  delete(name) {
    this.all().delete(name);
    this.loose.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // there is none
    }
  }

  all() {
    if (this.known) return this.known;
    const found = new Map([...this.loose].map((name) => [name, this.before?.get(name)]));
    for (const key of this.keys()) {
      const value = this.read(key);
      if (value) found.set(key.slice(this.prefix.length), value);
    }
    this.known = this.before = found;
    return found;
  }

  keys() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
    } catch {
      return []; // there is no storage
    }
  }

  read(key) {
    try {
      const value = JSON.parse(localStorage.getItem(key));
      return this.isOurs(value) ? value : null;
    } catch {
      return null;
    }
  }

  // All, in the order of their names.
  entries() {
    return [...this.all()].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}

export class Sender {
  // base: the review's path; place: whose review it is, for the storage; on: what is told of it.
  constructor({ base, place, person, on }) {
    Object.assign(this, { base, person, on });
    this.lock = `alo-decisions/${place}/${person}`;
    this.unsent = new Store(`${this.lock}/unsent/`, (each) => isKeyed(each?.decision ?? each?.bulk ?? each?.undo));
    this.refused = new Store(`${this.lock}/waiting/`, (each) => each?.decision && each.result?.state);
    this.failures = 0;
    addEventListener("storage", (event) => {
      if (event.key === null || event.key.startsWith(this.lock)) this.report();
    });
    addEventListener("online", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
    addEventListener("beforeunload", (event) => {
      if (!this.isKept) event.preventDefault();
    });
  }

  get count() {
    return this.unsent.all().size;
  }

  // What is in conflict or was refused: [name, {decision, result}].
  get waiting() {
    return this.refused.entries();
  }

  get isKept() {
    return !this.unsent.loose.size;
  }

  // The last decision on a record that is not acknowledged yet; also one on many that names it.
  pendingOf(record) {
    const isOf = ({ decision, bulk }) => decision?.record === record || bulk?.records?.includes(record);
    const found = this.unsent.entries().findLast(([, each]) => isOf(each))?.[1];
    return found?.decision ?? found?.bulk;
  }

  // Decisions of one action: {record, verdict, label, note, seen, replace}.
  decide(decisions) {
    const action = newKey();
    for (const given of decisions) {
      const decision = { ...given, key: newKey(), action };
      const behind = this.pendingOf(given.record)?.key; // whose number is seen once it has one
      this.add({ decision, behind });
    }
    this.report();
    return this.flush();
  }

  // One decision on many records, which the studio finds: {records, or scope and filter, verdict,
  // label, note, until}.
  decideOnMany(bulk) {
    this.add({ bulk: { ...bulk, key: newKey() } });
    this.report();
    return this.flush();
  }

  // Take back the person's last action, or bring it again.
  undo(redo) {
    this.add({ undo: { key: newKey(), redo } });
    this.report();
    return this.flush();
  }

  dismiss(name) {
    this.refused.delete(name);
    this.report();
  }

  add(entry) {
    const last = this.unsent.entries().at(-1)?.[0] ?? "0";
    this.order = Math.max(this.order ?? 0, Number.parseInt(last, 10)) + 1; // no clock is asked
    const { key } = entry.decision ?? entry.bulk ?? entry.undo;
    this.unsent.set(`${String(this.order).padStart(12, "0")}-${key}`, entry);
  }

  report() {
    this.on("count");
  }

  // Sends all that waits, one request after the other; of several tabs one at a time.
  async flush() {
    clearTimeout(this.timer);
    if (this.sending) {
      this.again = true;
      return this.sending;
    }
    const send = () => this.sendAll();
    this.sending = navigator.locks ? navigator.locks.request(this.lock, send) : send();
    try {
      await this.sending;
    } finally {
      this.sending = null;
    }
    if (this.again) {
      this.again = false;
      if (this.count && !this.failures) return this.flush();
    }
  }

  async sendAll() {
    for (;;) {
      const batch = this.next(this.unsent.entries());
      if (!batch.length) break;
      const answer = await this.post(batch);
      if (answer.results) {
        this.failures = 0;
        this.isAlone = false;
        this.on("calm");
        this.settle(batch, answer);
        continue;
      }
      if (HOPELESS.has(answer.status)) {
        if (batch.length > 1) this.isAlone = true; // which of them it is
        else this.putAside(batch[0], { state: "refused", why: answer.why });
        continue;
      }
      this.failures++;
      this.on(answer.status === 401 ? "session" : "trouble", answer.why);
      const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** this.failures) * (0.5 + Math.random() / 2);
      this.timer = setTimeout(() => this.flush(), pause);
      break;
    }
    this.report();
  }

  // What one request takes: an undo or a bulk alone; else decisions on records that differ, as each further
  // one on the same record waits for the number of that before it.
  next(entries) {
    if (!entries[0]?.[1].decision || this.isAlone) return entries.slice(0, 1);
    const records = new Set();
    const batch = [];
    for (const entry of entries) {
      const { decision } = entry[1];
      const isSame = decision && decision.action === batch.at(-1)?.[1].decision.action;
      if (!decision || records.has(decision.record)) break;
      if (batch.length >= MOST && !isSame) break;
      if (batch.length >= MOST_AT_ALL) break;
      records.add(decision.record);
      batch.push(entry);
    }
    return batch;
  }

  async post(batch) {
    const { undo, bulk } = batch[0][1];
    const content = undo ?? bulk ?? { decisions: batch.map(([, each]) => each.decision) };
    const body = JSON.stringify({ ...content, by: this.person });
    const answer = await fetch(`${this.base}/${undo ? "undo" : bulk ? "bulk" : "decisions"}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      keepalive: body.length < 60_000, // also while the page is left
      signal: AbortSignal.timeout?.(PATIENCE),
    }).catch(() => null);
    const found = await answer?.json().catch(() => null);
    if (answer?.ok && Array.isArray(found?.results)) return found;
    const isAway = !answer || answer.ok || answer.status >= 500;
    return { status: isAway ? 0 : answer.status, why: isAway ? "" : (found?.error?.what ?? "") };
  }

  settle(batch, answer) {
    const { results } = answer;
    if (batch[0][1].undo) {
      this.unsent.delete(batch[0][0]);
      this.on("undone", { redo: batch[0][1].undo.redo, results });
      return;
    }
    if (batch[0][1].bulk) {
      this.settleMany(batch[0], answer);
      return;
    }
    batch.forEach(([name, entry], at) => {
      const result = results[at];
      if (result.state === "conflict" || result.state === "refused") {
        this.putAside([name, entry], result);
        return;
      }
      for (const [later, each] of this.unsent.entries()) {
        if (each.behind !== entry.decision.key) continue;
        this.unsent.set(later, { decision: { ...each.decision, seen: result.seen } });
      }
      this.unsent.delete(name);
      this.on("saved", result);
    });
  }

  // What was decided behind it has seen what it came to; what differs waits as decisions do.
  settleMany([name, { bulk }], { results, seen }) {
    for (const [later, each] of this.unsent.entries()) {
      const number = seen[each.decision?.record];
      if (number === undefined || (each.behind && each.behind !== bulk.key)) continue;
      this.unsent.set(later, { decision: { ...each.decision, seen: number } });
    }
    const { verdict, label, note } = bulk;
    results.forEach((result, at) => {
      const decision = { record: result.record, verdict, label, note };
      this.putAside([`${name}-${String(at).padStart(5, "0")}`, { decision }], result);
    });
    this.unsent.delete(name);
    this.on("decided", { seen, results });
  }

  putAside([name, { decision, bulk }], result) {
    const refused = decision ?? bulk;
    if (refused) this.refused.set(name, { decision: refused, result });
    this.unsent.delete(name);
    if (refused) this.on("waiting", { decision: refused, result });
  }
}
