// What is said over everything: what went wrong, what can be taken back, what is to be decided.

import { desk } from "./desk.js";
import { $, el, icon } from "./dom.js";

const LONG = 8000; // milliseconds in which something can be taken back

export function makeSay() {
  const banner = $("#banner");
  const hide = () => {
    banner.hidden = true;
  };
  desk.on("trouble", (error) => {
    const close = el("button", { type: "button", onclick: hide }, "Close");
    banner.replaceChildren(icon("triangle-alert"), el("span", { textContent: error.message }), close);
    banner.hidden = false;
  });
  desk.on("calm", hide);
  for (const button of document.querySelectorAll("dialog [data-close]"))
    button.addEventListener("click", () => button.closest("dialog").close());
}

let last = null;
/** Say it for a moment, with a button that takes it back; `then` is called if nobody does. */
export function offer(sentence, { undo, then = () => {} }) {
  last?.finish();
  const toast = $("#toast");
  const mine = {
    finish() {
      clearTimeout(timer);
      if (last === mine) last = null;
      toast.hidden = true;
      then();
    },
  };
  const back = () => {
    clearTimeout(timer);
    last = null;
    toast.hidden = true;
    undo();
  };
  const timer = setTimeout(() => mine.finish(), LONG);
  last = mine;
  toast.replaceChildren(
    el("span", { textContent: sentence }),
    el("button", { type: "button", onclick: back }, icon("undo-2"), "Undo"),
  );
  toast.hidden = false;
}

/** Ask; `answers` are [what a button says, what it means], the first is the one that is advised. Null: none. */
export function decide(question, answers) {
  const dialog = $("#question");
  $("#question-text").textContent = question;
  return new Promise((resolve) => {
    let chosen = null;
    const buttons = answers.map(([text, meaning], k) =>
      el(
        "button",
        {
          type: "button",
          className: k ? "" : "main",
          onclick() {
            chosen = meaning;
            dialog.close();
          },
        },
        text,
      ),
    );
    $("#question-answers").replaceChildren(...buttons);
    dialog.addEventListener("close", () => resolve(chosen), { once: true });
    dialog.showModal();
    buttons[0].focus();
  });
}
