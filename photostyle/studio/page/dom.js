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

/** An icon of the sheet icons.svg. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `icons.svg#${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** The image of an address, once it is loaded; raises what `wrong` makes. */
export const loadImage = (url, wrong) =>
  new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(wrong());
    image.src = url;
  });

/** The same asynchronous call, at most so many at a time; the others wait for their turn. */
export function limited(most, call) {
  let open = 0;
  const waiting = [];
  return async (...values) => {
    if (open >= most) await new Promise((go) => waiting.push(go));
    open++;
    try {
      return await call(...values);
    } finally {
      open--;
      waiting.shift()?.();
    }
  };
}

export const checked = (name) => $(`input[name="${name}"]:checked`).value;

export function choose(name, value) {
  const input = $(`input[name="${name}"][value="${value}"]`);
  if (input) input.checked = true;
}

/** The same call, which does nothing as long as what `facts` returns is what it was: focus and open menus stay. */
export function whenNew(facts, call) {
  let known;
  return () => {
    const now = JSON.stringify(facts());
    if (now === known) return;
    known = now;
    call();
  };
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
