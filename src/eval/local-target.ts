/** A checkpoint on this machine as the target of an evaluation. */
import { at } from "../base/must";
import type { GpuContext } from "../gpu/context";
import { checkPrompts, collect, type GradedTrajectory } from "../session/collect";
import type { TrainingHost } from "../session/host";
import { transcriptOf } from "../session/transcript";
import type { Answer } from "./answers";
import { openSession, type Session, type SessionOptions, samplingOf } from "./session";
import type { Target } from "./target";

/** Questions decoded together. Part of each sample's random key. */
const QUESTIONS_AT_ONCE = 64;

/** @param trajectories most that will be asked for together */
export async function openLocalTarget(
  options: SessionOptions,
  host: TrainingHost,
  gpu: GpuContext,
  trajectories: number,
): Promise<Target> {
  const session = await openSession(options, host, gpu, trajectories);
  return {
    check: (rows) => checkPrompts(session.collector, rows),
    close: () => session.close(),
    async answer(asked, { maxToolCalls, generations, signal, onAnswer }) {
      const collector = { ...session.collector, options: { ...session.collector.options, maxToolCalls } };
      for (const batch of batches(asked)) {
        const step = Math.floor(at(batch, 0).question / QUESTIONS_AT_ONCE);
        const first = step * QUESTIONS_AT_ONCE;
        // Places of a batch whose samples are all there stay free, so that ids are those of a run that was never
        // stopped.
        const places = Array.from({ length: at(batch, batch.length - 1).question - first + 1 }, (_, place) =>
          batch.find(({ question }) => question === first + place),
        );
        await collect(
          collector,
          places.map((place) => place?.row ?? { prompt: "", answer: "" }),
          {
            step,
            samplesPerQuestion: generations,
            samplesOf: (place) => places[place]?.samples ?? [],
            questionsPerStep: QUESTIONS_AT_ONCE,
            sampling: samplingOf(options),
            ...(signal === undefined ? {} : { signal }),
            onGraded: (graded) =>
              onAnswer(
                first + graded.trajectory.groupIndex,
                graded.trajectory.id % generations,
                graded.prompt,
                answerOf(session, graded),
              ),
          },
        );
      }
    },
  };
}

function* batches<Item extends { readonly question: number }>(asked: readonly Item[]): Generator<readonly Item[]> {
  const of = (index: number) => Math.floor(at(asked, index).question / QUESTIONS_AT_ONCE);
  for (let from = 0; from < asked.length; ) {
    let to = from;
    while (to < asked.length && of(to) === of(from)) to++;
    yield asked.slice(from, to);
    from = to;
  }
}

function answerOf(session: Session, graded: GradedTrajectory): Answer {
  const { segments, modelTokens } = transcriptOf(session.collector.tokenizer, 0, graded);
  const { trajectory, grade } = graded;
  return {
    segments,
    modelTokens,
    tools: trajectory.toolLog,
    finishReason: trajectory.finishReason,
    prediction: grade.prediction,
    numbers: grade.numbers,
  };
}
