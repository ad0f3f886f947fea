// The desk: what the page knows of its session, and the news that its parts tell each other,
// with what they bring in brackets.
//
// told      the server has told its state (`desk.state`)
// clear     other photographs are on their way; pictures: they are there
// reading   a file is read [its name, null at the end]
// changed   a draft would look different now; faded: only its strength
// adjusted  the look as it is adjusted is drawn
// kept      settings were taken from elsewhere
// mode      something else is to be made ["transfer", "doodle" or "cutout"]
// live      a picture of a job that runs [its address]; ended: a job is over [the job]
// shown     another result is on the stage (`desk.result`); placed: where it lies there
// notes     sentences about what was done [them]
// trouble   what went wrong [the error]; calm: it is no longer to be shown

import { Gone, Session, begin } from "./api.js";
import { working } from "./dom.js";

class Desk extends EventTarget {
  session = null;
  state = null;
  result = null; // what is on the stage and can be saved, with isPreview

  /** The session that the address names, else a new one. */
  async open() {
    const name = new URLSearchParams(location.hash.slice(1)).get("session");
    if (name) {
      try {
        this.session = new Session(name);
        this.state = await this.session.read();
        return;
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
      }
    }
    this.state = await begin();
    this.session = new Session(this.state.id);
    history.replaceState(null, "", `#session=${this.state.id}`);
  }

  /** Leave the session for a new one, which begins with a sentence about why. */
  leave(sentence) {
    history.replaceState(null, "", location.pathname);
    if (sentence) sessionStorage.setItem("sentence", sentence);
    location.reload();
  }

  /** What the server tells; answers may overtake each other. */
  hear(told) {
    if (told.told <= this.state.told) return;
    this.state = told;
    this.tell("told");
  }

  tell(news, detail) {
    this.dispatchEvent(new CustomEvent(news, { detail }));
  }

  on(news, call) {
    this.addEventListener(news, (event) => call(event.detail));
  }

  /** Both photographs are there. */
  get isReady() {
    return Boolean(this.state.pictures.content && this.state.pictures.style);
  }
}

export const desk = new Desk();

// ---- what goes wrong is a sentence where one looks

/** Show what went wrong; a session that is over gives way to a new one. */
export function trouble(error) {
  if (error instanceof Gone) {
    desk.leave(error.message);
    return;
  }
  desk.tell("trouble", error);
}

export const calm = () => desk.tell("calm");

async function attempt(call, values) {
  try {
    calm();
    await call(...values);
  } catch (error) {
    trouble(error);
  }
}

/** The same call, whose errors are shown. */
export const tried =
  (call) =>
  (...values) =>
    working(attempt(call, values));
