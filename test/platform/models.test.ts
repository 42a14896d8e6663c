import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ModelConfig, parameterShapes } from "../../src/model/config";
import { readCheckpoint, writeCheckpoint } from "../../src/model/folder";
import { initialWeights } from "../../src/model/initialise";
import { encodeSafetensors, type TensorToWrite } from "../../src/model/safetensors/write";
import { nodeFolder, writeFolder } from "../../src/platform/node/files";
import { modelFolder } from "../../src/platform/node/models";
import { type FileServer, fileServer, send } from "./file-server";

const config: ModelConfig = {
  architecture: "llama",
  hiddenSize: 8,
  intermediateSize: 12,
  layerCount: 1,
  headCount: 2,
  kvHeadCount: 1,
  headDim: 4,
  vocabularySize: 11,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedEmbeddings: true,
  attentionBias: false,
  qkNorm: false,
  eosTokenIds: [1],
};
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;

let root: string;
let files: Map<string, Uint8Array>;
let server: FileServer | undefined;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-models-"));
  const local = join(root, "local");
  const tensors = [...initialWeights(config, 1)].map(
    ({ hfName, shape, data }): TensorToWrite => ({ name: hfName, shape, data }),
  );
  await writeFolder(local, (writer) => writeCheckpoint(writer, config, tensors));
  const shards = [tensors.slice(0, 4), tensors.slice(4)];
  const map = shards.flatMap((shard, i) => shard.map(({ name }) => [name, SHARDS[i]]));
  files = new Map([
    ["config.json", await fs.readFile(join(local, "config.json"))],
    ["model.safetensors.index.json", new TextEncoder().encode(JSON.stringify({ weight_map: Object.fromEntries(map) }))],
    ["README.md", new TextEncoder().encode("never fetched")],
  ]);
  for (const [i, shard] of shards.entries()) files.set(SHARDS[i] ?? "", await encodeSafetensors(shard));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await fs.rm(root, { recursive: true, force: true });
});

/** A hub with one model. LFS files are behind a redirect that states their checksum. */
function hub(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "";
  const name = path.split("/").at(-1) ?? "";
  const content = files.get(name);
  if (path === "/api/models/some/tiny/revision/main") {
    const siblings = [...files.keys(), "onnx/model.onnx", "../../escape.json"].map((rfilename) => ({ rfilename }));
    send(request, response, new TextEncoder().encode(JSON.stringify({ sha: COMMIT, siblings })));
  } else if (content !== undefined && path === `/some/tiny/resolve/${COMMIT}/${name}`) {
    const checksum = createHash("sha256").update(content).digest("hex");
    const stored = { Location: `/store/${name}`, "X-Linked-Etag": `"${checksum}"` };
    if (name.endsWith(".safetensors")) response.writeHead(302, stored).end();
    else send(request, response, content);
  } else if (content !== undefined && path.startsWith("/store/")) send(request, response, content);
  else response.writeHead(401, { "X-Error-Code": "RepoNotFound" }).end();
}

async function environment(answer: Parameters<typeof fileServer>[0] = hub) {
  server = await fileServer(answer);
  return {
    HF_ENDPOINT: `${server.origin}/`,
    ZEROTIR_CACHE: join(root, "cache"),
    HF_HOME: join(root, "python"),
    HF_TOKEN: "secret",
  };
}
async function tensorsOf(folder: ReturnType<typeof modelFolder>) {
  const list: [string, number[]][] = [];
  for await (const { hfName, data } of (await readCheckpoint(folder)).tensors()) list.push([hfName, [...data]]);
  return list;
}

test("a sharded model by its name: only what is read is fetched, once, with the token; then it is there without the hub", async () => {
  const env = await environment();
  const told = new Set<string>();
  const folder = modelFolder("some/tiny", { onProgress: (file) => told.add(file) }, env);
  expect(server?.requests).toEqual([]);
  const loaded = await tensorsOf(folder);
  expect(loaded).toEqual(await tensorsOf(nodeFolder(join(root, "local"))));
  expect(loaded.length).toBe(parameterShapes(config).length);
  const needed = ["config.json", "model.safetensors.index.json", ...SHARDS];
  expect([...told].sort()).toEqual(needed.toSorted());
  expect(server?.requests.map(({ path }) => path).filter((path) => !path.startsWith("/store/"))).toEqual([
    "/api/models/some/tiny/revision/main",
    ...needed.map((name) => `/some/tiny/resolve/${COMMIT}/${name}`),
  ]);
  expect(new Set(server?.requests.map(({ token }) => token))).toEqual(new Set(["Bearer secret"]));
  const before = server?.requests.length;
  expect(await tensorsOf(modelFolder("some/tiny", { offline: true }, env))).toEqual(loaded);
  expect(server?.requests).toHaveLength(before ?? -1);
  await fs.appendFile(join(root, "cache", "models", "some--tiny", COMMIT, SHARDS[0]), "x");
  await expect(tensorsOf(modelFolder("some/tiny", {}, env))).rejects.toThrow(/changed since it was fetched/);
});

