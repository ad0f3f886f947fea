// What to make, and what to work on: the mode and the view. They are found again after a reload.

import { desk } from "./desk.js";
import { $, $$, checked, choose } from "./dom.js";

const RENDER = { transfer: "Render full size", doodle: "Paint full size", cutout: "Cut out full size" };

export function makeViews({ editor, tools, brush, look }) {
  function showView() {
    document.body.dataset.view = checked("view");
    const isResult = checked("view") === "result";
    editor.isBare = isResult; // photographs are seen as they are, unless they are painted on
    if (isResult) tools.setTool("look");
    editor.drawAll();
    brush.refresh();
  }
  function setView(view) {
    choose("view", view);
    showView();
  }

  function showMode() {
    const mode = checked("mode");
    document.body.dataset.mode = mode;
    editor.show(mode === "cutout" ? "marks" : "labels");
    $("#render span").textContent = RENDER[mode];
    if (mode !== "transfer") {
      setView("regions");
      tools.setTool("brush");
    }
    desk.tell("mode", mode);
  }

  const key = () => `photostyle ${desk.session.id}`;
  function keep() {
    try {
      const chosen = { ...look.kept(), mode: checked("mode"), view: checked("view"), auto: $("#auto").checked };
      localStorage.setItem(key(), JSON.stringify(chosen));
    } catch {
      // private windows keep nothing
    }
  }
  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(key()) ?? "null");
      if (!kept) return;
      look.load(kept);
      choose("mode", kept.mode);
      choose("view", kept.view);
      $("#auto").checked = kept.auto;
    } catch {
      // what cannot be recalled is as at first
    }
  }

  for (const input of $$('input[name="mode"]'))
    input.addEventListener("change", () => {
      setView(checked("mode") === "transfer" ? "result" : "regions");
      look.suit(checked("mode"));
      showMode();
      keep();
    });
  for (const input of $$('input[name="view"]'))
    input.addEventListener("change", () => {
      showView();
      keep();
    });
  for (const input of $$('input[name="tool"]'))
    input.addEventListener("change", () => {
      if (checked("tool") !== "look") setView("regions");
    });
  $("#auto").addEventListener("change", () => desk.tell("changed"));
  for (const news of ["changed", "faded", "kept"]) desk.on(news, keep);

  return {
    setView,
    open() {
      recall();
      const view = checked("view");
      showMode();
      setView(view);
    },
  };
}
