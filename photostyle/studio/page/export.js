// Saving what is on the stage as a file.

import { desk, trouble } from "./desk.js";
import { $ } from "./dom.js";

export function makeExport({ look }) {
  const save = $("#save");
  const format = $("#format");

  function aim() {
    const made = desk.result;
    if (!made) {
      save.removeAttribute("href");
      save.setAttribute("aria-disabled", "true");
      return;
    }
    const strength = made.cutout ? 1 : look.strength();
    save.href = desk.session.url(`results/${made.id}/download?format=${format.value}&strength=${strength}`);
    save.removeAttribute("aria-disabled");
  }
  desk.on("shown", aim);
  desk.on("faded", aim);
  desk.on("mode", (mode) => {
    if (mode === "cutout") format.value = "PNG";
    aim();
  });
  format.addEventListener("change", aim);
  save.addEventListener("click", (event) => {
    if (!desk.result?.cutout || format.value !== "JPEG") return;
    event.preventDefault();
    trouble(new Error("JPEG has no transparency: download the cut-out as PNG, TIFF or WebP."));
  });
}
