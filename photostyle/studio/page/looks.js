// The shelf of looks: saved, brought along, learned; given to photographs, and taken to other programs.

import { desk, tried } from "./desk.js";
import { $, el, icon, whenNew } from "./dom.js";
import { save } from "./saving.js";

const FORMS = {
  cube: "One table, .cube",
  "3dl": "One table, .3dl",
  hald: "One table, Hald image",
  pack: "Tables and masks, ZIP",
  look: "The look itself",
};
const SPACES = { srgb: "sRGB", "display-p3": "Display P3", rec709: "Rec. 709", linear: "linear light" };

export function makeLooks({ adjusting, jobs }) {
  const list = el("ul", { id: "shelf" });
  const none = el("p", {
    className: "about",
    textContent: "Looks that you save, bring along or learn stand here, for other photographs and other programs.",
  });
  const name = el("input", { type: "text", id: "look-name", maxLength: 80, placeholder: "Name of this look" });
  name.setAttribute("aria-label", "Name of this look");
  const keep = el("button", { type: "button", id: "keep-look", textContent: "Save this look" });

  const chooser = (id, accept, label) =>
    el("input", { type: "file", id, accept, className: "unseen", ariaLabel: label });
  const bring = chooser("bring-look", ".cube,.3dl,.safetensors,image/png,image/tiff", "Bring a look or a table along");
  const before = el("input", { type: "file", id: "learn-before", accept: "image/*,.tif,.tiff,.heic,.dng" });
  const after = el("input", { type: "file", id: "learn-after", accept: "image/*,.tif,.tiff,.heic,.dng" });
  const learn = el("button", { type: "button", id: "learn-look", textContent: "Learn the look" });

  $("#looks").hidden = false;
  $("#looks").append(
    el("h2", { textContent: "Looks" }),
    none,
    list,
    el("div", { className: "row" }, name, keep),
    el("div", { className: "row" }, el("label", { className: "button" }, "Bring a look or a table…", bring)),
    el(
      "details",
      {},
      el("summary", { textContent: "Learn from before and after" }),
      el("p", {
        className: "about",
        textContent: "The same photograph before and after it was edited, in any program: its look is learned.",
      }),
      el("div", { className: "fields" }, el("label", {}, "Before", before), el("label", {}, "After", after)),
      el("div", { className: "row" }, learn),
    ),
  );

  const button = (inside, label, call) =>
    el("button", { type: "button", title: label, "aria-label": label, onclick: tried(call) }, inside);

  function card(look) {
    const title = el("b", { textContent: look.name });
    if (look.error) return el("li", {}, title, el("p", { className: "about", textContent: look.error }), remove(look));
    const image = el("img", { src: desk.session.lookThumb(look), alt: "", width: 96, height: 64, loading: "lazy" });
    const count = look.regions.length;
    const about = count > 1 ? `${count} regions` : "one map for all";
    return el(
      "li",
      {},
      image,
      el("div", {}, title, el("p", { className: "about", textContent: about })),
      el("div", { className: "row" }, apply(look), rename(look), remove(look)),
      ...(desk.state.photographs.content.length > 1 ? [el("div", { className: "row" }, applyToAll(look))] : []),
      exporting(look),
    );
  }

  const apply = (look) =>
    button("Apply", `Apply ${look.name}`, async () => {
      if (!desk.state.pictures.content) throw new Error("Choose the photograph that is to have this look first.");
      await desk.session.applyLook(look.name);
      jobs.follow();
    });
  const applyToAll = (look) =>
    button("Apply to all photographs", `Apply ${look.name} to all photographs`, async () => {
      for (const { id } of desk.state.photographs.content) await desk.session.applyLook(look.name, id);
      jobs.follow();
    });
  const rename = (look) =>
    button(icon("pencil"), `Rename ${look.name}`, async () => {
      const wanted = prompt("What should the look be called?", look.name);
      if (wanted) desk.hear(await desk.session.renameLook(look.name, wanted));
    });
  const remove = (look) =>
    button(icon("trash-2"), `Delete ${look.name}`, async () => {
      if (confirm(`Delete the look ${look.name}? Its file goes too.`))
        desk.hear(await desk.session.removeLook(look.name));
    });

  /** As files for other programs, with how much of the look they hold. */
  function exporting(look) {
    const options = (words) =>
      Object.entries(words).map(([value, textContent]) => el("option", { value, textContent }));
    const form = el("select", {}, ...options(FORMS));
    const space = el("select", {}, ...options(SPACES));
    const figure = el("p", { className: "about", role: "status" });
    const spaceField = el("label", {}, "Colour space", space);
    form.addEventListener("change", () => {
      spaceField.hidden = form.value === "look";
    });
    const made = el("details", {}, el("summary", { textContent: "Export" }));
    made.append(
      el("div", { className: "fields" }, el("label", {}, "As", form), spaceField),
      figure,
      el(
        "div",
        { className: "row" },
        button("Save the file", `Save ${look.name} as a file`, () =>
          save(desk.session.lookFile(look.name, { format: form.value, space: space.value })),
        ),
      ),
    );
    made.addEventListener(
      "toggle",
      tried(async () => {
        if (!made.open || figure.textContent) return;
        figure.textContent = "Looking how much of it a table holds …";
        const { table, pack } = await desk.session.lookHolds(look.name);
        figure.textContent = `One table holds ${table}.${pack ? ` Tables and masks hold ${pack}.` : ""}`;
      }),
    );
    return made;
  }

  const draw = () => {
    keep.disabled = !desk.result?.maps;
  };
  const drawList = whenNew(
    () => [desk.state.looks, desk.state.photographs.content.length],
    () => {
      none.hidden = desk.state.looks.length > 0;
      list.replaceChildren(...desk.state.looks.map(card));
    },
  );

  keep.addEventListener(
    "click",
    tried(async () => {
      const given = name.value.trim() || `${desk.result.content.name.replace(/\.[^.]*$/, "")}, ${desk.result.recipe}`;
      const wish = adjusting.wish();
      const body = { ...wish, other: wish.other || null, parts: Array.from(wish.parts, (part) => part ?? 1) };
      desk.hear(await desk.session.keepLook({ ...body, result: desk.result.id, name: given }));
      name.value = "";
    }),
  );
  bring.addEventListener(
    "change",
    tried(async () => {
      const [file] = bring.files;
      bring.value = "";
      if (file) desk.hear(await desk.session.bringLook(file));
    }),
  );
  learn.addEventListener(
    "click",
    tried(async () => {
      if (!before.files[0] || !after.files[0]) throw new Error("Choose the photograph before and after first.");
      const told = await desk.session.learnLook(before.files[0], after.files[0]);
      desk.hear(told);
      desk.tell("notes", told.said);
      before.value = after.value = "";
    }),
  );
  desk.on("told", drawList);
  desk.on("shown", () => {
    draw();
    drawList();
  });
}
