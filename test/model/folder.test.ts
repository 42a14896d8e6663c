import { describe, expect, it } from "vitest";
import { type ModelConfig, parameterShapes } from "../../src/model/config";
import { type FolderReader, readCheckpoint, writeCheckpoint } from "../../src/model/folder";
import { bytesSource } from "../../src/model/safetensors/read";
import { encodeSafetensors, type TensorToWrite } from "../../src/model/safetensors/write";
import { nodeFolder } from "../../src/platform/node/files";
import { published } from "../support/published";

const config: ModelConfig = {
  architecture: "qwen2",
  hiddenSize: 8,
  intermediateSize: 12,
  layerCount: 2,
  headCount: 2,
  kvHeadCount: 1,
  headDim: 4,
  vocabularySize: 11,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedEmbeddings: true,
  attentionBias: true,
  qkNorm: false,
  eosTokenIds: [1],
};

/** Tensors whose values name the tensor (hundreds) and the index. */
function tensorsOf(model: ModelConfig): TensorToWrite[] {
  return parameterShapes(model).map(({ hfName, shape }, i) => ({
    name: hfName,
    shape,
    data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, j) => i * 100 + j),
  }));
}

type Files = Record<string, string | Uint8Array>;

function memory(files: Files | undefined): FolderReader {
  const bytes = (content: string | Uint8Array) =>
    typeof content === "string" ? new TextEncoder().encode(content) : content;
  return {
    path: "m",
    list: async () => files && Object.keys(files),
    open: async (name) => {
      const content = files?.[name];
      return content === undefined ? undefined : bytesSource(bytes(content));
    },
  };
}

async function saved(
  model: ModelConfig,
  tensors = tensorsOf(model),
  companions?: ReadonlyMap<string, string>,
): Promise<Files> {
  const files: Files = {};
  await writeCheckpoint(
    {
      write: async (name, content) => {
        if (typeof content === "string" || content instanceof Uint8Array) files[name] = content;
        else {
          const chunks: Uint8Array[] = [];
          for await (const chunk of content) chunks.push(chunk);
          files[name] = new Uint8Array(await new Blob(chunks.map((chunk) => chunk.slice())).arrayBuffer());
        }
      },
    },
    model,
    tensors,
    companions,
  );
  return files;
}

async function read(files: Files | undefined): Promise<[string, readonly number[], number[]][]> {
  const list: [string, readonly number[], number[]][] = [];
  for await (const { hfName, shape, data } of (await readCheckpoint(memory(files))).tensors())
    list.push([hfName, shape, [...data]]);
  return list;
}

const expected = (model: ModelConfig) =>
  tensorsOf(model).map(({ name, shape, data }) => [name, shape, typeof data === "function" ? [] : [...data]]);

