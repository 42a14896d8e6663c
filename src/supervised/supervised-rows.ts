/** How many steps the rows of a data set make, and which rows a step sees. */
import { UserError } from "../base/errors";
import type { RowSource } from "../session/questions";

interface StepOptions {
  readonly maxSteps: number | null;
  readonly numTrainEpochs: number;
  readonly perDeviceTrainBatchSize: number;
}

/** @throws UserError when rows without end are to be passed over a number of times */
export function stepCount(
  { maxSteps, numTrainEpochs, perDeviceTrainBatchSize }: StepOptions,
  { name, passLength }: Pick<RowSource<unknown>, "name" | "passLength">,
): number {
  if (maxSteps !== null) return maxSteps;
  if (!Number.isFinite(passLength))
    throw new UserError(`--dataset ${name} has no end, so --num-train-epochs means nothing; give --max-steps`);
  return Math.ceil((numTrainEpochs * passLength) / perDeviceTrainBatchSize);
}

/** The rows of step `step`, counted from 1. */
export function rowsOfStep<Row>(source: RowSource<Row>, step: number, batchSize: number): Row[] {
  return Array.from({ length: batchSize }, (_, index) => source.train((step - 1) * batchSize + index));
}
