// What is asked for: drafts after every change, the full size when it is wanted.

import { desk, tried } from "./desk.js";
import { $, after, checked } from "./dom.js";

export function makeOrders({ editor, jobs, regions, look }) {
  const isCutout = () => checked("mode") === "cutout";
  const wantsDraft = () => isCutout() || ($("#auto").checked && look.isQuick());

  async function draft() {
    if (isCutout()) {
      if (!editor.isMarked()) return;
      await desk.session.cutOut(await editor.trimap(), false);
    } else {
      if (!desk.isReady) return;
      await regions.saved();
      await desk.session.preview(look.wish());
    }
    jobs.follow();
  }
  const draftSoon = after(250, tried(draft));
  desk.on("changed", () => {
    if (wantsDraft()) draftSoon();
  });

  $("#preview").addEventListener(
    "click",
    tried(async () => {
      if (!desk.isReady) throw new Error("Choose two photographs first.");
      await draft();
    }),
  );

  $("#render").addEventListener(
    "click",
    tried(async () => {
      if (isCutout()) {
        if (!editor.isMarked()) throw new Error("Mark some of what is to be kept, and some of what is not.");
        await desk.session.cutOut(await editor.trimap(), true);
      } else {
        await regions.saved();
        await desk.session.render(look.wish());
      }
      jobs.follow();
    }),
  );
}