describe("readCheckpoint", () => {
  it("gives back what was written, tied, untied and with q/k norms", async () => {
    for (const model of [
      config,
      { ...config, tiedEmbeddings: false },
      { ...config, architecture: "qwen3", attentionBias: false, qkNorm: true, headDim: 8 } as const,
    ]) {
      const files = await saved(model);
      expect((await readCheckpoint(memory(files))).config).toEqual(model);
      expect(await read(files)).toEqual(expected(model));
    }
  });

  it("reads shards", async () => {
    const tensors = tensorsOf(config);
    const shards = [tensors.slice(0, 9), tensors.slice(9)];
    const name = (i: number) => `model-0000${i + 1}-of-00002.safetensors`;
    const files = await saved(config);
    delete files["model.safetensors"];
    for (const [i, shard] of shards.entries()) files[name(i)] = await encodeSafetensors(shard);
    const weightMap = Object.fromEntries(shards.flatMap((shard, i) => shard.map((tensor) => [tensor.name, name(i)])));
    files["model.safetensors.index.json"] = JSON.stringify({ metadata: {}, weight_map: weightMap });
    expect(await read(files)).toEqual(expected(config));
    await expect(read({ ...files, [name(1)]: await encodeSafetensors(tensors.slice(10)) })).rejects.toThrow(
      /-00002.safetensors: has no tensor/,
    );
    const { [name(1)]: _, ...partial } = files;
    await expect(read(partial)).rejects.toThrow("m: file model-00002-of-00002.safetensors is missing");
    const twice = JSON.stringify({ weight_map: weightMap }).replace(
      '"model.norm.weight"',
      '"model.norm.weight":"x","model.norm.weight"',
    );
    await expect(read({ ...files, "model.safetensors.index.json": twice })).rejects.toThrow(
      /index\.json: names "model\.norm\.weight" twice/,
    );
    for (const shard of [
      "../secret.safetensors",
      "/etc/passwd",
      "a/../../b.safetensors",
      "..safetensors",
      "c:\\x.safetensors",
      7,
    ]) {
      const map = { ...weightMap, "model.norm.weight": shard };
      await expect(
        read({ ...files, "model.safetensors.index.json": JSON.stringify({ weight_map: map }) }),
      ).rejects.toThrow(/expected a .safetensors file in the same folder/);
    }
  });

  it("finds a tied matrix under either name, and under both when they agree", async () => {
    const [embedding, ...rest] = tensorsOf(config);
    if (embedding === undefined) throw new Error("no tensors");
    const head = { ...embedding, name: "lm_head.weight" };
    expect(await read(await saved(config, [head, ...rest]))).toEqual(expected(config));
    expect(await read(await saved(config, [embedding, head, ...rest]))).toEqual(expected(config));
    const other = { ...head, data: new Float32Array(88) };
    await expect(read(await saved(config, [embedding, other, ...rest]))).rejects.toThrow(
      /set tie_word_embeddings to false/,
    );
    await expect(read(await saved({ ...config, tiedEmbeddings: false }, [embedding, ...rest]))).rejects.toThrow(
      /tensor lm_head.weight of shape \[11, 8\] is missing; .* set tie_word_embeddings to true/,
    );
  });

  it("lets generation_config.json name the ends, carries companions and skips what is no parameter", async () => {
    const companions = new Map([
      ["generation_config.json", '{"eos_token_id":[1,7],"temperature":0.7}'],
      ["tokenizer.json", '{"x":1}'],
    ]);
    const frequencies = { name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: [2], data: new Float32Array(2) };
    const files = await saved(config, [...tensorsOf(config), frequencies], companions);
    const checkpoint = await readCheckpoint(memory(files));
    expect(checkpoint.config.eosTokenIds).toEqual([1, 7]);
    expect(checkpoint.tokenizerJson).toBe('{"x":1}');
    expect(checkpoint.companions).toEqual(companions);
    expect(await read(files)).toEqual(expected(config));
  });

  const without = (name: string) => tensorsOf(config).filter((tensor) => tensor.name !== name);
  it.each<[string, () => Promise<Files | undefined>, RegExp]>([
    ["no folder", async () => undefined, /m: no such folder/],
    ["an empty folder", async () => ({}), /the folder is empty; expected config.json/],
    ["an adapter", async () => ({ "adapter_config.json": "{}" }), /LoRA adapter/],
    [
      "no weights",
      async () => ({ "config.json": (await saved(config))["config.json"] ?? "" }),
      /neither model.safetensors nor/,
    ],
    [
      "a pickle",
      async () => ({ "config.json": (await saved(config))["config.json"] ?? "", "pytorch_model.bin": "x" }),
      /weights in pytorch_model.bin/,
    ],
    ["a broken config", async () => ({ ...(await saved(config)), "config.json": "{" }), /m\/config.json: not JSON/],
    [
      "a missing tensor",
      () => saved(config, without("model.layers.1.mlp.up_proj.weight")),
      /m\/model.safetensors: tensor model.layers.1.mlp.up_proj.weight of shape \[12, 8\] is missing/,
    ],
    [
      "headless names",
      () =>
        saved(
          config,
          tensorsOf(config).map((t) => ({ ...t, name: t.name.replace("model.", "") })),
        ),
      /but embed_tokens.weight is there/,
    ],
    [
      "a wrong shape",
      () =>
        saved(config, [
          ...without("model.norm.weight"),
          { name: "model.norm.weight", shape: [9], data: new Float32Array(9) },
        ]),
      /tensor model.norm.weight has shape \[9\]; config.json asks for \[8\]/,
    ],
    [
      "one layer too many",
      () =>
        saved(config, [
          ...tensorsOf(config),
          { name: "model.layers.2.input_layernorm.weight", shape: [8], data: new Float32Array(8) },
        ]),
      /model.layers.2.input_layernorm.weight has no place in a qwen2 model of 2 layers/,
    ],
    [
      "NaN weights",
      () =>
        saved(config, [
          ...without("model.norm.weight"),
          { name: "model.norm.weight", shape: [8], data: new Float32Array([0, 1, Number.NaN, 3, 4, 5, 6, 7]) },
        ]),
      /m\/model.safetensors: tensor model.norm.weight holds NaN at index 2; expected finite weights/,
    ],
    [
      "a truncated file",
      async () => {
        const files = await saved(config);
        const weights = files["model.safetensors"];
        return {
          ...files,
          "model.safetensors": typeof weights === "string" ? weights : (weights?.subarray(0, -4) ?? ""),
        };
      },
      /cut short/,
    ],
  ])("refuses %s", async (_, files, message) => {
    const input = await files();
    await expect(read(input)).rejects.toThrow(message);
    await expect(read(input)).rejects.toMatchObject({ name: "UserError" });
  });
});

describe("published checkpoints", () => {
  for (const [name, parameters] of [
    ["stories260K", 260_032],
    ["tinystories-656k", 656_000],
    ["verl-digit-completion", 795_776],
  ] as const) {
    const { folder, isMissing, title } = published(name, "model.safetensors");
    it.skipIf(isMissing)(`reads ${title}`, async () => {
      const checkpoint = await readCheckpoint(nodeFolder(folder));
      let count = 0;
      for await (const { data } of checkpoint.tensors()) count += data.length;
      expect(count).toBe(parameters);
    });
  }
});
