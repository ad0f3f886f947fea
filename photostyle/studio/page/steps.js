// What is still to be done before something can be made: the steps in a line each, and a hint at what is missing.

import { desk } from "./desk.js";
import { $, checked, el } from "./dom.js";
import { nameOf } from "./tools.js";

export function makeSteps(editor) {
  const stages = {
    transfer: () => [
      ["What has the same number belongs together: sky takes the look of sky.", false],
      ["Paint to correct it, or merge what does not match.", false],
    ],
    doodle: () => {
      const { content, style } = desk.state.pictures;
      return [
        ["Choose the picture it is made of.", Boolean(style)],
        ["Take an empty canvas, or a photograph to paint over.", Boolean(content)],
        ["Paint where things are to be, and the same numbers over the picture.", isPainted()],
        ["Render: every patch comes from where its number is.", Boolean(desk.result?.recipe === "doodle")],
      ];
    },
    cutout: () => {
      const { keep, remove } = editor.marked;
      return [
        ["Choose the photograph to cut out of.", Boolean(desk.state.pictures.content)],
        ["Draw a few strokes over what is kept (1, green).", keep],
        ["Draw a few strokes over what is not (2, red).", remove],
        ["Hair and edges between them are found; save the cut-out.", Boolean(desk.result?.cutout)],
      ];
    },
  };

  const isPainted = () => editor.list.length > 0 && editor.list.every((_, k) => editor.sidesOf(k).length === 2);

  function missing() {
    if (checked("mode") === "cutout") {
      const { keep, remove } = editor.marked;
      if (keep && !remove) return "Now a stroke over what is not kept: choose 2, red.";
      return remove && !keep ? "Now a stroke over what is kept: choose 1, green." : "";
    }
    if (!desk.isReady || !editor.list.length) return "";
    for (const [k, region] of editor.list.entries()) {
      if (!region.model) continue;
      const sides = editor.sidesOf(k);
      const title = `${k + 1}, ${nameOf(region, k)},`;
      if (!sides.length) return `Paint ${title} on both photographs.`;
      if (!sides.includes("content")) return `Paint ${title} on the left, too.`;
      if (region.model === region.color && !sides.includes("style")) return `Paint ${title} on the right, too.`;
    }
    return "";
  }

  function draw() {
    if (!desk.state) return;
    const rows = stages[checked("mode")]();
    $("#steps").replaceChildren(
      ...rows.map(([text, done]) => el("li", { className: done ? "done" : "" }, el("span", { textContent: text }))),
    );
    const hint = missing();
    $("#missing").textContent = hint;
    $("#missing").hidden = !hint;
  }
  for (const news of ["pictures", "mode", "shown"]) desk.on(news, draw);
  for (const news of ["choose", "change"]) editor.addEventListener(news, draw);
  return { draw };
}
