/** One step: the rollout batch, the update, and what is told and written of them. */
import { rolloutLine } from "../rollout/records";
import type { MetricsRow } from "../session/metrics";
import { chooseSamples, toSample } from "../session/transcript";
import type { RolloutBatch } from "./rollout-batch";
import type { Run } from "./run";
import { evaluateStep } from "./run-evaluation";
import { type Examination, examine, writeSnapshot } from "./snapshot";
import { gradingNotices, stepMetrics } from "./step-metrics";
import { type UpdateResult, update } from "./update";

export async function trainStep(run: Run, step: number): Promise<void> {
  const { options, events, learner, batches } = run;
  const begun = performance.now();
  events.onPhase("rollout", { step });
  const batch = await batches.take(step);
  const selection = run.selection.state;
  if (options.maxStaleness > 0 && step < options.maxSteps) batches.start(step + 1);
  const sampled = performance.now();
  events.onPhase("update", { step });
  const staleness = learner.optimizer.step - batch.policyVersion;
  let examination: Examination | undefined;
  const result = await update(learner, batch, options, step, {
    onProgress: (done, total) => events.onPhase("update", { step, done, total, unit: "micro-batches" }),
    beforeWeightsChange: async () => {
      if (!options.inFlightWeightUpdates) await batches.settled();
    },
    onSkipped: async (skipped) => {
      examination ??= await examine(skipped, learner.pass.gradients, run.loaded.model.trained);
    },
  });
  const updated = performance.now();
  run.boundary = await batches.settled().then(
    (ahead) => ({ ahead, selection: run.selection.state }),
    (error: unknown) => {
      // Stopped while weights changed under a rollout: the step is done, the next batch is as if it had never begun.
      if (!run.signal?.aborted) throw error;
      return { ahead: undefined, selection };
    },
  );
  run.numTokens += tokenCount(batch);
  // A step without any update says nothing of the gradients.
  if (result.updates > 0) run.skippedSteps = result.skipped === result.updates ? run.skippedSteps + 1 : 0;
  const row = {
    ...stepMetrics(step, batch, result, run.numTokens, {
      waiting: (sampled - begun) / 1000,
      update: (updated - sampled) / 1000,
      total: (performance.now() - begun) / 1000,
    }),
    staleness,
    ...(await evaluateStep(run, step)),
  };
  run.lastRow = row;
  await run.folder.logRollouts(step, rolloutLines(step, batch, result));
  if (step % options.loggingSteps === 0) await run.folder.logMetrics(row);
  events.onStep(row);
  tellOf(run, step, batch, result);
  if (examination !== undefined) await tellSkipped(run, result, examination, batch, row);
  for (const text of run.health.judge(row)) events.onNotice(`step ${step}: ${text}`);
  if (options.logCompletions && (step % options.logCompletionsSteps === 0 || step === 1))
    for (const sample of chooseSamples(batch.groups, options.numCompletionsToPrint))
      events.onSample(toSample(run.loaded.tokenizer, step, sample));
}

/** Steps in a row without an update after which a run ends: what comes then is hours of the same. */
const MOST_SKIPPED = 5;

async function tellSkipped(
  run: Run,
  { updates, skipped }: UpdateResult,
  examination: Examination,
  batch: RolloutBatch,
  row: MetricsRow,
): Promise<void> {
  const { step } = row;
  const { skipGradNorm } = run.options;
  const { gradNorm } = examination;
  const why = Number.isFinite(gradNorm)
    ? `the gradient norm ${gradNorm.toPrecision(3)} is above --skip-grad-norm ${skipGradNorm}`
    : "the gradient norm is not finite";
  const snapshot = await run.folder.saveSnapshot(step, (writer) => writeSnapshot(writer, examination, batch, row));
  const look = snapshot === undefined ? "see the earlier snapshots" : `what to look into is in ${snapshot}`;
  run.events.onNotice(
    `step ${step}: ${why}, so ${updates === 1 ? "the weights were left as they are" : `${skipped} of ${updates} updates were left out`}; ${look}`,
  );
  if (run.skippedSteps >= MOST_SKIPPED)
    throw new DivergedError(
      `${run.skippedSteps} steps in a row changed nothing, since ${why}, so the run ends; go on from an earlier checkpoint with a smaller --learning-rate, or another reward (${look})`,
    );
}

/** Training that no longer changes the weights. */
class DivergedError extends Error {
  override readonly name = "DivergedError";
}

function tellOf({ options, events }: Run, step: number, batch: RolloutBatch, { critic }: UpdateResult): void {
  const tell = (text: string) => events.onNotice(`step ${step}: ${text}`);
  if (batch.kept.length === 0)
    tell("--group-filter-min and --group-filter-max dropped every group, so there was no update");
  else if (options.dynamicSampling && batch.kept.length < options.promptsPerStep)
    tell(
      `only ${batch.kept.length} of ${options.promptsPerStep} groups passed the filter in ${batch.rounds} rounds, so the step went on with them; see --max-sampling-rounds`,
    );
  for (const text of gradingNotices(batch.groups)) tell(text);
  if (typeof critic?.gradNorm === "number" && !Number.isFinite(critic.gradNorm))
    tell(
      "the gradient norm of the critic is not finite, so the critic was left as it is; see the rollouts of the step",
    );
}

function* rolloutLines(step: number, batch: RolloutBatch, result: UpdateResult): Generator<string> {
  for (const { trajectory, prompt, grade } of batch.groups.flat()) {
    const advantage = result.advantages.get(trajectory.id);
    yield rolloutLine(trajectory, {
      step,
      prompt,
      reward: grade.numbers.reward,
      rewards: { ...grade.numbers },
      rewardFunctions: grade.rewards,
      extra: grade.extra,
      ...(advantage === undefined ? {} : { advantage }),
    });
  }
}

function tokenCount({ groups }: RolloutBatch): number {
  return groups.flat().reduce((sum, { trajectory }) => sum + trajectory.promptIds.length + trajectory.ids.length, 0);
}
