// Questions to the server. What goes wrong is an Error whose message is a sentence for the user.

export class Gone extends Error {} // the session is over
export class Offline extends Error {} // nobody answers

let finished = null; // a job → what became of it

/** What answers at last may need a network that is fetched first, by a job: `call` waits for it. */
export const onFetch = (call) => {
  finished = call;
};

async function ask(method, path, body, type) {
  const options = { method };
  if (body instanceof Blob) {
    options.body = body;
    options.headers = { "content-type": type ?? "application/octet-stream" };
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "content-type": "application/json" };
  }
  let response;
  try {
    response = await fetch(`/api/${path}`, options);
  } catch {
    throw new Offline("The studio does not answer. It may have been closed; this page tries again.");
  }
  if (response.ok) return response;
  let sentence = `The studio answered with an error (${response.status}).`;
  let job = null;
  try {
    const told = await response.json();
    sentence = told.error ?? sentence;
    job = told.job ?? null;
  } catch {
    /* no JSON: the sentence stays */
  }
  if (job) {
    const over = await finished(job);
    if (over.state === "done") return ask(method, path, body, type);
    sentence = over.error;
  }
  throw new (response.status === 410 ? Gone : Error)(sentence);
}

const blob = async (response) => (await response).blob();
const numbers = async (response) => (await response).arrayBuffer();

/** Names and values for an address; a list is a name several times, and what is not given is left out. */
function query(values) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) for (const one of value) words.append(name, one ?? 1);
    else if (value !== "" && value !== null && value !== undefined) words.append(name, value);
  }
  return words;
}

const json = async (response) => (await response).json();

export const about = () => json(ask("GET", "about"));
export const begin = () => json(ask("POST", "sessions"));

export class Session {
  constructor(id) {
    this.id = id;
    this.path = `sessions/${encodeURIComponent(id)}`;
  }
  url(rest) {
    return `/api/${this.path}/${rest}`;
  }
  read() {
    return json(ask("GET", this.path));
  }
  end() {
    return ask("DELETE", this.path);
  }
  example(name, doodle) {
    return json(ask("PUT", `${this.path}/example`, { name, doodle }));
  }
  canvas(size) {
    return json(ask("PUT", `${this.path}/canvas`, size));
  }
  upload(side, file) {
    return json(ask("PUT", `${this.path}/photographs/${side}?name=${encodeURIComponent(file.name)}`, file));
  }
  choose(side, id) {
    return json(ask("PUT", `${this.path}/chosen/${side}`, { id }));
  }
  swap() {
    return json(ask("PUT", `${this.path}/swap`));
  }
  remove(side, id) {
    return json(ask("DELETE", `${this.path}/photographs/${side}/${id}`));
  }
  rename(result, name) {
    return json(ask("PATCH", `${this.path}/results/${result}`, { name }));
  }
  addStyle(file) {
    return json(ask("POST", `${this.path}/styles?name=${encodeURIComponent(file.name)}`, file));
  }
  removeStyle(picture) {
    return json(ask("DELETE", `${this.path}/styles/${picture}`));
  }
  setRegions(list) {
    return json(ask("PUT", `${this.path}/regions`, list));
  }
  setLabels(side, png) {
    return ask("PUT", `${this.path}/regions/${side}.png`, png, "image/png");
  }
  async labels(side) {
    return (await ask("GET", `${this.path}/regions/${side}.png`)).blob();
  }
  async mask(file) {
    return (await ask("POST", `${this.path}/mask?name=${encodeURIComponent(file.name)}`, file)).blob();
  }
  async snap(side, x, y, trimap) {
    return (await ask("POST", `${this.path}/snap/${side}?x=${x}&y=${y}`, trimap, "image/png")).blob();
  }
  async select(side, clicks) {
    return (await ask("POST", `${this.path}/select/${side}`, clicks)).blob();
  }
  find(count) {
    return json(ask("POST", `${this.path}/find${count ? `?count=${count}` : ""}`));
  }
  doubts() {
    return json(ask("POST", `${this.path}/doubts`));
  }
  preview(wish) {
    return json(ask("POST", `${this.path}/preview`, wish));
  }
  render(wish) {
    return json(ask("POST", `${this.path}/render`, wish));
  }
  cutOut(trimap, full) {
    return json(ask("POST", `${this.path}/cutout?full=${full}`, trimap, "image/png"));
  }
  photograph(id, file) {
    return blob(ask("GET", `${this.path}/photographs/${id}/${file}`));
  }
  parts(result) {
    return numbers(ask("GET", `${this.path}/results/${result}/parts`));
  }
  /** A result as a file: the answer, with its name and its notes. */
  saved(result, wish) {
    return ask("GET", `${this.path}/results/${result}/download?${query(wish)}`);
  }
  /** Several results in a ZIP. */
  archive(wish) {
    return ask("GET", `${this.path}/results.zip?${query(wish)}`);
  }
  maps(look) {
    return numbers(ask("GET", `${this.path}/looks/${encodeURIComponent(look)}/maps`));
  }
  lookThumb(look) {
    return this.url(`looks/${encodeURIComponent(look.name)}/thumb.jpg?${look.changed}`);
  }
  keepLook(wish) {
    return json(ask("POST", `${this.path}/looks`, wish));
  }
  bringLook(file) {
    return json(ask("PUT", `${this.path}/looks?${query({ name: file.name })}`, file));
  }
  learnLook(before, after) {
    const words = { split: before.size, before: before.name, after: after.name };
    return json(ask("POST", `${this.path}/looks/learn?${query(words)}`, new Blob([before, after])));
  }
  renameLook(look, name) {
    return json(ask("PATCH", `${this.path}/looks/${encodeURIComponent(look)}`, { name }));
  }
  removeLook(look) {
    return json(ask("DELETE", `${this.path}/looks/${encodeURIComponent(look)}`));
  }
  applyLook(look, photograph) {
    return json(ask("POST", `${this.path}/looks/${encodeURIComponent(look)}/apply?${query({ photograph })}`));
  }
  lookHolds(look) {
    return json(ask("GET", `${this.path}/looks/${encodeURIComponent(look)}/holds`));
  }
  lookFile(look, wish) {
    return ask("GET", `${this.path}/looks/${encodeURIComponent(look)}/file?${query(wish)}`);
  }
  cancel(job) {
    return json(ask("DELETE", `${this.path}/jobs/${job}`));
  }
  forget(result) {
    return ask("DELETE", `${this.path}/results/${result}`);
  }
}
