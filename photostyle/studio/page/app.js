// The studio's page: its parts are made, and the session is opened.

import { about } from "./api.js";
import { makeAdjusting } from "./adjusting.js";
import { makeBanner } from "./banner.js";
import { makeCompare } from "./compare.js";
import { desk, tried, trouble } from "./desk.js";
import { $, working } from "./dom.js";
import { Editor } from "./editor.js";
import { makeExport } from "./export.js";
import { makeJobs } from "./jobs.js";
import { makeLook } from "./look.js";
import { makeLooks } from "./looks.js";
import { makeModes } from "./modes.js";
import { makeOrders } from "./orders.js";
import { makePanel } from "./panel.js";
import { makePhotographs } from "./photographs.js";
import { makeRegions } from "./regions.js";
import { makeResults } from "./results.js";

const facts = await about();
makeBanner();
const editor = new Editor(
  { content: $('[data-side="content"] canvas'), style: $('[data-side="style"] canvas') },
  facts.palette,
);
const panel = makePanel(editor);
const look = makeLook(facts.recipes);
const jobs = makeJobs();
const photographs = makePhotographs(editor, facts);
const regions = makeRegions(editor, jobs);
const results = makeResults({ compare: makeCompare(), look, jobs });
const modes = makeModes({ editor, panel, look });
const adjusting = makeAdjusting({ look });
makeExport({ adjusting, formats: facts.formats });
makeLooks({ adjusting, jobs });
makeOrders({ editor, jobs, regions, look });

async function open() {
  await desk.open();
  modes.open();
  adjusting.open();
  await photographs.open();
  await regions.open();
  results.open();
  jobs.open();
}

$("#anew").addEventListener(
  "click",
  tried(async () => {
    await desk.session.end().catch(() => {});
    desk.leave();
  }),
);
window.addEventListener("hashchange", () => location.reload()); // another session was pasted into the address
$(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address keeps the session
  $("#photographs").focus();
});

await working(open().catch(trouble));
const sentence = sessionStorage.getItem("sentence");
sessionStorage.removeItem("sentence");
if (sentence) trouble(new Error(sentence.replace("open the studio anew", "here is a new one")));
document.body.dataset.ready = "yes"; // for tests
