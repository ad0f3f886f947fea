// Files that the server makes, saved by the browser.

import { desk } from "./desk.js";
import { el } from "./dom.js";

/** Save the answer by the name that it brings; what was not kept is told as notes. */
export async function save(answer) {
  const response = await answer;
  const [, name] = /filename\*=UTF-8''(.*)$/.exec(response.headers.get("content-disposition"));
  const notes = response.headers.get("x-notes");
  const url = URL.createObjectURL(await response.blob());
  el("a", { href: url, download: decodeURIComponent(name) }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it after this
  desk.tell("notes", notes ? JSON.parse(decodeURIComponent(notes)) : []);
}