describe("what Python's library has fetched", () => {
  const python = () => join(root, "python", "hub", "models--some--tiny");
  /** As it lays files out: named by their checksums, with links in a folder of the commit. */
  async function fetchedByPython(names: readonly string[], commit = COMMIT) {
    await fs.mkdir(join(python(), "snapshots", commit), { recursive: true });
    for (const folder of ["refs", "blobs"]) await fs.mkdir(join(python(), folder), { recursive: true });
    await fs.writeFile(join(python(), "refs", "main"), commit);
    for (const name of names) {
      const content = files.get(name) ?? new Uint8Array();
      const blob = createHash(name.endsWith(".safetensors") ? "sha256" : "sha1")
        .update(content)
        .digest("hex");
      await fs.writeFile(join(python(), "blobs", blob), content);
      await fs.symlink(`../../blobs/${blob}`, join(python(), "snapshots", commit, name));
    }
  }

  test("is read without the hub, and never if it is damaged", async () => {
    const env = await environment();
    await fetchedByPython([...files.keys()]);
    const expected = await tensorsOf(nodeFolder(join(root, "local")));
    for (const name of ["some/tiny", `some/tiny@${COMMIT}`])
      expect(await tensorsOf(modelFolder(name, { offline: true }, env))).toEqual(expected);
    expect(server?.requests).toEqual([]);
    await fs.appendFile(join(python(), "snapshots", COMMIT, SHARDS[1]), "x");
    await expect(tensorsOf(modelFolder("some/tiny", { offline: true }, env))).rejects.toThrow(
      /model-00002-of-00002\.safetensors: is not what was fetched .*; delete .*blobs/,
    );
  });

  test("is not fetched again, if it is of the same commit", async () => {
    const env = await environment();
    await fetchedByPython([SHARDS[0]]);
    await fetchedByPython([SHARDS[1]], COMMIT.replace("0", "1"));
    expect(await tensorsOf(modelFolder("some/tiny", {}, env))).toEqual(
      await tensorsOf(nodeFolder(join(root, "local"))),
    );
    const asked = server?.requests.map(({ path }) => path.split("/").at(-1));
    expect(asked).not.toContain(SHARDS[0]);
    expect(asked).toContain(SHARDS[1]);
  });
});

test("a folder of that path wins, and a name without a slash is a shipped model", async () => {
  const before = process.cwd();
  process.chdir(root);
  try {
    await fs.mkdir("some");
    await fs.rename("local", join("some", "tiny"));
    expect((await modelFolder("some/tiny").list())?.includes("model.safetensors")).toBe(true);
  } finally {
    process.chdir(before);
  }
  expect((await modelFolder("nano-base").list())?.includes("config.json")).toBe(true);
  expect(await modelFolder("no-such-model").list()).toBeUndefined();
  for (const path of ["./a/b", "../a", "a/b/c", "/a/b"]) expect(await modelFolder(path).list()).toBeUndefined();
});

const answering = (status: number, code?: string) => (_: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(status, code === undefined ? {} : { "X-Error-Code": code }).end();
test.each<[string, Parameters<typeof fileServer>[0], RegExp]>([
  ["missing", answering(401, "RepoNotFound"), /some\/tiny: there is no such folder, and the hub has no such model/],
  ["missing, as mirrors say it", answering(404), /the hub has no such model or it is private \(404\)/],
  ["gated", answering(403, "GatedRepo"), /some\/tiny: is gated \(403\); accept its terms/],
  ["of another revision", answering(404, "RevisionNotFound"), /has no revision main on the hub/],
  ["a web page", (request, response) => send(request, response, new TextEncoder().encode("<html>")), /no commit/],
  [
    "with a commit that is a path",
    (request, response) => send(request, response, new TextEncoder().encode('{"sha":"../../x","siblings":[]}')),
    /names no commit/,
  ],
])("a model that is %s", async (_, answer, message) => {
  const loading = readCheckpoint(modelFolder("some/tiny", {}, await environment(answer)));
  await expect(loading).rejects.toMatchObject({ name: "UserError", message: expect.stringMatching(message) });
});

test("offline", async () => {
  const env = await environment();
  await expect(tensorsOf(modelFolder("some/tiny", { offline: true }, env))).rejects.toThrow(
    /^some\/tiny: there is no such folder, the cache has no .*main\.json, and --offline forbids to fetch it/,
  );
  await expect(tensorsOf(modelFolder("some/tiny", {}, { ...env, HF_HUB_OFFLINE: "1" }))).rejects.toThrow(
    /HF_HUB_OFFLINE forbids/,
  );
  expect(server?.requests).toEqual([]);
});

test.skipIf(process.platform !== "linux")("a full disk", async () => {
  const env = await environment();
  const folder = join(root, "cache", "models", "some--tiny");
  await fs.mkdir(folder, { recursive: true });
  await fs.symlink("/dev/full", join(folder, "main.json.partial"));
  await expect(tensorsOf(modelFolder("some/tiny", {}, env))).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringMatching(
      /the disk is full; free some space or choose another folder for the cache with ZEROTIR_CACHE/,
    ),
  });
});
