// What was painted before, kept in the browser so that undo survives a reload.

const MOST = 200; // steps
const BASE = "photostyle";
const STORE = "histories";
const OLD = 14 * 24 * 3600e3; // milliseconds after which a history is forgotten

/** Labels as runs: label, length, label, length, … */
export function pack(labels) {
  const runs = [];
  for (let at = 0; at < labels.length; ) {
    let end = at + 1;
    while (end < labels.length && labels[end] === labels[at]) end++;
    runs.push(labels[at], end - at);
    at = end;
  }
  return Uint32Array.from(runs);
}

export function unpack(runs, length) {
  const labels = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) {
    labels.fill(runs[i], at, at + runs[i + 1]);
    at += runs[i + 1];
  }
  return at === length ? labels : null; // of a photograph of another size
}

const opened = new Promise((resolve) => {
  const request = indexedDB.open(BASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => resolve(null); // private windows may keep nothing
});

async function store(mode, ask) {
  const base = await opened;
  if (!base) return undefined;
  return new Promise((resolve) => {
    const transaction = base.transaction(STORE, mode);
    const request = ask(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => resolve(undefined);
  });
}

/** Forget histories that nobody has added to for long. */
export async function sweep() {
  const keys = (await store("readonly", (kept) => kept.getAllKeys())) ?? [];
  for (const key of keys) {
    const found = await store("readonly", (kept) => kept.get(key));
    if (found && found.at < Date.now() - OLD) await store("readwrite", (kept) => kept.delete(key));
  }
}

/** The steps of one sheet of paper: states of any kind that can be cloned. */
export class History {
  past = [];
  future = [];
  now = null; // the last state, for what only the browser knows
  #key;

  constructor(key) {
    this.#key = key;
  }

  async load() {
    const kept = await store("readonly", (all) => all.get(this.#key));
    if (kept && !this.past.length) Object.assign(this, { past: kept.past, future: kept.future, now: kept.now });
    return this;
  }

  /** To be called with the state before a change. */
  remember(state) {
    this.past.push(state);
    if (this.past.length > MOST) this.past.shift();
    this.future = [];
  }

  /** The state before the last change; `now` is where redo leads back to. Null if there is none. */
  undo(now) {
    return this.#step(this.past, this.future, now);
  }
  redo(now) {
    return this.#step(this.future, this.past, now);
  }
  #step(from, to, now) {
    if (!from.length) return null;
    to.push(now);
    return from.pop();
  }

  #timer;
  /** Soon, in the browser. */
  keep(now) {
    this.now = now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), 200);
  }
  flush() {
    clearTimeout(this.#timer);
    const { past, future, now } = this;
    return store("readwrite", (all) => all.put({ past, future, now, at: Date.now() }, this.#key));
  }
}
