// Saving what is on the stage as a file: its format, size, colours and name.

import { desk, tried } from "./desk.js";
import { $, el, icon } from "./dom.js";
import { decide } from "./say.js";
import { save } from "./saving.js";

const TITLES = { JPEG: "JPEG", PNG: "PNG", TIFF: "TIFF", WEBP: "WebP", AVIF: "AVIF", HEIF: "HEIC" };
const LOSSY = new Set(["JPEG", "WEBP", "AVIF", "HEIF"]);
const KEY = "photostyle export"; // choices are the same for all sessions

/** `formats` are those that the server writes. */
export function makeExport({ adjusting, formats, render }) {
  const option = (value, textContent) => el("option", { value, textContent });
  const field = (title, input, about = "") =>
    el("label", {}, title, input, ...(about ? [el("small", { textContent: about })] : []));
  const format = el("select", { id: "format" }, ...Object.keys(formats).map((name) => option(name, TITLES[name])));
  const quality = el("input", { type: "range", id: "export-quality", min: 1, max: 100, value: 95 });
  const qualityOut = el("output", { textContent: "95" });
  const bits = el(
    "select",
    { id: "export-bits" },
    option("", "as the photograph"),
    option("8", "8 bits"),
    option("16", "16 bits"),
  );
  const side = el("input", {
    type: "number",
    id: "export-side",
    min: 16,
    max: 65536,
    step: 1,
    placeholder: "all pixels",
  });
  const profile = el(
    "select",
    { id: "export-profile" },
    option("keep", "the photograph's own"),
    option("srgb", "sRGB, for the web"),
  );
  const metadata = el("input", { type: "checkbox", id: "export-metadata", checked: true });
  const name = el("input", { type: "text", id: "export-name", value: "{name}-{look}", maxLength: 200 });
  const button = el("button", { type: "button", id: "save", disabled: true, textContent: "Save" });
  const qualityField = el("label", {}, "Quality", qualityOut, quality);
  const bitsField = field("Depth", bits);
  const fields = { format, quality, bits, side, profile, metadata, name };

  $("#export").hidden = false;
  $("#export").append(
    el("h2", { textContent: "Export" }),
    el(
      "div",
      { className: "fields" },
      field("Format", format),
      qualityField,
      bitsField,
      field("Long side, pixels", side),
    ),
    el(
      "details",
      {},
      el("summary", { textContent: "Colours, metadata, name" }),
      el(
        "div",
        { className: "fields" },
        field("Colour space", profile),
        el("label", { className: "check" }, metadata, "Keep the metadata, and note how it was made"),
        field("File name", name, "{name}, {look} and {strength} stand for what they say."),
      ),
    ),
  );
  $("#download").append(button);

  function draw() {
    const made = desk.result;
    button.disabled = !made;
    qualityField.hidden = !LOSSY.has(format.value);
    bitsField.hidden = LOSSY.has(format.value);
    qualityOut.textContent = quality.value;
    button.replaceChildren(
      icon("download"),
      `Save ${made?.isPreview && !made.maps ? "the draft as " : ""}${TITLES[format.value]}`,
    );
  }

  function keep() {
    draw();
    const chosen = Object.fromEntries(
      Object.entries(fields).map(([key, input]) => [key, input.type === "checkbox" ? input.checked : input.value]),
    );
    try {
      localStorage.setItem(KEY, JSON.stringify(chosen));
    } catch {
      // private windows keep nothing
    }
  }

  function recall() {
    try {
      for (const [key, value] of Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}"))) {
        if (fields[key]?.type === "checkbox") fields[key].checked = value;
        else if (fields[key]) fields[key].value = value;
      }
    } catch {
      // what cannot be recalled is as at first
    }
    if (format.selectedIndex < 0) format.selectedIndex = 0; // one that was written by another server
  }

  function wish() {
    return {
      ...(desk.result.cutout ? {} : adjusting.wish()),
      format: format.value,
      quality: quality.value,
      bits: LOSSY.has(format.value) ? "" : bits.value,
      long_side: side.value,
      profile: profile.value,
      metadata: metadata.checked,
      name: name.value,
    };
  }

  for (const input of Object.values(fields)) input.addEventListener("input", keep);
  desk.on("shown", draw);
  desk.on("mode", (mode) => {
    if (mode === "cutout" && format.value === "JPEG") format.value = "PNG"; // which has transparency
    draw();
  });
  button.addEventListener(
    "click",
    tried(async () => {
      if (!side.reportValidity()) return;
      if (desk.result.cutout && format.value === "JPEG")
        throw new Error("JPEG has no transparency: save the cut-out as PNG, TIFF or WebP.");
      if (!(await isMeant(desk.result))) return;
      button.disabled = true;
      button.textContent = "Saving …";
      try {
        await save(desk.session.saved(desk.result.id, wish()));
      } finally {
        draw();
      }
    }),
  );
  /** A draft of few pixels is seldom what is wanted. */
  async function isMeant(made) {
    if (!made.isPreview || made.maps) return true;
    const { width, height } = made.content;
    const answer = await decide(
      `This is a draft of ${made.width}×${made.height}; the full size is ${width}×${height}.`,
      [
        ["Render full size first", "render"],
        ["Save the draft", "draft"],
      ],
    );
    if (answer === "render") render();
    return answer === "draft";
  }

  recall();
  draw();
  return { wish: () => (desk.result ? wish() : null) };
}
