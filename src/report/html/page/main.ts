/** The report page: reads a run and shows it; while the run trains, again at each step. */
import { reasonOf } from "../../../base/errors";
import { StepCursor } from "../../../web/chart";
import { byId, visible } from "../../../web/elements";
import type { RunData } from "../run-data";
import { Curves } from "./curves";
import { RolloutsView } from "./rollouts";
import { openSource } from "./source";
import { factsView, statisticsView, validationView } from "./tables";
import { tiles } from "./tiles";

const source = openSource();
const cursor = new StepCursor();
const curves = new Curves(byId("charts", HTMLElement), byId("more-charts", HTMLElement), cursor);
const rollouts = new RolloutsView((step) => source.rollouts(step));
const smooth = byId("smooth", HTMLInputElement);
const state = byId("state", HTMLElement);
let latest: RunData | undefined;

function show(run: RunData): void {
  latest = run;
  document.title = `${run.name} · zerotir`;
  byId("name", HTMLElement).replaceChildren(...visible(run.name));
  state.textContent = run.state;
  state.classList.remove("gone");
  byId("tiles", HTMLElement).replaceChildren(...tiles(run));
  const isLong = run.metrics.steps.length >= 32;
  byId("curve-hint", HTMLElement).textContent =
    "Point at a chart, or press an arrow key on it, to read all charts at that step." +
    (isLong ? " Thick: mean over the steps before; thin: each step." : "");
  curves.show(run, smooth.checked);
  byId("statistics-body", HTMLElement).replaceChildren(...statisticsView(run.statistics));
  byId("validation-body", HTMLElement).replaceChildren(validationView(run.validation));
  byId("rollout-rule", HTMLElement).textContent = run.rolloutRule;
  byId("config-body", HTMLElement).replaceChildren(factsView(run.config));
  byId("environment-body", HTMLElement).replaceChildren(factsView(run.environment));
  byId("footer", HTMLElement).textContent =
    `Made ${run.madeAt.replace("T", " ").slice(0, 16)} UTC. This page asks no other site for anything.`;
  document.body.dataset.step = String(run.metrics.steps.at(-1) ?? 0);
}

async function refresh(): Promise<void> {
  try {
    const run = await source.run();
    show(run);
    await rollouts.show(run.rolloutSteps);
    document.body.dataset.ready = "true";
  } catch (error) {
    state.textContent = reasonOf(error);
    state.classList.add("gone");
  }
}

smooth.addEventListener("change", () => {
  if (latest !== undefined) curves.show(latest, smooth.checked);
});
source.watch(
  () => void refresh(),
  (isThere) => {
    const wasGone = state.classList.contains("gone");
    state.classList.toggle("gone", !isThere);
    if (!isThere) state.textContent = "zerotir view has stopped; this is the last state it showed";
    // What happened meanwhile was missed.
    else if (wasGone) void refresh();
  },
);
void refresh();
