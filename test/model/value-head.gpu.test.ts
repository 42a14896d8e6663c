/** Checkpoints with a value head: made from a language model's, written, read back, and not taken for one another. */
import { describe, expect, test } from "vitest";
import type { ModelConfig } from "../../src/model/config";
import {
  type Checkpoint,
  type FolderReader,
  type FolderWriter,
  readCheckpoint,
  readCritic,
  writeCheckpoint,
} from "../../src/model/folder";
import { withValueHead } from "../../src/model/initialise";
import { Model } from "../../src/model/model";
import { bytesSource } from "../../src/model/safetensors/read";
import { bitsOf, CONFIGS, modelContext, randomTensors } from "../support/reference/models";

/** What `write` writes, as a folder. */
async function folderOf(write: (writer: FolderWriter) => Promise<void>): Promise<FolderReader> {
  const files = new Map<string, Uint8Array>();
  await write({
    write: async (name, content) => {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      if (typeof content === "string") parts.push(new TextEncoder().encode(content));
      else if (content instanceof Uint8Array) parts.push(content.slice());
      else for await (const part of content) parts.push(part.slice());
      files.set(name, new Uint8Array(await new Blob(parts).arrayBuffer()));
    },
  });
  return {
    path: "m",
    list: async () => [...files.keys()],
    open: async (name) => {
      const bytes = files.get(name);
      return bytes && bytesSource(bytes);
    },
  };
}

/** A folder whose config.json is of `config` and whose tensors are random ones of `stored`. */
function saved(config: ModelConfig, stored = config): Promise<FolderReader> {
  const tensors = randomTensors(stored).map(({ hfName, shape, data }) => ({ name: hfName, shape, data }));
  return folderOf((writer) => writeCheckpoint(writer, config, tensors, new Map([["merges.txt", "a b\n"]])));
}

async function valuesOf(checkpoint: Checkpoint): Promise<Map<string, Uint32Array>> {
  const values = new Map<string, Uint32Array>();
  for await (const { hfName, data } of checkpoint.tensors()) values.set(hfName, bitsOf(data.slice()));
  return values;
}

const names = ["llama, tied", "llama, untied, one key head, scaled rotations", "qwen2, tied, biases"] as const;

describe.each(names)("%s", (name) => {
  const config = CONFIGS[name];

  test("a critic made from it has its layers and a head of 0, and comes back from a folder to the bit", async () => {
    const gpu = await modelContext();
    const source = await readCheckpoint(await saved(config));
    const made = withValueHead(source, "alone");
    expect(made.config).toEqual({ ...config, valueHead: "alone" });
    const values = await valuesOf(made);
    const wanted = await valuesOf(source);
    wanted.delete("lm_head.weight");
    wanted.set("score.weight", new Uint32Array(config.hiddenSize));
    expect(values).toEqual(wanted);

    const model = new Model(gpu, made.config, 8);
    await model.load(made);
    const folder = await folderOf((writer) =>
      writeCheckpoint(writer, made.config, model.trained.toWrite(), made.companions),
    );
    const back = await readCritic(folder);
    expect(back.config).toEqual(made.config);
    expect(back.companions).toEqual(source.companions);
    expect(await valuesOf(back)).toEqual(values);
    await expect(readCheckpoint(folder)).rejects.toThrow(/ForTokenClassification, which gives values and no text/);
    model.destroy();
  });

  test("one with both heads has all of its tensors, and comes back as a language model", async () => {
    const source = await readCheckpoint(await saved(config));
    const made = withValueHead(source, "shared");
    const wanted = await valuesOf(source);
    wanted.set("score.weight", new Uint32Array(config.hiddenSize));
    expect(await valuesOf(made)).toEqual(wanted);

    const shared: ModelConfig = { ...config, valueHead: "shared" };
    const folder = await saved(shared);
    const back = await readCheckpoint(folder);
    expect(back.config).toEqual(shared);
    const stored = new Map(randomTensors(shared).map(({ hfName, data }) => [hfName, bitsOf(data)]));
    expect(await valuesOf(back)).toEqual(stored);
    // A head that is there is kept.
    for (const kind of ["shared", "alone"] as const) {
      const { data } = await withValueHead(back, kind).tensor("score.weight");
      expect(bitsOf(data.slice())).toEqual(stored.get("score.weight"));
    }
    await expect(readCritic(folder)).rejects.toThrow(/expected a critic, \w+ForTokenClassification/);
  });
});

test("heads that config.json promises must be there, and others have no place", async () => {
  const config: ModelConfig = { ...CONFIGS["llama, tied"], tiedEmbeddings: false };
  const shared: ModelConfig = { ...config, valueHead: "shared" };
  const critic: ModelConfig = { ...config, valueHead: "alone" };
  const noValues = /tensor score.weight of shape \[1, 32\] is missing/;
  await expect(readCheckpoint(await saved(shared, config))).rejects.toThrow(noValues);
  await expect(readCheckpoint(await saved(config, critic))).rejects.toThrow(/tensor lm_head.weight .* is missing/);
  await expect(readCritic(await saved(critic, shared))).rejects.toThrow(/tensor lm_head.weight has no place/);
  const plain = await readCheckpoint(await saved(config, shared));
  expect([...(await valuesOf(plain)).keys()]).not.toContain("score.weight");
});
