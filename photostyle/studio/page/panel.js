// Tools, the list of regions, and masks as files.

import { $, $$, el } from "./dom.js";
import { SHOWN } from "./labels.js";

export function makePanel(editor) {
  const list = $("#list");

  const setTool = (tool) => {
    editor.tool = tool;
    $(`input[name="tool"][value="${tool}"]`).checked = true;
    for (const canvas of $$(".frame canvas")) canvas.classList.toggle("painting", tool !== "look");
    editor.drawAll();
  };
  for (const input of $$('input[name="tool"]')) input.addEventListener("change", () => setTool(input.value));
  const bind = (id, set) =>
    $(id).addEventListener("input", (event) => {
      set(event.target);
      editor.drawAll();
    });
  bind("#size", (input) => {
    editor.size = +input.value;
  });
  bind("#likeness", (input) => {
    editor.likeness = +input.value;
  });
  bind("#veil", (input) => {
    editor.veil = input.value / 100;
  });
  bind("#snap", (input) => {
    editor.snaps = input.checked;
  });
  $("#undo").addEventListener("click", () => editor.undo());
  $("#redo").addEventListener("click", () => editor.redo());
  $("#add").addEventListener("click", () => {
    if (editor.add() && editor.tool === "look") setTool("brush");
  });
  $("#remove").addEventListener("click", () => editor.merge(editor.active, null));
  $("#merge").addEventListener("change", (event) => {
    if (event.target.value !== "") editor.merge(editor.active, +event.target.value);
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest(
      'input:not([type="range"], [type="radio"], [type="checkbox"]), select, textarea',
    );
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && !typing && (key === "z" || key === "y")) {
      event.preventDefault();
      if (key === "y" || event.shiftKey) editor.redo();
      else editor.undo();
    } else if (!event.ctrlKey && !event.metaKey && !event.altKey && !typing) {
      const tool = { v: "look", b: "brush", e: "eraser", f: "fill" }[key];
      if (tool) setTool(tool);
      if (key === "[" || key === "]") {
        $("#size").value = editor.size = Math.max(2, Math.min(120, editor.size + (key === "]" ? 4 : -4)));
        editor.drawAll();
      }
    }
  });

  const chip = (row, index) =>
    el("button", {
      type: "button",
      className: "chip",
      textContent: index + 1,
      "aria-pressed": String(index === editor.active),
      "aria-label": `Paint with ${index + 1}, ${row.name}`,
      "data-index": index,
      onclick: () => editor.choose(index),
    });

  function draw() {
    const focus = document.activeElement?.closest?.("#list")
      ? [document.activeElement.dataset.index, document.activeElement.dataset.part]
      : null;
    const marks = editor.sheet === "marks";
    list.replaceChildren(
      ...editor.rows.map((row, index) => {
        const button = chip(row, index);
        button.style.background = SHOWN[row.color];
        const item = el("li", { className: index === editor.active ? "active" : "" }, button);
        if (marks) {
          item.append(el("span", { textContent: row.name }));
          return item;
        }
        const name = el("input", {
          type: "text",
          value: row.name,
          maxLength: 60,
          "aria-label": `Name of region ${index + 1}`,
          "data-index": index,
          "data-part": "name",
          onchange: (e) => editor.edit(index, { name: e.target.value || row.name }),
        });
        const models = editor.list.map((other, k) =>
          el("option", {
            value: other.color,
            textContent: k === index ? "its own colour in the style" : `${k + 1}, ${other.name}`,
            selected: row.model === other.color,
          }),
        );
        const select = el(
          "select",
          { "data-index": index, "data-part": "model", onchange: (e) => editor.edit(index, { model: e.target.value }) },
          ...models,
          el("option", { value: "", textContent: "nothing: not paired", selected: row.model === "" }),
        );
        item.append(name, el("label", {}, "Looks like", select));
        return item;
      }),
    );
    if (focus)
      (
        list.querySelector(`[data-index="${focus[0]}"]${focus[1] ? `[data-part="${focus[1]}"]` : ""}`) ??
        list.querySelector("button")
      )?.focus();
    $("#chosen").hidden = marks || !editor.list.length;
    $("#merge").replaceChildren(
      el("option", { value: "", textContent: "…" }),
      ...editor.list.flatMap((other, k) =>
        k === editor.active ? [] : [el("option", { value: k, textContent: `${k + 1}, ${other.name}` })],
      ),
    );
    $("#merge").disabled = editor.list.length < 2;
    $("#undo").disabled = !editor.has(editor.past);
    $("#redo").disabled = !editor.has(editor.future);
    $("#add").disabled = editor.list.length >= editor.names.length;
  }
  editor.addEventListener("choose", draw);
  editor.addEventListener("change", draw);
  draw();
  return { setTool };
}
