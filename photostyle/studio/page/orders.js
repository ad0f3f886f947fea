// What is asked for: drafts after every change, the full size when it is wanted.

import { desk, tried } from "./desk.js";
import { $, after, checked } from "./dom.js";

export function makeOrders({ editor, jobs, regions, look }) {
  const isCutout = () => checked("mode") === "cutout";
  const isDoodle = () => checked("mode") === "doodle";
  const wantsDraft = () => isCutout() || ($("#auto").checked && look.isQuick());

  async function draft() {
    if (isCutout()) {
      if (!editor.isMarked()) return;
      await desk.session.cutOut(await editor.trimap(), false);
    } else {
      if (!desk.isReady) return;
      await regions.settled();
      await desk.session.preview(look.wish());
    }
    jobs.follow();
  }
  const draftSoon = after(250, tried(draft));
  desk.on("changed", () => {
    if (wantsDraft()) draftSoon();
  });

  function check() {
    if (isCutout() && !editor.isMarked()) throw new Error("Mark some of what is kept, and some of what is not.");
    if (!isCutout() && !desk.isReady)
      throw new Error(
        isDoodle() ? "Choose a picture, and take an empty canvas." : "Choose a photograph and a reference first.",
      );
  }

  $("#preview").addEventListener(
    "click",
    tried(async () => {
      check();
      await draft();
    }),
  );

  async function render(content) {
    const wish = { ...look.wish(), find: checked("mode") === "transfer" };
    return desk.session.render(content ? { ...wish, content } : wish);
  }

  async function renderOne() {
    check();
    await editor.settled();
    if (isCutout()) await desk.session.cutOut(await editor.trimap(), true);
    else {
      await regions.settled();
      await render();
    }
    jobs.follow();
  }
  $("#render").addEventListener("click", tried(renderOne));

  $("#render-all").addEventListener(
    "click",
    tried(async () => {
      check();
      await regions.settled();
      for (const { id } of desk.state.photographs.content) await render(id);
      jobs.follow();
    }),
  );
  return { render: tried(renderOne) };
}
