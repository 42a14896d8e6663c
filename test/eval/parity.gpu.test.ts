/** `zerotir parity` as a program: its file against the f64 reference, for a folder without a tokenizer. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeCheckpoint } from "../../src/model/folder";
import { SafetensorsFile } from "../../src/model/safetensors/read";
import { nodeFolder, writeFolder } from "../../src/platform/node/files";
import * as run from "../../src/run/parity";
import { CONFIGS, largestDifference, Numbers, randomTensors, relativeNormError } from "../support/reference/models";
import { ReferenceModel } from "../support/reference/transformer";

const root = mkdtempSync(join(tmpdir(), "zerotir-parity-"));
afterAll(() => rmSync(root, { recursive: true }));

const config = CONFIGS["qwen2, tied, biases"];
const tensors = randomTensors(config);
const numbers = new Numbers(9);
/** Ragged, of one token, and of more rows than one chunk of the head holds. */
const ids = [7, 1, 64, 2].map((length) => Array.from({ length }, () => numbers.below(config.vocabularySize)));
const coefficients = ids.map((row) => row.map(() => numbers.normal()));
const model = join(root, "model");
const idsFile = join(root, "ids.json");

const request = {
  model,
  ids: idsFile,
  coef: null,
  out: join(root, "out"),
  adapter: null,
  toggles: "safe",
  dtype: "float32",
} as const;
const context = { signal: new AbortController().signal, announce: () => {} };

beforeAll(async () => {
  await writeFolder(model, (writer) =>
    writeCheckpoint(
      writer,
      config,
      tensors.map(({ hfName, shape, data }) => ({ name: hfName, shape, data })),
    ),
  );
  writeFileSync(idsFile, JSON.stringify(ids));
});

/** Runs the command and opens what it wrote. */
async function parity(coef: string | null): Promise<SafetensorsFile> {
  const out = join(root, `out-${coef === null}`, "parity.safetensors");
  const report = await run.parity({ ...request, coef, out }, context);
  expect(report).toMatchObject({ sequences: ids.length, tokens: 74 });
  const source = await nodeFolder(join(out, "..")).open("parity.safetensors");
  expect(report.bytes).toBe(source?.size);
  if (source === undefined) throw new Error("nothing was written");
  return SafetensorsFile.open(source, out);
}

describe("parity", () => {
  test("logits and log-probs, and gradients with coefficients", async () => {
    const coef = join(root, "coef.json");
    writeFileSync(coef, JSON.stringify(coefficients));
    const file = await parity(coef);
    const reference = new ReferenceModel(config, tensors);
    for (const [index, row] of ids.entries()) {
      const wanted = reference.logits(row);
      expect(file.header.tensors.get(`logits.${index}`)).toMatchObject({
        dtype: "F32",
        shape: [row.length, config.vocabularySize],
      });
      expect(largestDifference(await file.floats(`logits.${index}`), wanted.data)).toBeLessThan(2e-5);
      const scored = row.map((_, position) => Number(position > 0));
      const { logprobs } = reference.forward([{ ids: row, scored }]);
      expect(largestDifference(await file.floats(`logprobs.${index}`), [0, ...logprobs])).toBeLessThan(2e-5);
    }
    const pass = reference.forward(ids.map((row) => ({ ids: row, scored: row.map((_, t) => Number(t > 0)) })));
    const gradients = pass.backward(coefficients.flatMap((row) => row.slice(1)));
    expect([...file.header.tensors.keys()].filter((name) => name.startsWith("grad.")).sort()).toEqual(
      [...gradients.keys()].map((name) => `grad.${name}`).sort(),
    );
    for (const [name, gradient] of gradients)
      expect(relativeNormError(await file.floats(`grad.${name}`), gradient), name).toBeLessThan(2e-5);
  });

  test("without coefficients no gradients, and the same bits", async () => {
    const file = await parity(null);
    expect([...file.header.tensors.keys()].every((name) => /^(logits|logprobs)\.\d$/.test(name))).toBe(true);
    expect(file.header.tensors.size).toBe(2 * ids.length);
  });

  test.each([
    ["not JSON", "[1", "not JSON"],
    ["no lists", "{}", "list of lists"],
    ["an empty list", "[[]]", "list 0"],
    ["half an id", "[[1.5]]", "list 0, entry 0: 1.5"],
    ["an id beyond the vocabulary", "[[1],[2,67]]", "sequence 1, token 1: id 67"],
    ["a sequence beyond the positions", JSON.stringify([Array(65).fill(1)]), "only 64 positions"],
  ])("%s is refused", async (_, text, message) => {
    const file = join(root, "bad.json");
    writeFileSync(file, text);
    await expect(run.parity({ ...request, ids: file }, context)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ["fewer lists", JSON.stringify(coefficients.slice(1)), "has 3 lists"],
    [
      "a shorter list",
      JSON.stringify(coefficients.map((row, index) => row.slice(index === 0 ? 1 : 0))),
      "list 0: has 6 coefficients for 7",
    ],
    ["what f32 cannot hold", JSON.stringify(ids.map((row) => row.map(() => 1e39))), "entry 0: 1e+39"],
  ])("coefficients with %s are refused", async (_, text, message) => {
    const coef = join(root, "bad-coef.json");
    writeFileSync(coef, text);
    await expect(run.parity({ ...request, coef }, context)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringContaining(message),
    });
  });
});
