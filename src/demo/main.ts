/** The page: a form, a training worker, and a view of what it tells. */
import * as Comlink from "comlink";
import { reasonOf } from "../base/errors";
import type { TrainOptions } from "../options/train";
import { requestBrowserAdapter } from "../platform/browser/adapter";
import { openSandboxFrame } from "../sandbox/browser/frame";
import { byId } from "../web/elements";
import { demoOptions } from "./options";
import { RunView } from "./run-view";
import type { Trainer } from "./worker";

type State = "idle" | "running" | "stopping" | "paused" | "finished" | "failed";

const form = byId("controls", HTMLFormElement);
const steps = byId("steps", HTMLInputElement);
const seed = byId("seed", HTMLInputElement);
const tool = byId("tool", HTMLInputElement);
const start = byId("start", HTMLButtonElement);
const restart = byId("restart", HTMLButtonElement);
const download = byId("download", HTMLButtonElement);
const view = new RunView();

let state: State = "idle";
let worker: Worker | undefined;
let trainer: Comlink.Remote<Trainer> | undefined;
/** Ends the wait for a worker that cannot answer any more. */
let workerFailed: (error: Error) => void = () => {};

const LABELS: Record<State, string> = {
  idle: "Start training",
  running: "Pause",
  stopping: "Pausing…",
  paused: "Continue",
  finished: "Train again",
  failed: "Try again",
};

function enter(next: State): void {
  state = next;
  document.body.dataset.state = next;
  start.textContent = LABELS[next];
  start.disabled = next === "stopping";
  for (const input of [steps, seed, tool]) input.disabled = next === "running" || next === "stopping";
  // A run goes on with the seed and the tool that it began with.
  if (next === "paused") for (const input of [seed, tool]) input.disabled = true;
  restart.hidden = next !== "paused";
  download.hidden = next !== "paused" && next !== "finished";
}

function newTrainer(): Comlink.Remote<Trainer> {
  worker?.terminate();
  worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onerror = (event) => {
    trainer = undefined;
    workerFailed(new Error(event.message || "the training worker could not be started"));
  };
  trainer = Comlink.wrap<Trainer>(worker);
  return trainer;
}

function formOptions(): Partial<TrainOptions> {
  // The address may allow more calls than one.
  const calls = Math.max(1, demoOptions(location.search).maxToolCalls);
  return { maxSteps: steps.valueAsNumber, seed: seed.valueAsNumber, maxToolCalls: tool.checked ? calls : 0 };
}

async function train(): Promise<void> {
  const resuming = state === "paused" && view.checkpoint !== null;
  view.showError("");
  const frame = openSandboxFrame();
  try {
    const options = demoOptions(location.search, formOptions());
    const remote = resuming && trainer !== undefined ? trainer : newTrainer();
    if (!resuming) view.reset(options.maxSteps);
    enter("running");
    const failure = new Promise<never>((_, reject) => {
      workerFailed = reject;
    });
    const request = {
      options: { ...options, resumeFromCheckpoint: view.checkpoint },
      base: new URL(".", document.baseURI).href,
      sandbox: frame.port,
    };
    const training = remote.train(Comlink.transfer(request, [frame.port]), Comlink.proxy(view));
    const { outcome } = await Promise.race([training, failure]);
    enter(outcome === "finished" ? "finished" : "paused");
  } catch (error) {
    view.showError(reasonOf(error));
    // A lost GPU, or a number of steps that is too low, costs nothing that was saved. The files are the worker's.
    const saved = trainer === undefined ? null : view.checkpoint;
    view.showPhase(
      saved === null ? "Stopped by an error" : "Stopped by an error; Continue goes on from what was saved",
    );
    enter(saved === null ? "failed" : "paused");
  } finally {
    frame.remove();
  }
}

async function save(): Promise<void> {
  const archive = await trainer?.archive();
  if (archive === undefined) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(archive);
  link.download = "zerotir-nano-run.tar";
  link.click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (state === "running") {
    enter("stopping");
    void trainer?.stop();
  } else void train();
});
restart.addEventListener("click", () => {
  enter("idle");
  void train();
});
download.addEventListener("click", () => void save());

/** Fills the form from the address and says at once when this browser cannot train. */
async function open(): Promise<void> {
  enter("idle");
  const options = demoOptions(location.search);
  steps.value = String(options.maxSteps);
  seed.value = String(options.seed);
  tool.checked = options.maxToolCalls > 0;
  view.reset(options.maxSteps);
  try {
    const { info } = await requestBrowserAdapter();
    view.showAdapter(
      [info.vendor, info.architecture, info.description || info.device].filter(Boolean).join(" ") || "WebGPU",
    );
  } catch (error) {
    byId("problem", HTMLElement).hidden = false;
    byId("problem-text", HTMLElement).textContent = reasonOf(error);
    view.showPhase("Cannot train in this browser");
    start.disabled = true;
  }
}

open().catch((error: unknown) => {
  view.showError(reasonOf(error));
  start.disabled = true;
});
