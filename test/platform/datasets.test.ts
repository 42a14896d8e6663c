import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { datasetRequest } from "../../src/data/dataset";
import { datasets } from "../../src/data/registry";
import { openDataset, placeOf } from "../../src/platform/node/datasets";
import { fileServer, send } from "./file-server";

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-datasets-"));
});
afterEach(() => fs.rm(root, { recursive: true, force: true }));

const line = (prompt: string) => `${JSON.stringify({ prompt, answer: "1" })}\n`;
const prompts = async (...given: Parameters<typeof openDataset>) =>
  (await openDataset(...given)).rows.map(({ prompt }) => prompt);

test("a file, and a folder whose files are named by split", async () => {
  await fs.mkdir(join(root, "set", "data"), { recursive: true });
  await fs.writeFile(join(root, "set", "train.jsonl"), line("a"));
  await fs.writeFile(join(root, "set", "data", "test-00000-of-00002.jsonl"), line("b"));
  await fs.writeFile(join(root, "set", "data", "test-00001-of-00002.jsonl"), line("c"));
  const folder = join(root, "set");
  expect(await prompts(datasetRequest(join(folder, "train.jsonl"), "eval"), {})).toEqual(["a"]);
  expect(await prompts(datasetRequest(folder, "train"), {})).toEqual(["a"]);
  expect(await prompts(datasetRequest(folder, "eval"), {})).toEqual(["b", "c"]);
  expect(await prompts(datasetRequest(folder, "train", { split: "test" }), {})).toEqual(["b", "c"]);
  await expect(openDataset(datasetRequest(folder, "train", { split: "dev" }), {})).rejects.toThrow(
    /has no data file of split "dev"; expected dev\.jsonl/,
  );
  await expect(openDataset(datasetRequest(join(folder, "train.jsonl"), "train", { split: "dev" }), {})).rejects.toThrow(
    /is one file, which has no splits/,
  );
});

test("a name is looked for in the folder of ZEROTIR_DATA first; the role or the name decides the split", async () => {
  await fs.writeFile(join(root, "gsm8k-train.jsonl"), line("train"));
  await fs.writeFile(join(root, "gsm8k-test.jsonl"), line("test"));
  const env = { ZEROTIR_DATA: root };
  expect(await prompts(datasetRequest("gsm8k", "train"), env)).toEqual(["train"]);
  expect(await prompts(datasetRequest("gsm8k", "eval"), env)).toEqual(["test"]);
  expect(await prompts(datasetRequest("gsm8k:train", "eval"), env)).toEqual(["train"]);
  expect(await prompts(datasetRequest("gsm8k", "eval", { split: "train" }), env)).toEqual(["train"]);
});

test.each<[string, object, RegExp]>([
  ["gsm9k", {}, /no data set "gsm9k".*the nearest name is gsm8k/],
  ["gsm8k:dev", {}, /gsm8k has no split "dev"; expected one of train, test/],
  ["gsm8k:test", { split: "train" }, /names one split and --dataset-split train another/],
  ["nano", {}, /made while it is used; it has no file/],
  ["none/there.jsonl", {}, /^none\/there\.jsonl: no such file/],
])("%s %j is refused", async (name, rest, message) => {
  await expect(openDataset(datasetRequest(name, "train", rest), {})).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringMatching(message),
  });
});

test("from the hub into the cache, by its addresses; offline it is refused, unless it is cached", async () => {
  const parquet = (name: string) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "question_concat", data: [name], type: "STRING" },
          { name: "Answer", data: ["5.0"], type: "STRING" },
        ],
      }),
    );
  const server = await fileServer((request, response) =>
    send(request, response, parquet(/(train|test)-/.exec(request.url ?? "")?.[1] ?? "")),
  );
  const env = { ZEROTIR_CACHE: root, ZEROTIR_DATA: join(root, "none"), HF_ENDPOINT: `${server.origin}/mirror/` };
  // Only named folders are looked into, whatever lies beside the one that the program was started in.
  const before = process.cwd();
  for (const folder of ["shared/data", "work"]) await fs.mkdir(join(root, folder), { recursive: true });
  await fs.writeFile(join(root, "shared/data/svamp.jsonl"), line("beside"));
  process.chdir(join(root, "work"));
  try {
    const request = datasetRequest("svamp", "eval");
    await expect(openDataset({ ...request, offline: true }, env)).rejects.toThrow(
      /svamp \(test\) is not here \(looked for svamp\.jsonl in .*none, and the cache .*--offline forbids to fetch it from ChilleD\/SVAMP/,
    );
    await expect(openDataset(request, { ...env, HF_HUB_OFFLINE: "1" })).rejects.toThrow(/HF_HUB_OFFLINE forbids/);
    expect(server.requests).toHaveLength(0);
    const told: string[] = [];
    const fetched = await openDataset(request, env, (file) => told.push(file));
    expect(fetched.rows).toMatchObject([
      { prompt: "train", answer: "5.0" },
      { prompt: "test", answer: "5.0" },
    ]);
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/mirror/datasets/ChilleD/SVAMP/resolve/main/data/train-00000-of-00001.parquet",
      "/mirror/datasets/ChilleD/SVAMP/resolve/main/data/test-00000-of-00001.parquet",
    ]);
    expect(new Set(told).size).toBe(2);
    expect(await prompts({ ...request, offline: true }, env)).toEqual(["train", "test"]);
    expect(server.requests).toHaveLength(2);
    await fs.appendFile(join(root, "datasets", "ChilleD--SVAMP", "main", "data", "test-00000-of-00001.parquet"), "x");
    await expect(openDataset(request, env)).rejects.toThrow(/changed since it was fetched/);
    await expect(openDataset(datasetRequest("deepscaler-7k", "train"), env)).rejects.toThrow(
      /is on no hub; set ZEROTIR_DATA/,
    );
  } finally {
    process.chdir(before);
    await server.close();
  }
});

test("every name of the registry is its own, and every split can be had somewhere", () => {
  expect(new Set(datasets.map(({ name }) => name)).size).toBe(datasets.length);
  for (const { splits } of datasets)
    for (const split of Object.values(splits))
      expect(split.localFiles.length > 0 || placeOf(split, {}).kind !== "absent").toBe(true);
});
