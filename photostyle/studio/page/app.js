// The studio's page: its parts are made, and the session is opened.

import { about, onFetch } from "./api.js";
import { makeAdjusting } from "./adjusting.js";
import { makeBrush } from "./brush.js";
import { desk, tried, trouble } from "./desk.js";
import { $, working } from "./dom.js";
import { Editor } from "./editor.js";
import { makeExport } from "./export.js";
import { makeHistogram } from "./histogram.js";
import { sweep } from "./history.js";
import { makeJobs } from "./jobs.js";
import { makeKeys } from "./keys.js";
import { makeLook } from "./look.js";
import { makeLooks } from "./looks.js";
import { makeOrders } from "./orders.js";
import { makePhotographs } from "./photographs.js";
import { makeRegions } from "./regions.js";
import { makeResults } from "./results.js";
import { makeSay } from "./say.js";
import { makeSessions } from "./sessions.js";
import { makeStage } from "./stage.js";
import { makeSteps } from "./steps.js";
import { makeTools } from "./tools.js";
import { makeVersions } from "./versions.js";
import { makeViews } from "./views.js";
import { makeWelcome } from "./welcome.js";

const facts = await about();
makeSay();
const canvas = (side) => $(`[data-side="${side}"] canvas`);
const editor = new Editor({ content: canvas("content"), style: canvas("style") }, facts.palette);
const jobs = makeJobs();
onFetch(jobs.finished);
const stage = makeStage();
const look = makeLook(facts.recipes);
const regions = makeRegions(editor, jobs);
const brush = makeBrush(editor, { onDoubt: tried(regions.mergeAway) });
const tools = makeTools(editor, brush, facts);
const results = makeResults({ stage, look, jobs, histogram: makeHistogram() });
const adjusting = makeAdjusting({ look });
const { render } = makeOrders({ editor, jobs, regions, look });
const exporting = makeExport({ adjusting, formats: facts.formats, render });
makeLooks({ adjusting, jobs });
const versions = makeVersions({ results, look, jobs, exporting });
const photographs = makePhotographs(editor, { limits: facts.limits, settled: regions.settled });
const welcome = makeWelcome(photographs, facts);
const views = makeViews({ editor, tools, brush, look });
makeSessions();
const steps = makeSteps(editor);
makeKeys({ editor, tools, brush, stage });

async function open() {
  await desk.open();
  views.open();
  adjusting.open();
  await photographs.open();
  await regions.open();
  results.open();
  versions.draw();
  welcome.draw();
  steps.draw();
  jobs.open();
  desk.tell("told");
}

window.addEventListener("hashchange", () => location.reload()); // another session was pasted into the address
$(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address keeps the session
  $("#photographs").focus();
});

await working(open().catch(trouble));
sweep();
const sentence = sessionStorage.getItem("sentence");
sessionStorage.removeItem("sentence");
if (sentence) trouble(new Error(sentence.replace("open the studio anew", "here is a new one")));
document.body.dataset.ready = "yes"; // for tests
