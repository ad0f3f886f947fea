// Saving what is on the stage as a file.

import { desk, trouble } from "./desk.js";
import { $ } from "./dom.js";
import { decide } from "./say.js";

export function makeExport({ look, render }) {
  const save = $("#save");
  const format = $("#format");

  function aim() {
    const made = desk.result;
    $("#save-text").textContent = made?.isPreview ? "Download the draft" : "Download";
    if (!made) {
      save.removeAttribute("href");
      save.setAttribute("aria-disabled", "true");
      return;
    }
    const strength = made.cutout ? 1 : look.strength();
    save.href = desk.session.url(`results/${made.id}/download?format=${format.value}&strength=${strength}`);
    save.removeAttribute("aria-disabled");
  }
  for (const news of ["shown", "faded"]) desk.on(news, aim);
  desk.on("mode", (mode) => {
    if (mode === "cutout") format.value = "PNG";
    aim();
  });
  format.addEventListener("change", aim);

  let isSure = false; // a draft is what is wanted
  save.addEventListener("click", async (event) => {
    const made = desk.result;
    if (made?.cutout && format.value === "JPEG") {
      event.preventDefault();
      trouble(new Error("JPEG has no transparency: download the cut-out as PNG, TIFF or WebP."));
      return;
    }
    if (!made?.isPreview || isSure) return;
    event.preventDefault();
    const { width, height } = made.content;
    const answer = await decide(
      `This is a draft of ${made.width}×${made.height}. The full size is ${width}×${height}.`,
      [
        ["Render full size first", "render"],
        ["Download the draft", "draft"],
      ],
    );
    if (answer === "render") render();
    if (answer !== "draft") return;
    isSure = true;
    save.click();
    isSure = false;
  });
}
