// Small helpers for the document.

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** An element with properties (on… are listeners, data-… and aria-… attributes) and children. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

export const checked = (name) => $(`input[name="${name}"]:checked`).value;

export function choose(name, value) {
  const input = $(`input[name="${name}"][value="${value}"]`);
  if (input) input.checked = true;
}

/** Calls it once, when nobody has asked for so many milliseconds. */
export function after(milliseconds, call) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(call, milliseconds); };
}
