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

let under = 0;
/** As long as the promise is open the stage says that it is about to change; returns the promise. */
export function working(promise) {
  const count = (step) => {
    under += step;
    $("#stage").ariaBusy = String(under > 0);
  };
  const less = () => count(-1);
  count(1);
  promise.then(less, less);
  return promise;
}

/** Calls it once, when nobody has asked for so many milliseconds. */
export function after(milliseconds, call) {
  let timer,
    end = null;
  return () => {
    clearTimeout(timer);
    if (!end)
      working(
        new Promise((resolve) => {
          end = resolve;
        }),
      );
    timer = setTimeout(() => {
      end(call());
      end = null;
    }, milliseconds);
  };
}

/** So many seconds in words. */
export const seconds = (s) =>
  s < 90 ? `${Math.max(1, Math.round(s))} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
