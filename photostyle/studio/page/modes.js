// What to make: a transfer, a doodle or a cut-out. What was chosen is found again after a reload.

import { desk } from "./desk.js";
import { $, $$, checked, choose } from "./dom.js";

export function makeModes({ editor, panel, look }) {
  function show() {
    const mode = checked("mode");
    document.body.dataset.mode = mode;
    editor.show(mode === "cutout" ? "marks" : "labels");
    if (mode !== "transfer") panel.setTool("brush");
    desk.tell("mode", mode);
  }

  const key = () => `photostyle ${desk.session.id}`;
  function keep() {
    try {
      const chosen = { ...look.kept(), mode: checked("mode"), auto: $("#auto").checked };
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
      $("#auto").checked = kept.auto;
    } catch {
      // what cannot be recalled is as at first
    }
  }

  for (const input of $$('input[name="mode"]')) {
    input.addEventListener("change", () => {
      show();
      const recipe = $("#recipe");
      const isDoodle = checked("mode") === "doodle";
      if (checked("mode") !== "cutout" && isDoodle !== (recipe.value === "doodle")) {
        recipe.value = isDoodle ? "doodle" : "photo";
        recipe.dispatchEvent(new Event("change"));
      }
      keep();
    });
  }
  $("#auto").addEventListener("change", () => desk.tell("changed"));
  for (const news of ["changed", "faded", "kept"]) desk.on(news, keep);

  return {
    open() {
      document.body.dataset.mode = "transfer";
      recall();
      if (checked("mode") !== "transfer") show();
    },
  };
}
