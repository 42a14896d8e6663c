/** `parity`: logits, log-probs and gradients for given token ids. */

import { UserError } from "../base/errors";
import { at } from "../base/must";
import { parityTensors } from "../diagnostics/parity";
import { safetensorsChunks } from "../model/safetensors/write";
import type { TrainOptions } from "../options/train";
import { replaceFile } from "../platform/node/files";
import { checkpointOf } from "../platform/node/training-host";
import type { TrainingHost } from "../session/host";
import type { RunContext } from "./context";
import { withHost } from "./with-host";

const LARGEST_ID = 2 ** 32 - 1;

export interface ParityRequest {
  /** Folder of the model. */
  readonly model: string;
  /** JSON files with token ids and with coefficients of the same shape. */
  readonly ids: string;
  readonly coef: string | null;
  /** The safetensors file to write. */
  readonly out: string;
  readonly dtype: TrainOptions["dtype"];
  readonly adapter: string | null;
  readonly toggles: "safe" | "fast";
}

export interface ParityReport {
  readonly out: string;
  readonly sequences: number;
  readonly tokens: number;
  readonly tensors: number;
  readonly bytes: number;
}

/** @throws UserError for what the user can repair */
export async function parity(request: ParityRequest, { announce }: RunContext): Promise<ParityReport> {
  return withHost(announce, async (host) => {
    const ids = (await matrixOf(host, request.ids, "token ids", isTokenId)).map((row) => Uint32Array.from(row));
    const coefficients =
      request.coef === null
        ? undefined
        : (await matrixOf(host, request.coef, "finite numbers", isCoefficient)).map((row) => Float32Array.from(row));
    if (coefficients !== undefined) refuseOtherShape(ids, coefficients, request);
    const gpu = await host.openGpu(request);
    const { tensors, destroy } = await parityTensors(
      gpu,
      host.modelFolder(await checkpointOf(request.model)),
      host.modelFolder,
      request,
      {
        ids,
        ...(coefficients && { coefficients }),
      },
    );
    try {
      const bytes = await replaceFile(request.out, safetensorsChunks(tensors));
      gpu.assertHealthy();
      const tokens = ids.reduce((sum, row) => sum + row.length, 0);
      return { out: request.out, sequences: ids.length, tokens, tensors: tensors.length, bytes };
    } finally {
      destroy();
    }
  });
}

function isTokenId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST_ID;
}

function isCoefficient(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(Math.fround(value));
}

/** A file with a list of lists. */
async function matrixOf(
  host: TrainingHost,
  file: string,
  what: string,
  isEntry: (value: unknown) => value is number,
): Promise<number[][]> {
  let json: unknown;
  try {
    json = JSON.parse(await host.readText(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${file}: not JSON; expected a list of lists of ${what}`);
    throw error;
  }
  if (!Array.isArray(json) || json.length === 0)
    throw new UserError(`${file}: expected a list of lists of ${what}, such as [[1, 2], [3]]`);
  return json.map((row: unknown, index) => {
    if (!Array.isArray(row) || row.length === 0)
      throw new UserError(`${file}, list ${index}: expected a list of at least one of ${what}`);
    const entries: unknown[] = row;
    const bad = entries.findIndex((value) => !isEntry(value));
    if (bad >= 0)
      throw new UserError(`${file}, list ${index}, entry ${bad}: ${JSON.stringify(entries[bad])}; expected ${what}`);
    return entries.filter(isEntry);
  });
}

function refuseOtherShape(
  ids: readonly Uint32Array[],
  coefficients: readonly Float32Array[],
  request: ParityRequest,
): void {
  if (ids.length !== coefficients.length)
    throw new UserError(
      `${request.coef}: has ${coefficients.length} lists, ${request.ids} ${ids.length}; expected one coefficient per token`,
    );
  ids.forEach((row, index) => {
    const given = at(coefficients, index).length;
    if (given !== row.length)
      throw new UserError(
        `${request.coef}, list ${index}: has ${given} coefficients for ${row.length} tokens; expected one per token`,
      );
  });
}
