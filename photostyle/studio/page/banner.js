// The sentence about what went wrong.

import { desk } from "./desk.js";
import { $, el } from "./dom.js";

export function makeBanner() {
  const banner = $("#banner");
  const hide = () => {
    banner.hidden = true;
  };
  desk.on("trouble", (error) => {
    const close = el("button", { type: "button", textContent: "Close", onclick: hide });
    banner.replaceChildren(el("span", { textContent: error.message }), close);
    banner.hidden = false;
  });
  desk.on("calm", hide);
  window.addEventListener("trouble", (event) => desk.tell("trouble", event.detail));
}
