// The shortcuts: one table, by which keys are answered and the panel at "?" is written.

import { $, choose, el } from "./dom.js";

const TYPING = 'input:not([type="range"], [type="radio"], [type="checkbox"]), select, textarea';

export function makeKeys({ editor, tools, brush, stage }) {
  const dialog = $("#keys");
  const press = (selector) => () => {
    const button = $(selector);
    if (!button.disabled && button.checkVisibility()) button.click();
  };
  const zoom = () => brush.zoomInFocus() ?? stage.zoom;
  const setView = () => {
    choose("view", document.body.dataset.view === "result" ? "regions" : "result");
    $('input[name="view"]:checked').dispatchEvent(new Event("change"));
  };
  const setWay = (way) => () => {
    choose("way", document.body.dataset.way === way ? "after" : way);
    $('input[name="way"]:checked').dispatchEvent(new Event("change"));
  };

  // [group, [keys as they are shown, what they do, event.key in small letters, what is done]]
  const groups = [
    [
      "The result",
      [
        ["\\", "before and after", "\\", stage.toggleBefore],
        ["S", "split before and after", "s", setWay("split")],
        ["D", "side by side", "d", setWay("side")],
        ["+ and −", "zoom", "+", () => zoom().in()],
        ["", "", "=", () => zoom().in()],
        ["", "", "-", () => zoom().out()],
        ["Z", "fitted, or pixel for pixel", "z", () => zoom().toggle()],
        ["0", "fitted", "0", () => zoom().fit()],
        ["Space and drag", "move; so does the middle button"],
        ["Ctrl+Enter", "render full size", "ctrl+enter", press("#render")],
        ["Ctrl+S", "save", "ctrl+s", press("#save")],
      ],
    ],
    [
      "Painting",
      [
        ["R", "regions, or the result", "r", setView],
        ["V", "look: nothing is painted", "v", () => tools.setTool("look")],
        ["B", "brush", "b", () => tools.setTool("brush")],
        ["E", "eraser", "e", () => tools.setTool("eraser")],
        ["C", "click on things", "c", () => tools.setTool("click")],
        ["Alt and click", "what is not meant; so does the right button"],
        ["F", "fill what is similar", "f", () => tools.setTool("fill")],
        ["[ and ]", "smaller and larger brush", "[", () => tools.resize(-4)],
        ["", "", "]", () => tools.resize(4)],
        ["1 to 8", "choose a region, on a photograph"],
        ["Arrows, Space", "move the tool and paint, on a photograph; with Shift click away"],
        ["Ctrl+Z", "undo", "ctrl+z", () => editor.undo()],
        ["Ctrl+Shift+Z", "redo", "ctrl+shift+z", () => editor.redo()],
        ["", "", "ctrl+y", () => editor.redo()],
      ],
    ],
    ["This page", [["?", "these shortcuts", "?", () => dialog.showModal()]]],
  ];
  const answers = new Map(groups.flatMap(([, rows]) => rows.map(([, , key, run]) => [key, run])));
  answers.delete(undefined);

  $("#key-list").replaceChildren(
    ...groups.map(([title, rows]) =>
      el(
        "section",
        {},
        el("h3", { textContent: title }),
        el(
          "dl",
          {},
          ...rows
            .filter(([shown]) => shown)
            .flatMap(([shown, does]) => [
              el("dt", {}, el("kbd", { textContent: shown })),
              el("dd", { textContent: does }),
            ]),
        ),
      ),
    ),
  );
  $("#open-keys").addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.target.closest?.(TYPING) || event.altKey) return;
    const held = event.ctrlKey || event.metaKey ? "ctrl+" : "";
    const shift = held && event.shiftKey ? "shift+" : "";
    const run = answers.get(held + shift + event.key.toLowerCase());
    if (!run) return;
    event.preventDefault();
    run();
  });
}
