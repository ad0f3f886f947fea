// The pointer and the keyboard on the photographs that are painted on.

import { $ } from "./dom.js";
import { NONE } from "./labels.js";
import { placeOf, radiusOf } from "./overlay.js";
import { Zoom } from "./zoom.js";

/** `onDoubt(index)` is called when the mark of a doubtful region is clicked. */
export function makeBrush(editor, { onDoubt }) {
  const zooms = Object.values(editor.sides).map((side) => listen(side));

  function listen(s) {
    const { canvas } = s;
    const frame = canvas.parentElement;
    let stroke = null;
    const isLooking = () => editor.tool === "look";
    const zoom = new Zoom(frame, {
      size: () => (s.photo ? { width: s.width, height: s.height } : null),
      room: () => ({ width: frame.clientWidth, height: frame.clientHeight }),
      whole: () => (Number(s.photo.dataset.width) || s.width) / s.width / devicePixelRatio,
      place(x, y, scale) {
        if (!zoom.isZoomed) canvas.style.transform = "";
        else {
          // the canvas itself is fitted into its frame: the transform goes from there to where it is to be
          const fit = zoom.fitted;
          const [fx, fy] = [(frame.clientWidth - fit * s.width) / 2, (frame.clientHeight - fit * s.height) / 2];
          const k = scale / fit;
          canvas.style.transform = `translate(${x - k * fx}px, ${y - k * fy}px) scale(${k})`;
        }
      },
      drags: () => isLooking() && frame.classList.contains("zoomed"),
      doubles: isLooking,
      onPinch() {
        if (stroke) editor.drop(stroke);
        stroke = null;
      },
    });

    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      const scale = Math.min(box.width / s.width, box.height / s.height); // the picture is fitted into its frame
      const [left, top] = [box.left + (box.width - scale * s.width) / 2, box.top + (box.height - scale * s.height) / 2];
      return { x: (event.clientX - left) / scale, y: (event.clientY - top) / scale };
    };
    const regionAt = ({ x, y }) => {
      if (editor.sheet !== "labels" || x < 0 || y < 0 || x >= s.width || y >= s.height) return null;
      const label = s.labels[Math.floor(y) * s.width + Math.floor(x)];
      if (label === NONE) return null;
      const key = s.side === "content" ? "color" : "model";
      const index = editor.list.findIndex((region) => region[key] === editor.names[label]);
      return index < 0 ? null : index;
    };
    const doubtAt = (at) => {
      for (const [label, deepest] of s.numbers) {
        const { x, y } = placeOf(s, deepest);
        const radius = radiusOf(s);
        if (editor.doubtful.has(editor.names[label]) && Math.hypot(at.x - x, at.y - y) < 2.2 * radius)
          return editor.list.findIndex((region) => region.color === editor.names[label]);
      }
      return null;
    };

    canvas.addEventListener("pointerdown", (event) => {
      const isAway = editor.tool === "click" && (event.altKey || event.ctrlKey || event.button === 2);
      if (!s.photo || (event.button && !isAway)) return;
      if (isLooking()) {
        const doubted = doubtAt(point(event));
        if (doubted !== null) onDoubt(doubted);
        else if (regionAt(point(event)) !== null) editor.choose(regionAt(point(event)));
        return;
      }
      event.preventDefault();
      canvas.focus();
      canvas.setPointerCapture(event.pointerId);
      s.at = point(event);
      stroke = editor.begin(s.side, s.at, isAway);
    });
    canvas.addEventListener("contextmenu", (event) => {
      if (editor.tool === "click") event.preventDefault(); // that button takes away
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!s.photo) return;
      if (isLooking()) {
        editor.hover(regionAt(point(event)));
        return;
      }
      s.pointed = true;
      for (const e of event.getCoalescedEvents?.() ?? [event]) {
        s.at = point(e);
        if (stroke) editor.extend(stroke, s.at);
      }
      editor.draw(s.side);
    });
    const end = () => {
      if (stroke) editor.end(stroke);
      stroke = null;
    };
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, end);
    for (const name of ["pointerleave", "blur"])
      canvas.addEventListener(name, () => {
        s.pointed = false;
        editor.hover(null);
        editor.draw(s.side);
      });

    canvas.addEventListener("keydown", (event) => {
      if (!s.photo || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = event.shiftKey ? 1 : Math.max(4, editor.size / 2);
      const move = {
        ArrowLeft: [-step, 0],
        ArrowRight: [step, 0],
        ArrowUp: [0, -step],
        ArrowDown: [0, step],
      }[event.key];
      const inside = (at, most) => Math.min(Math.max(at, 0), most - 1);
      if (move && isLooking() && zoom.isZoomed) zoom.move(-2 * move[0], -2 * move[1]);
      else if (move && !isLooking()) {
        s.at = { x: inside(s.at.x + move[0], s.width), y: inside(s.at.y + move[1], s.height) };
        s.pointed = true;
        editor.draw(s.side);
      } else if (event.key === " " && !isLooking()) {
        const dab = editor.begin(s.side, s.at, event.shiftKey);
        if (dab) editor.end(dab);
      } else if (event.key >= "1" && event.key <= "8") editor.choose(+event.key - 1);
      else return;
      event.preventDefault();
    });
    return { canvas, zoom, side: s };
  }

  let timer;
  return {
    /** The brush at its size in the middle of both photographs, for a moment. */
    showSize() {
      clearTimeout(timer);
      for (const { side } of zooms) {
        if (!side.photo) continue;
        side.at = { x: side.width / 2, y: side.height / 2 };
        side.pointed = true;
      }
      editor.drawAll();
      timer = setTimeout(() => {
        for (const { side } of zooms) side.pointed = false;
        editor.drawAll();
      }, 900);
    },
    /** The zoom of the photograph that has the focus, if one has. */
    zoomInFocus: () => zooms.find(({ canvas }) => canvas === document.activeElement)?.zoom ?? null,
    refresh: () => {
      for (const { zoom } of zooms) zoom.refresh();
    },
    setTool(tool) {
      for (const { canvas } of zooms) canvas.classList.toggle("painting", tool !== "look");
      $("#stage").dataset.tool = tool;
      editor.hover(null);
      editor.drawAll();
    },
  };
}
