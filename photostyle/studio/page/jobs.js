// The jobs: watched until all are over, with their progress; what is done is given to those who wait for it.

import { Offline } from "./api.js";
import { calm, desk, tried, trouble } from "./desk.js";
import { $, el, seconds, working } from "./dom.js";

const FIRST_BEAT = 30; // milliseconds between the first two looks at jobs; each further one takes twice as long
const BEAT = 250; // the same, at most
const SLOW_BEAT = 2500; // the same when nobody answers
const SLOW = 4; // seconds from which on a draft is shown while it is made
const TITLES = {
  fetch: "Getting ready",
  find: "Finding regions",
  doubts: "Looking at the regions",
  preview: "Draft",
  render: "Rendering full size",
};

export const isOver = (task) => ["done", "failed", "cancelled"].includes(task.state);
const sleep = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

export function makeJobs() {
  const over = new Set(); // those whose end was dealt with
  const waiting = []; // [kind, call]
  let following = false;
  let asked = false;

  /** Look at the jobs until all are over. */
  async function follow() {
    asked = true; // an answer that is on its way may not know of the newest job
    if (following) return;
    following = true;
    try {
      await working(beat());
    } finally {
      following = false;
    }
  }

  async function beat() {
    let lost = false;
    let pause = FIRST_BEAT;
    for (;;) {
      try {
        if (asked) pause = FIRST_BEAT;
        asked = false;
        desk.hear(await desk.session.read());
        if (lost) calm();
        lost = false;
      } catch (error) {
        trouble(error);
        if (!(error instanceof Offline)) return;
        lost = true;
        await sleep(SLOW_BEAT);
        continue;
      }
      for (const task of desk.state.tasks) {
        if (!isOver(task) || over.has(task.id)) continue;
        over.add(task.id);
        await end(task).catch(trouble);
      }
      const open = desk.state.tasks.filter((task) => !isOver(task));
      if (open.length) show(open);
      else if (!asked) {
        idle();
        return;
      }
      await sleep(pause);
      pause = Math.min(2 * pause, BEAT);
    }
  }

  async function end(task) {
    if (task.state === "failed") trouble(new Error(task.error));
    if (task.state === "done") for (const [kind, call] of waiting) if (kind === task.kind) await call(task);
    desk.tell("ended", task);
  }

  // ---- progress

  function sentence(task, open) {
    let text = TITLES[task.kind];
    if (task.state === "waiting") text += `: waiting, ${task.before} before it`;
    else {
      if (task.stage) text += `: ${task.stage}${task.of ? `, ${task.iteration} of ${task.of}` : ""}`;
      if (task.seconds_left !== null) text += `, about ${seconds(task.seconds_left)} left`;
      else if (task.seconds >= 3) text += `, ${seconds(task.seconds)} so far`;
    }
    return open > 1 ? `${text} (${open - 1} more ${open > 2 ? "wait" : "waits"})` : text;
  }

  let lives = "";
  function show(open) {
    const task = open.find((one) => one.state === "running") ?? open[0];
    $("#job-text").textContent = sentence(task, open.length);
    if (task.part) $("#job-bar").value = task.part;
    else $("#job-bar").removeAttribute("value");
    $("#cancel").hidden = false;
    $("#cancel").dataset.job = task.id;
    const live = `${task.id}/${task.live}`;
    const isQuick = task.kind === "preview" && task.seconds < SLOW; // a quick one would only flicker
    if (!task.live || live === lives || task.kind === "find" || isQuick) return;
    lives = live;
    desk.tell("live", desk.session.url(`jobs/${task.id}/live.jpg?${task.live}`));
  }

  function idle() {
    $("#job-text").textContent = "Nothing is running.";
    $("#job-bar").value = 0;
    $("#cancel").hidden = true;
    delete $("#cancel").dataset.job;
  }

  $("#cancel").addEventListener(
    "click",
    tried(async (event) => {
      await desk.session.cancel(event.target.dataset.job);
      follow();
    }),
  );
  desk.on("reading", (name) => {
    if (name) $("#job-text").textContent = `Reading ${name} …`;
    else if (!$("#cancel").dataset.job) idle();
  });
  const note = (sentences) => $("#notes").replaceChildren(...sentences.map((one) => el("li", { textContent: one })));
  desk.on("notes", note);
  desk.on("clear", () => note([]));

  return {
    follow,
    /** Wait until this job is over; what became of it. */
    finished({ id }) {
      const ended = new Promise((go) => desk.on("ended", (task) => task.id === id && go(task)));
      follow();
      return desk.state.tasks.find((task) => task.id === id && over.has(id)) ?? ended;
    },
    /** Call it with each job of this kind that is done. */
    whenDone: (kind, call) => waiting.push([kind, call]),
    open() {
      for (const task of desk.state.tasks) if (isOver(task)) over.add(task.id);
      follow();
    },
  };
}
