// The sessions of this browser: an earlier one is found again from any tab.

import { Gone, Session } from "./api.js";
import { desk, tried } from "./desk.js";
import { $, el, icon } from "./dom.js";
import { decide } from "./say.js";

const KEY = "photostyle sessions";
const MOST = 20;

function list() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}
function keep(sessions) {
  try {
    localStorage.setItem(KEY, JSON.stringify(sessions.slice(0, MOST)));
  } catch {
    // private windows keep nothing
  }
}

function ago(at) {
  const minutes = Math.round((Date.now() - at) / 60e3);
  if (minutes < 1) return "just now";
  if (minutes < 90) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
}

export function makeSessions() {
  const dialog = $("#sessions");

  /** Note this session, once there is something in it. */
  function note() {
    const { id, pictures, results } = desk.state;
    const names = [pictures.content, pictures.style].filter(Boolean).map((p) => (p.blank ? "empty canvas" : p.name));
    if (!names.length) return;
    const thumb = (pictures.content ?? pictures.style).id;
    const mine = { id, name: names.join(" × "), thumb, made: results.length, at: Date.now() };
    keep([mine, ...list().filter((one) => one.id !== id)]);
  }

  const go = (id) => {
    location.hash = `session=${id}`; // which loads the page anew
  };

  async function remove(one) {
    const answer = await decide(`Delete the session ${one.name} with all that was painted and made in it?`, [
      ["Keep it", "keep"],
      ["Delete", "delete"],
    ]);
    if (answer !== "delete") return;
    await new Session(one.id).end().catch(() => {});
    keep(list().filter((other) => other.id !== one.id));
    if (one.id === desk.state.id) desk.leave();
    else await open();
  }

  function row(one) {
    const isHere = one.id === desk.state.id;
    const versions = one.made ? `, ${one.made} ${one.made === 1 ? "version" : "versions"}` : "";
    const about = `${isHere ? "this session" : ago(one.at)}${versions}`;
    return el(
      "li",
      {},
      el("img", { src: new Session(one.id).url(`photographs/${one.thumb}/edit.jpg`), alt: "" }),
      el("span", { className: "name" }, el("b", { textContent: one.name }), el("br"), about),
      ...(isHere ? [] : [el("button", { type: "button", onclick: () => go(one.id) }, "Open")]),
      el(
        "button",
        { type: "button", className: "plain", "aria-label": `Delete ${one.name}`, onclick: tried(() => remove(one)) },
        icon("trash-2"),
      ),
    );
  }

  /** Those that are still there. */
  async function living() {
    const found = await Promise.all(
      list().map(async (one) => {
        try {
          const { results } = await new Session(one.id).read();
          return { ...one, made: results.length };
        } catch (error) {
          return error instanceof Gone ? null : one;
        }
      }),
    );
    const left = found.filter(Boolean);
    keep(left);
    return left;
  }

  async function open() {
    const sessions = await living();
    $("#session-list").replaceChildren(...sessions.map(row));
    if (!dialog.open) dialog.showModal();
  }

  $("#open-sessions").addEventListener("click", tried(open));
  $("#anew").addEventListener("click", () => desk.leave());
  desk.on("told", note);
}
