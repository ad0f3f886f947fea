// The look that is wanted: the recipe and its settings, controls made from what the server says about each.

import { desk, tried } from "./desk.js";
import { $, $$, checked, choose, el } from "./dom.js";
import { inOrder, lineOf, PICTURE, titleOf } from "./recipes.js";

const QUICK = new Set(["photo", "whitening"]); // besides those without a network: a draft takes seconds

/** With the page's words for the two photographs. */
const inWords = (text) => text.replaceAll(/\bcontent\b/g, "photograph").replaceAll(/\bstyle\b/g, "reference");

export function makeLook(recipes) {
  const byName = Object.fromEntries(recipes.map((recipe) => [recipe.name, recipe]));
  let settings = {}; // those that were changed
  const current = () => byName[checked("recipe")];
  const changed = () => desk.tell("changed");
  const isQuick = () => !current().network || QUICK.has(current().name);
  const strength = () => $("#strength").value / 100;

  // ---- the recipe

  const card = (recipe) =>
    el(
      "label",
      { className: recipe.name === "doodle" ? "only-doodle" : "not-doodle" },
      el("input", { type: "radio", name: "recipe", value: recipe.name, checked: recipe.default, onchange: take }),
      el("img", { src: PICTURE(recipe.name), alt: "", width: 66, height: 44, loading: "lazy" }),
      el("span", {}, el("b", { textContent: titleOf(recipe.name) }), el("small", { textContent: lineOf(recipe) })),
    );
  $("#recipe-list").append(...inOrder(recipes).map(card));

  function take() {
    settings = {};
    $("#balance").value = 0;
    draw();
    changed();
  }

  // ---- its settings

  function control(setting) {
    const usual = setting.values[checked("quality")];
    const value = settings[setting.name] ?? usual;
    const set = (given) => {
      if (given === undefined || given === usual) delete settings[setting.name];
      else settings[setting.name] = given;
      changed();
    };
    const bounds = {};
    if (setting.min !== null) bounds.min = setting.min;
    if (setting.max !== null) bounds.max = setting.max;
    const help = el("small", { textContent: inWords(setting.help), id: `help-${setting.name}` });
    const common = { id: `set-${setting.name}`, "aria-describedby": help.id };
    const title = inWords(setting.name.replaceAll("_", " "));
    if (setting.kind === "switch") {
      const onchange = (event) => set(event.target.checked);
      const input = el("input", { ...common, type: "checkbox", checked: value, onchange });
      return el("div", {}, el("label", { className: "check" }, input, title), help);
    }
    if (setting.kind === "choice") {
      const options = setting.choices.map((choice) =>
        el("option", { value: choice, textContent: choice, selected: choice === value }),
      );
      return el(
        "label",
        {},
        title,
        el("select", { ...common, onchange: (e) => set(e.target.value) }, ...options),
        help,
      );
    }
    const isText = setting.kind === "text";
    const read = ({ target }) => {
      if (isText) set(target.value);
      else if (target.value === "") {
        target.value = usual;
        set(undefined);
      } else if (target.reportValidity()) set(+target.value);
    };
    const step = setting.kind === "whole" ? 1 : "any";
    const type = isText ? "text" : "number";
    return el("label", {}, title, el("input", { ...common, type, ...bounds, step, value, onchange: read }), help);
  }

  function draw() {
    const recipe = current();
    $("#recipe-picture").src = PICTURE(recipe.name);
    $("#recipe-title").textContent = titleOf(recipe.name);
    $("#recipe-line").textContent = lineOf(recipe);
    $("#source").textContent = `${recipe.name}: ${recipe.purpose}. From: ${recipe.source}.`;
    $("#settings").replaceChildren(...recipe.settings.map(control));
    $("#more").hidden = recipe.settings.length === 0;
    $("#balance-field").hidden = !recipe.balanced;
    $("#blend").hidden = !recipe.blends;
    $("#auto").disabled = !isQuick();
    $("#auto").closest("label").title = isQuick() ? "" : "This look takes its time: ask for a draft when you want one.";
    tell();
  }

  function tell() {
    const balance = +$("#balance").value;
    $("#strength-value").textContent = `${$("#strength").value} %`;
    $("#balance-value").textContent =
      balance === 0 ? "as it is" : `${balance > 0 ? "style" : "structure"} +${Math.abs(balance)}`;
  }

  /** What the server is asked for. */
  function wish() {
    const recipe = current();
    const chosen = { ...settings };
    const balance = +$("#balance").value;
    if (recipe.balanced && balance) {
      // a tenth of the weight on the one side, ten times as much on the other
      const weight = recipe.settings.find((setting) => setting.name === "style_weight");
      const base = settings.style_weight ?? weight.values[checked("quality")];
      chosen.style_weight = +(base * 10 ** (balance / 10)).toPrecision(4);
    }
    return { recipe: recipe.name, quality: checked("quality"), strength: strength(), settings: chosen };
  }

  $("#strength").addEventListener("input", () => {
    tell();
    desk.tell("faded");
  });
  $("#balance").addEventListener("input", tell);
  $("#balance").addEventListener("change", changed);
  for (const input of $$('input[name="quality"]'))
    input.addEventListener("change", () => {
      draw();
      desk.tell("faded");
    });
  $("#defaults").addEventListener("click", take);

  // ---- from a file, or from a result

  function load(file) {
    if (!byName[file.recipe])
      throw new Error(`This settings file is for the recipe ${file.recipe}, which is not here.`);
    choose("recipe", file.recipe);
    $("#strength").value = Math.round(100 * (file.strength ?? 1));
    $("#balance").value = file.balance ?? 0;
    choose("quality", file.quality ?? "standard");
    const known = new Set(current().settings.map((setting) => setting.name));
    settings = Object.fromEntries(Object.entries(file.settings ?? {}).filter(([name]) => known.has(name)));
    draw();
  }

  async function read(file) {
    let kept = null;
    try {
      kept = JSON.parse(await file.text());
    } catch {
      // said below
    }
    if (typeof kept?.recipe !== "string") throw new Error(`${file.name} is no settings file.`);
    load(kept);
    changed();
  }
  $("#load-settings").addEventListener(
    "change",
    tried(async (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) await read(file);
    }),
  );

  draw();
  return {
    wish,
    strength,
    isQuick,
    load,
    /** The recipe of a doodle for doodles, and for nothing else. */
    suit(mode) {
      const isDoodle = current().name === "doodle";
      if (mode === "cutout" || isDoodle === (mode === "doodle")) return;
      choose("recipe", mode === "doodle" ? "doodle" : recipes.find((recipe) => recipe.default).name);
      take();
    },
    kept: () => ({
      recipe: current().name,
      quality: checked("quality"),
      strength: strength(),
      balance: +$("#balance").value,
      settings,
    }),
  };
}
