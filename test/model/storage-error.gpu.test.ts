/** What storing the weights in fewer bits does to the log-probs of trained models: the table of docs/models.md. */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type Checkpoint, readCheckpoint } from "../../src/model/folder";
import { Model } from "../../src/model/model";
import { SequenceScorer } from "../../src/model/sequence-scorer";
import { nodeFolder } from "../../src/platform/node/files";
import { nanoDocuments } from "../../src/supervised/documents";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import { buildNanoTokenizerConfig, buildNanoTokenizerJson } from "../support/nano-tokenizer";
import { freed } from "../support/passes";
import { published } from "../support/published";
import { modelContext, Numbers } from "../support/reference/models";
import { RowRunner } from "../support/reference/rows";

const NANO_BASE = resolve(import.meta.dirname, "../../checkpoints/nano-base");
const LENGTH = 128;
/** Largest mean difference: about twice that of the worst of the three models. */
const BOUNDS = { f16: 1e-3, bf16: 1e-2, int8: 4e-2, int4: 0.6 } as const;

/** Texts that the model itself writes at temperature 1. */
async function ownTexts(checkpoint: Checkpoint): Promise<Uint32Array[]> {
  const gpu = await modelContext();
  const model = freed(new Model(gpu, checkpoint.config, LENGTH));
  await model.load(checkpoint);
  const pages = Uint32Array.from({ length: LENGTH / 8 }, (_, page) => page);
  const runner = freed(new RowRunner(model, 1, { slotLength: LENGTH, pageSize: 8 }, [pages]));
  const numbers = new Numbers(1);
  const texts: Uint32Array[] = [];
  for (let text = 0; text < 4; text++) {
    const ids = new Uint32Array(LENGTH);
    ids[0] = checkpoint.config.bosTokenId ?? 1;
    for (let position = 0; position + 1 < LENGTH; position++) {
      runner.tables.setTokens(0, position, ids.subarray(position, position + 1));
      const [logits = new Float32Array()] = await runner.logits([{ slot: 0, position }]);
      ids[position + 1] = drawn(logits, numbers);
    }
    texts.push(ids);
  }
  return texts;
}

/** By the Gumbel trick: the largest of logits and noise. */
function drawn(logits: Float32Array, numbers: Numbers): number {
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  logits.forEach((logit, id) => {
    const noisy = logit - Math.log(-Math.log((numbers.below(2 ** 24) + 0.5) / 2 ** 24));
    if (noisy > highest) [best, highest] = [id, noisy];
  });
  return best;
}

async function nanoTexts(): Promise<Uint32Array[]> {
  const tokenizer = loadTokenizer(buildNanoTokenizerJson(), buildNanoTokenizerConfig());
  return nanoDocuments(1, tokenizer).heldOut(64);
}

const MODELS = [
  { name: "nano-base", title: "nano-base", folder: NANO_BASE, isMissing: false, textsOf: nanoTexts },
  ...["stories260K", "tinystories-656k"].map((name) => ({
    ...published(name, "model.safetensors"),
    textsOf: ownTexts,
  })),
];

describe("log-probs of f16, bf16, int8 and int4 weights against f32", () => {
  test.for(MODELS)("$title", async ({ name, folder, isMissing, textsOf }, { skip }) => {
    skip(isMissing);
    const gpu = await modelContext();
    const checkpoint = await readCheckpoint(nodeFolder(folder));
    const texts = await textsOf(checkpoint);
    const score = async (storage: "f32" | keyof typeof BOUNDS) => {
      const model = freed(new Model(gpu, checkpoint.config, LENGTH, { storage, trained: "nothing" }));
      await model.load(checkpoint);
      const scorer = freed(new SequenceScorer(model, LENGTH, 2 ** 24));
      const all: number[] = [];
      for (const ids of texts) all.push(...(await scorer.logprobs(ids.subarray(0, LENGTH))).subarray(1));
      return all;
    };
    const exact = await score("f32");
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const loss = -mean(exact);
    const rows: string[] = [];
    const means = { f16: 0, bf16: 0, int8: 0, int4: 0 };
    for (const storage of ["f16", "bf16", "int8", "int4"] as const) {
      const stored = await score(storage);
      const differences = stored.map((value, t) => Math.abs(value - (exact[t] ?? Number.NaN)));
      const figures = [mean(differences), Math.max(...differences), -mean(stored) - loss];
      rows.push(`| ${name} | ${storage} | ${figures.map((figure) => figure.toPrecision(2)).join(" | ")} |`);
      means[storage] = mean(differences);
    }
    console.log(`${exact.length} tokens, f32 loss ${loss.toFixed(4)}\n${rows.join("\n")}`);
    for (const storage of ["f16", "bf16", "int8", "int4"] as const)
      expect(means[storage], storage).toBeLessThan(BOUNDS[storage]);
    // A file may hold halves already; blocks with a scale always lose something.
    expect(means.int8).toBeGreaterThan(0);
    expect(means.int4).toBeGreaterThan(means.int8);
  });
});
