// The recipe and its settings: controls made from what the server says about each recipe.

import { desk } from "./desk.js";
import { $, $$, checked, choose, el } from "./dom.js";

const QUICK = new Set(["photo", "whitening"]); // besides those without a network: a draft takes seconds

export function makeLook(recipes) {
  const onChange = () => desk.tell("changed");
  const onFade = () => desk.tell("faded");
  const byName = Object.fromEntries(recipes.map((recipe) => [recipe.name, recipe]));
  let settings = {}; // those that were changed
  const current = () => byName[$("#recipe").value];

  $("#recipe").append(
    ...recipes.map((recipe) =>
      el("option", { value: recipe.name, textContent: recipe.name, selected: recipe.default }),
    ),
  );

  function control(setting) {
    const value = settings[setting.name] ?? setting.values[checked("quality")];
    const set = (given) => {
      if (given === undefined || given === setting.values[checked("quality")]) delete settings[setting.name];
      else settings[setting.name] = given;
      onChange();
    };
    const bounds = {};
    if (setting.min !== null) bounds.min = setting.min;
    if (setting.max !== null) bounds.max = setting.max;
    const help = el("small", { textContent: setting.help, id: `help-${setting.name}` });
    const common = { id: `set-${setting.name}`, "aria-describedby": help.id };
    const title = setting.name.replaceAll("_", " ");
    if (setting.kind === "switch") {
      const input = el("input", {
        ...common,
        type: "checkbox",
        checked: value,
        onchange: (e) => set(e.target.checked),
      });
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
    const read = (e) => {
      if (isText) return set(e.target.value);
      if (e.target.value === "") {
        e.target.value = setting.values[checked("quality")];
        return set(undefined);
      }
      if (!e.target.reportValidity()) return undefined;
      return set(+e.target.value);
    };
    return el(
      "label",
      {},
      title,
      el("input", {
        ...common,
        type: isText ? "text" : "number",
        ...bounds,
        step: setting.kind === "whole" ? 1 : "any",
        value,
        onchange: read,
      }),
      help,
    );
  }

  function draw() {
    const recipe = current();
    $("#purpose").textContent = `${recipe.purpose[0].toUpperCase()}${recipe.purpose.slice(1)}.`;
    $("#source").textContent = `From: ${recipe.source}.`;
    $("#settings").replaceChildren(...recipe.settings.map(control));
    $("#more").hidden = recipe.settings.length === 0;
    $("#balance-field").hidden = !recipe.balanced;
    $("#blend").hidden = !recipe.blends;
    const quick = isQuick();
    $("#auto").disabled = !quick;
    $("#auto").closest("label").title = quick ? "" : "This recipe takes its time: ask for a preview when you want one.";
    tell();
  }

  function tell() {
    const balance = +$("#balance").value;
    $("#strength-value").textContent = `${$("#strength").value} %`;
    $("#balance-value").textContent =
      balance === 0 ? "as it is" : `${balance > 0 ? "style" : "structure"} +${Math.abs(balance)}`;
  }
  const isQuick = () => !current().network || QUICK.has(current().name);

  function wish() {
    const recipe = current(),
      chosen = { ...settings };
    const balance = +$("#balance").value;
    if (recipe.balanced && balance) {
      // a tenth of the weight on the one side, ten times as much on the other
      const weight = recipe.settings.find((setting) => setting.name === "style_weight");
      const base = settings.style_weight ?? weight.values[checked("quality")];
      chosen.style_weight = +(base * 10 ** (balance / 10)).toPrecision(4);
    }
    return { recipe: recipe.name, quality: checked("quality"), strength: strength(), settings: chosen };
  }
  const strength = () => $("#strength").value / 100;

  $("#strength").addEventListener("input", () => {
    tell();
    onFade();
  });
  $("#balance").addEventListener("input", tell);
  $("#balance").addEventListener("change", onChange);
  for (const input of $$('input[name="quality"]'))
    input.addEventListener("change", () => {
      draw();
      onFade();
    });
  $("#recipe").addEventListener("change", () => {
    settings = {};
    $("#balance").value = 0;
    draw();
    onChange();
  });
  $("#defaults").addEventListener("click", () => {
    settings = {};
    $("#balance").value = 0;
    draw();
    onChange();
  });

  function load(file) {
    if (!byName[file.recipe])
      throw new Error(`This settings file is for the recipe ${file.recipe}, which is not here.`);
    $("#recipe").value = file.recipe;
    $("#strength").value = Math.round(100 * (file.strength ?? 1));
    $("#balance").value = file.balance ?? 0;
    choose("quality", file.quality ?? "standard");
    const known = new Set(current().settings.map((setting) => setting.name));
    settings = Object.fromEntries(Object.entries(file.settings ?? {}).filter(([name]) => known.has(name)));
    draw();
  }
  $("#load-settings").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    try {
      const kept = JSON.parse(await file.text());
      if (typeof kept?.recipe !== "string") throw new SyntaxError();
      load(kept);
      onChange();
    } catch (error) {
      window.dispatchEvent(
        new CustomEvent("trouble", {
          detail: error instanceof SyntaxError ? new Error(`${file.name} is no settings file.`) : error,
        }),
      );
    }
  });

  draw();
  return {
    wish,
    strength,
    isQuick,
    load,
    redraw: draw,
    kept: () => ({
      recipe: current().name,
      quality: checked("quality"),
      strength: strength(),
      balance: +$("#balance").value,
      settings,
    }),
  };
}
