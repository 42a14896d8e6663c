/** Published checkpoints: logits and log-probs against the f64 reference, and greedy text that is known. */
import { describe, expect, test } from "vitest";
import type { Checkpoint, CheckpointTensor } from "../../src/model/folder";
import { readCheckpoint } from "../../src/model/folder";
import { Model } from "../../src/model/model";
import { TrainingPass } from "../../src/model/policy-pass";
import { nodeFolder } from "../../src/platform/node/files";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import { freed } from "../support/passes";
import { published } from "../support/published";
import { largestDifference, modelContext, Numbers, shapeOf } from "../support/reference/models";
import { RowRunner } from "../support/reference/rows";
import { ReferenceModel } from "../support/reference/transformer";

const PAGE_SIZE = 16;

/** Skips, and says what is missing, where the checkpoint is not there. */
function describeModel(name: string, body: (folder: string) => void): void {
  const { isMissing, title, folder } = published(name, "model.safetensors");
  describe.skipIf(isMissing)(title, () => body(folder));
}

async function tensorsOf(checkpoint: Checkpoint): Promise<CheckpointTensor[]> {
  const tensors: CheckpointTensor[] = [];
  for await (const tensor of checkpoint.tensors()) tensors.push(tensor);
  return tensors;
}

function largestIndex(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

describe.each(["stories260K", "tinystories-656k"])("story model", (name) => {
  describeModel(name, (folder) => {
    test("greedy text and its logits", async () => {
      const gpu = await modelContext();
      const checkpoint = await readCheckpoint(nodeFolder(folder));
      const config = { ...checkpoint.config, maxPositions: 65 };
      const tensors = await tensorsOf(checkpoint);
      const model = freed(new Model(gpu, config, config.maxPositions));
      await model.load(checkpoint);
      const pages = Uint32Array.from({ length: Math.ceil(65 / PAGE_SIZE) }, (_, i) => (i * 3) % 5);
      const runner = freed(new RowRunner(model, 1, { slotLength: 65, pageSize: PAGE_SIZE }, [pages]));
      const ids = [config.bosTokenId ?? 1];
      const logits: Float32Array[] = [];
      for (let position = 0; position < 64; position++) {
        runner.tables.setTokens(0, position, Uint32Array.of(ids[position] ?? 0));
        const [row = new Float32Array()] = await runner.logits([{ slot: 0, position }]);
        logits.push(row);
        ids.push(largestIndex(row));
      }
      // One pass of the reference over the whole text: where its own greedy choice is the next token everywhere, its
      // greedy text is this one.
      const expected = new ReferenceModel(config, tensors).logits(ids.slice(0, -1));
      let worst = 0;
      logits.forEach((row, position) => {
        const wanted = expected.data.subarray(position * expected.columns, (position + 1) * expected.columns);
        worst = Math.max(worst, largestDifference(row, wanted));
        expect(largestIndex(wanted), `token ${position + 1}`).toBe(ids[position + 1]);
      });
      console.log(`${name}: largest difference of 64 rows of logits ${worst}`);
      expect(worst).toBeLessThan(2e-4);
      const files = nodeFolder(folder);
      const text = await files.open("tokenizer_config.json");
      const settings: unknown = JSON.parse(new TextDecoder().decode(await text?.read(0, text.size)));
      const tokenizer = loadTokenizer(JSON.parse(checkpoint.tokenizerJson ?? ""), settings);
      expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toMatch(
        /^Once upon a time, there was a little girl named Lily\. She /,
      );
    });
  });
});

describeModel("verl-digit-completion", (folder) => {
  test("log-probs of random digits (bf16 weights, untied)", async () => {
    const gpu = await modelContext();
    const checkpoint = await readCheckpoint(nodeFolder(folder));
    const tensors = await tensorsOf(checkpoint);
    const config = { ...checkpoint.config, maxPositions: 48 };
    const model = freed(new Model(gpu, config, config.maxPositions));
    await model.load(checkpoint);
    const numbers = new Numbers(21);
    const batch = [48, 7, 30].map((length) => ({
      ids: Uint32Array.from({ length }, () => numbers.below(config.vocabularySize)),
      scored: Uint8Array.from({ length }, (_, position) => (position === 0 ? 0 : 1)),
    }));
    const pass = freed(new TrainingPass(model, shapeOf(batch, { pageSize: PAGE_SIZE })));
    const actual = await pass.forward(batch, 1);
    const expected = new ReferenceModel(config, tensors).forward(batch);
    const worst = largestDifference(actual.logprobs, expected.logprobs);
    console.log(`verl-digit-completion: largest difference of ${expected.logprobs.length} log-probs ${worst}`);
    expect(worst).toBeLessThan(2e-4);
    expect(largestDifference(actual.entropies, expected.entropies)).toBeLessThan(2e-4);
  });
});
