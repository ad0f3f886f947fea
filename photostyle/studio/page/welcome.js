// What an empty stage says: what will happen here, and where to begin.

import { desk, tried } from "./desk.js";
import { $, checked, el, icon } from "./dom.js";

const WORDS = {
  transfer: {
    title: "One photograph takes the light of another",
    first: "Drop two photographs anywhere, or choose them.",
    next: "Now the reference: the photograph whose look is wanted.",
  },
  doodle: {
    title: "Paint where things are to be; a picture fills it in",
    first: "Choose the picture it is made of, take an empty canvas, and paint the same regions on both.",
    next: "Paint the same regions on both, then render.",
  },
  cutout: {
    title: "A few strokes cut anything out, hair and all",
    first: "Choose a photograph; then mark some of what is kept, and some of what is not.",
    next: "Mark some of what is kept in green, and some of what is not in red.",
  },
};

export function makeWelcome(photographs, { examples }) {
  const stage = $("#welcome");

  const shown = (url, text) => el("figure", {}, el("img", { src: url, alt: "" }), el("figcaption", {}, text));
  const example = ({ name, title }) =>
    el(
      "button",
      { type: "button", onclick: tried(() => photographs.example(name)) },
      ...["content", "style"].map((side) => el("img", { src: `/api/examples/${name}/${side}.jpg`, alt: "" })),
      el("span", { textContent: title }),
    );

  function choose() {
    const input = el("input", { type: "file", multiple: true, accept: $("#add-style").accept });
    input.addEventListener("change", () => tried(photographs.take)(input.files));
    input.click();
  }

  function draw() {
    const mode = checked("mode");
    const words = WORDS[mode];
    const { content, style } = desk.state.pictures;
    const isEmpty = !content && !style;
    if (desk.result || (mode === "transfer" && desk.isReady)) {
      stage.replaceChildren();
      return;
    }
    const [sample] = examples;
    const parts = [el("h2", { textContent: words.title })];
    if (mode === "transfer" && sample && isEmpty)
      parts.push(
        el(
          "div",
          { className: "recipe" },
          shown(`/api/examples/${sample.name}/content.jpg`, "your photograph"),
          "+",
          shown(`/api/examples/${sample.name}/style.jpg`, "the reference"),
          "=",
          shown("recipes/photo.jpg", "the result"),
        ),
      );
    parts.push(el("p", { textContent: isEmpty ? words.first : words.next }));
    if (mode !== "transfer" ? isEmpty : !desk.isReady)
      parts.push(
        el(
          "button",
          { type: "button", className: "main", id: "choose", onclick: choose },
          icon("image-plus"),
          "Choose photographs…",
        ),
      );
    if (isEmpty)
      parts.push(
        el(
          "div",
          { id: "examples" },
          el("p", { className: "about", textContent: "Or begin with an example" }),
          el("div", { className: "row" }, ...examples.map(example)),
        ),
      );
    stage.replaceChildren(...parts);
  }
  for (const news of ["pictures", "shown", "mode"]) desk.on(news, draw);
  return { draw };
}
