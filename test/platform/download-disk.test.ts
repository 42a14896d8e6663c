/** Downloads on a disk that takes less than it is given, and in processes that are killed between two writes. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { download } from "../../src/platform/node/download";
import { type FileServer, fileServer, send } from "./file-server";

const disk = vi.hoisted(() => ({
  mostPerWrite: Number.POSITIVE_INFINITY,
  /** Changes of the disk before the process is killed. */
  left: Number.POSITIVE_INFINITY,
  /** Files that were read from their beginning to their end. */
  read: [] as string[],
  change(): void {
    if (--this.left < 0) throw new Error("killed");
  },
}));
vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs")>();
  return {
    ...original,
    createReadStream(path: string) {
      disk.read.push(path);
      return original.createReadStream(path);
    },
  };
});
vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  const changing =
    <Given extends unknown[], Result>(work: (...given: Given) => Promise<Result>) =>
    async (...given: Given) => {
      disk.change();
      return work(...given);
    };
  return {
    ...original,
    writeFile: changing(original.writeFile),
    rename: changing(original.rename),
    rm: changing(original.rm),
    link: changing(original.link),
    async open(path: string, flags?: string) {
      disk.change();
      const handle = await original.open(path, flags);
      const write = handle.write.bind(handle);
      const taking = async (bytes: Uint8Array, from = 0, length = bytes.byteLength - from) => {
        disk.change();
        return write(bytes, from, Math.min(length, disk.mostPerWrite));
      };
      return Object.assign(handle, { write: taking });
    },
  };
});

const BYTES = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) >> 3);
const OLD = BYTES.map((byte) => byte ^ 0xff);

let root: string;
let server: FileServer;
let target: string;
/** What the server has. */
let offered: { bytes: Uint8Array; etag: string; stopAfter?: number };
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-disk-"));
  target = join(root, "file.bin");
  server = await fileServer((request, response) => send(request, response, offered.bytes, offered));
});
afterEach(async () => {
  Object.assign(disk, { mostPerWrite: Number.POSITIVE_INFINITY, left: Number.POSITIVE_INFINITY, read: [] });
  await server.close();
  await fs.rm(root, { recursive: true });
});
const fetchIt = () => download({ url: new URL("/file.bin", server.origin), target, attempts: 1 });

test("a write that takes a part of the bytes is followed by others", async () => {
  offered = { bytes: BYTES, etag: '"one"' };
  disk.mostPerWrite = 700;
  await fetchIt();
  expect(await fs.readFile(target)).toEqual(Buffer.from(BYTES));
});

test("wherever a process was killed, the next one gets the file as the server has it now", async () => {
  for (let changes = 0; ; changes++) {
    expect(changes).toBeLessThan(100);
    await fs.rm(root, { recursive: true });
    await fs.mkdir(root);
    offered = { bytes: OLD, etag: '"old"', stopAfter: 1000 };
    await expect(fetchIt()).rejects.toThrow(/what has arrived is kept/);
    offered = { bytes: BYTES, etag: '"new"' };
    disk.left = changes;
    const isKilled = await fetchIt().then(
      () => false,
      () => true,
    );
    disk.left = Number.POSITIVE_INFINITY;
    // The lock of a process that died counts for nothing; this one lives.
    await fs.rm(`${target}.lock`, { force: true });
    await fetchIt();
    expect(await fs.readFile(target), `killed after ${changes} changes`).toEqual(Buffer.from(BYTES));
    if (!isKilled) break;
  }
});

test("a file is verified once in a process, and again when it was changed", async () => {
  offered = { bytes: BYTES, etag: '"one"' };
  await fetchIt();
  disk.read = [];
  for (let i = 0; i < 3; i++) await fetchIt();
  expect(disk.read).toEqual([]);
  vi.resetModules();
  const later = await import("../../src/platform/node/download");
  for (let i = 0; i < 3; i++) await later.checkCached(target);
  expect(disk.read).toEqual([target]);
  await fs.writeFile(target, OLD);
  await fs.utimes(target, 1, 1);
  await expect(later.checkCached(target)).rejects.toThrow(/changed since it was fetched/);
  await expect(later.checkCached(target)).rejects.toThrow(/changed since it was fetched/);
  expect(disk.read).toHaveLength(3);
});
