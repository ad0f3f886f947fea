// The tools and the list of regions.

import { $, $$, checked, choose, el } from "./dom.js";
import { SHOWN } from "./labels.js";

const sides = { content: "photograph", style: "reference" };
const capital = (words) => words[0].toUpperCase() + words.slice(1);

/** What a region is called where it has no name: "upper, blue", of what it lies over. */
export function nameOf(region, index) {
  const seen = region.seen?.content?.share ? region.seen.content : region.seen?.style;
  return region.name || (seen?.share && capital(seen.what)) || `Region ${index + 1}`;
}

export function makeTools(editor, brush, { learned }) {
  const list = $("#list");

  function setTool(tool) {
    editor.tool = tool;
    choose("tool", tool);
    $("#likeness-field").hidden = tool !== "fill";
    $("#click-field").hidden = tool !== "click";
    brush.setTool(tool);
  }
  for (const input of $$('input[name="tool"]')) input.addEventListener("change", () => setTool(input.value));

  const bind = (name, set, say = (value) => value) => {
    const input = $(`#${name}`);
    const take = () => {
      set(+input.value);
      $(`#${name}-value`).textContent = say(input.value);
      editor.drawAll();
    };
    input.addEventListener("input", take);
    return take;
  };
  const takeSize = bind("size", (value) => {
    editor.size = value;
    if (editor.tool !== "look") brush.showSize();
  });
  bind("likeness", (value) => {
    editor.likeness = value;
  });
  bind(
    "veil",
    (value) => {
      editor.veil = value / 100;
    },
    (value) => `${value} %`,
  );
  $("#snap").addEventListener("input", (event) => {
    editor.snaps = event.target.checked;
  });
  $("#takes-away").addEventListener("input", (event) => {
    editor.takesAway = event.target.checked;
  });
  $("#click-unlearned").hidden = learned;
  $("#undo").addEventListener("click", () => editor.undo());
  $("#redo").addEventListener("click", () => editor.redo());
  $("#add").addEventListener("click", () => {
    if (editor.add() && editor.tool === "look") setTool("brush");
  });
  $("#remove").addEventListener("click", () => editor.merge(editor.active, null));
  $("#merge").addEventListener("change", (event) => {
    if (event.target.value !== "") editor.merge(editor.active, +event.target.value);
  });

  // ---- the list

  const percent = (share) => (share ? `${Math.max(1, Math.round(100 * share))} %` : "nothing");
  const shares = ({ seen = {} }) =>
    Object.entries(sides)
      .filter(([side]) => seen[side])
      .map(([side, word]) => `${percent(seen[side].share)} of the ${word}`)
      .join(", ");

  function row(region, index) {
    const isActive = index === editor.active;
    const label = editor.sheet === "marks" ? region.name : nameOf(region, index);
    const button = el("button", {
      type: "button",
      className: "chip",
      textContent: index + 1,
      "aria-pressed": String(isActive),
      "aria-label": `Paint with ${index + 1}, ${label}`,
      "data-index": index,
      onclick: () => editor.choose(index),
    });
    button.style.background = SHOWN[region.color];
    const item = el("li", { className: isActive ? "active" : "" }, button);
    if (editor.sheet === "marks") {
      item.append(el("span", { textContent: region.name }));
      return item;
    }
    item.addEventListener("pointerenter", () => editor.hover(index));
    item.addEventListener("pointerleave", () => editor.hover(null));
    const name = el("input", {
      type: "text",
      value: region.name,
      placeholder: label,
      maxLength: 60,
      "aria-label": `Name of region ${index + 1}`,
      "data-index": index,
      "data-part": "name",
      onchange: (event) => editor.edit(index, { name: event.target.value.trim() }),
    });
    item.append(name, el("small", { textContent: shares(region) }));
    if (isActive) {
      const options = editor.list.map((other, k) =>
        el("option", {
          value: other.color,
          textContent: k === index ? `its own, ${k + 1}` : `${k + 1}, ${nameOf(other, k)}`,
          selected: region.model === other.color,
        }),
      );
      const none = el("option", { value: "", textContent: "nothing", selected: region.model === "" });
      const select = el(
        "select",
        {
          "data-index": index,
          "data-part": "model",
          onchange: (event) => editor.edit(index, { model: event.target.value }),
        },
        ...options,
        none,
      );
      item.append(el("label", {}, "Takes the look of", select));
    }
    return item;
  }

  function draw() {
    const focus = document.activeElement?.closest?.("#list") ? document.activeElement.dataset : null;
    const isMarks = editor.sheet === "marks";
    list.replaceChildren(...editor.rows.map(row));
    if (focus) {
      const part = focus.part ? `[data-part="${focus.part}"]` : "";
      (list.querySelector(`[data-index="${focus.index}"]${part}`) ?? list.querySelector("button"))?.focus();
    }
    $("#chosen").hidden = isMarks || !editor.list.length;
    const others = editor.list.flatMap((other, k) =>
      k === editor.active ? [] : [el("option", { value: k, textContent: `${k + 1}, ${nameOf(other, k)}` })],
    );
    $("#merge").replaceChildren(el("option", { value: "", textContent: "…" }), ...others);
    $("#merge").disabled = editor.list.length < 2;
    $("#undo").disabled = !editor.canUndo;
    $("#redo").disabled = !editor.canRedo;
    $("#add").disabled = editor.list.length >= editor.names.length;
  }
  editor.addEventListener("choose", draw);
  editor.addEventListener("change", draw);
  editor.addEventListener("hover", () => {
    for (const [k, item] of [...list.children].entries()) item.classList.toggle("hovered", k === editor.hovered);
  });
  draw();
  setTool("look");
  return {
    setTool,
    resize(step) {
      $("#size").value = +$("#size").value + step;
      takeSize();
    },
    get tool() {
      return checked("tool");
    },
  };
}
