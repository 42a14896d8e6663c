/** `sample`: a model's answers to questions. */
import { ask } from "../eval/ask";
import type { SampleOptions } from "../options/evaluate";
import type { Embedded } from "../platform/node/embedded";
import { checkpointOf } from "../platform/node/training-host";
import type { AnswerSample } from "../session/events";
import type { RunContext } from "./context";
import { withHost } from "./with-host";

export interface SampleContext extends RunContext {
  /** Is given every trajectory, in the order of the questions, when all have ended. */
  readonly onSample: (sample: AnswerSample) => void;
  /** Given where the text of an only answer is to be shown as it comes. */
  readonly onText?: (piece: string) => void;
  readonly onProgress: (done: number, total: number) => void;
}

/** @throws UserError for what the user can repair */
export async function sample(
  options: SampleOptions,
  { signal, announce, ...shown }: SampleContext,
  embedded: Embedded = {},
): Promise<void> {
  const modelNameOrPath = await checkpointOf(options.modelNameOrPath);
  await withHost(announce, (host) => ask({ ...options, modelNameOrPath }, host, { signal, ...shown }), embedded);
}
