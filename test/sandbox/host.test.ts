import { describe, expect, test } from "vitest";
import { twisterState } from "../../src/sandbox/python/twister";
import { initialPages, setMemory } from "../../src/sandbox/python/wasm-binary";
import { Errno, WasiError } from "../../src/sandbox/wasi/abi";
import { MemoryFs } from "../../src/sandbox/wasi/fs";
import { GuestMemory } from "../../src/sandbox/wasi/memory";
import { CappedOutput } from "../../src/sandbox/wasi/output";
import { Philox, philox } from "../../src/sandbox/wasi/random";

/** The errno a call is refused with. */
function errnoOf(call: () => unknown): number {
  try {
    call();
  } catch (error) {
    if (error instanceof WasiError) return error.errno;
    throw error;
  }
  return Errno.SUCCESS;
}

describe("guest memory", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const guest = new GuestMemory(memory);

  test.each([
    ["u32 at the end", () => guest.u32(65_533)],
    ["u64 at the end", () => guest.u64(65_529)],
    ["a negative pointer", () => guest.u32(-4)],
    ["a length that wraps around", () => guest.slice(16, -8)],
    ["a slice beyond the end", () => guest.slice(65_530, 7)],
    ["writing beyond the end", () => guest.setU64(65_530, 1n)],
  ])("%s is a fault", (_name, call) => {
    expect(errnoOf(call)).toBe(Errno.FAULT);
  });

  test("vectors that point outside are a fault, too many are refused", () => {
    guest.setU32(0, 65_000);
    guest.setU32(4, 1000);
    expect(errnoOf(() => guest.vectors(0, 1))).toBe(Errno.FAULT);
    expect(errnoOf(() => guest.vectors(0, 1025))).toBe(Errno.INVAL);
    expect(errnoOf(() => guest.vectors(0, -1))).toBe(Errno.INVAL);
  });

  test("names: NUL, bad UTF-8 and excess length are refused", () => {
    guest.slice(100, 4).set([0x61, 0, 0x62, 0xff]);
    expect(errnoOf(() => guest.text(100, 3))).toBe(Errno.INVAL);
    expect(errnoOf(() => guest.text(102, 2))).toBe(Errno.ILSEQ);
    expect(errnoOf(() => guest.text(100, 5000))).toBe(Errno.NAMETOOLONG);
    expect(guest.text(100, 1)).toBe("a");
  });

  test("views follow the memory when it grows", () => {
    guest.setU32(8, 7);
    memory.grow(1);
    expect(guest.u32(8)).toBe(7);
    guest.setU32(65_536, 9);
    expect(guest.u32(65_536)).toBe(9);
  });
});

describe("capped output", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("equals the plain text as long as it fits, however it is cut into writes", () => {
    const text = "añ€😀".repeat(10);
    const all = bytes(text);
    for (const step of [1, 2, 3, 7, 100]) {
      const output = new CappedOutput(all.length);
      for (let at = 0; at < all.length; at += step) output.write(all.subarray(at, at + step));
      expect(output.text()).toBe(text);
      expect(output.truncated).toBe(false);
    }
  });

  test("keeps head and tail of a longer text, however it is cut into writes", () => {
    const all = bytes(Array.from({ length: 100 }, (_, index) => String.fromCharCode(97 + (index % 26))).join(""));
    for (const step of [1, 3, 8, 9, 50, 100]) {
      const output = new CappedOutput(20);
      for (let at = 0; at < all.length; at += step) output.write(all.subarray(at, at + step));
      expect(output.text()).toBe("abcdefghijklmno\n[80 bytes left out]\nrstuv");
      expect(output.total).toBe(100);
    }
  });
});

describe("files in memory", () => {
  const limits = { bytes: 100, entries: 5, depth: 2 };
  const open = () => new MemoryFs(new Map([["/lib/a.zip", Uint8Array.of(1, 2, 3)]]), limits);

  test("paths", () => {
    const fs = open();
    const lib = fs.resolve(fs.root, "lib").node;
    expect(fs.resolve(fs.root, "lib/./../lib//a.zip").node).toMatchObject({ kind: "file", size: 3 });
    if (lib?.kind !== "folder") throw new Error("lib is no folder");
    expect(fs.resolve(lib, "../tmp").node).toMatchObject({ kind: "folder" });
    expect(errnoOf(() => fs.resolve(fs.root, ".."))).toBe(Errno.NOTCAPABLE);
    expect(errnoOf(() => fs.resolve(lib, "../../etc"))).toBe(Errno.NOTCAPABLE);
    expect(errnoOf(() => fs.resolve(fs.root, "/etc"))).toBe(Errno.NOTCAPABLE);
    expect(errnoOf(() => fs.resolve(fs.root, "lib/a.zip/x"))).toBe(Errno.NOTDIR);
    expect(errnoOf(() => fs.resolve(fs.root, "x".repeat(256)))).toBe(Errno.NAMETOOLONG);
  });

  test("files handed in can't be changed", () => {
    const fs = open();
    const place = fs.resolve(fs.root, "lib/a.zip");
    if (place.node?.kind !== "file") throw new Error("a.zip is no file");
    const { node } = place;
    expect(errnoOf(() => fs.write(node, 0, Uint8Array.of(9)))).toBe(Errno.ROFS);
    expect(errnoOf(() => fs.resize(node, 0))).toBe(Errno.ROFS);
    expect(errnoOf(() => fs.remove(place, false))).toBe(Errno.ROFS);
    expect(errnoOf(() => fs.createFile(fs.resolve(fs.root, "lib/b")))).toBe(Errno.ROFS);
    expect([...node.data]).toEqual([1, 2, 3]);
  });

  test("quotas count what is there and forget what is gone", () => {
    const fs = open();
    for (let round = 0; round < 10; round++) {
      const file = fs.createFile(fs.resolve(fs.root, "f"));
      fs.write(file, 60, new Uint8Array(40));
      expect(errnoOf(() => fs.write(file, 100, Uint8Array.of(1)))).toBe(Errno.NOSPC);
      expect(errnoOf(() => fs.resize(file, 2 ** 60))).toBe(Errno.FBIG);
      fs.remove(fs.resolve(fs.root, "f"), false);
    }
    for (let index = 0; index < 5; index++) fs.createFile(fs.resolve(fs.root, `f${index}`));
    expect(errnoOf(() => fs.createFile(fs.resolve(fs.root, "f5")))).toBe(Errno.NOSPC);
  });

  test("bytes given up by a shorter file read as zero when it grows again", () => {
    const fs = open();
    const file = fs.createFile(fs.resolve(fs.root, "f"));
    fs.write(file, 0, Uint8Array.of(1, 2, 3, 4));
    fs.resize(file, 1);
    fs.resize(file, 4);
    expect([...file.data.subarray(0, file.size)]).toEqual([1, 0, 0, 0]);
  });

  test("folders: depth, removal, renaming", () => {
    const fs = open();
    fs.createFolder(fs.resolve(fs.root, "d"));
    fs.createFolder(fs.resolve(fs.root, "d/e"));
    expect(errnoOf(() => fs.createFolder(fs.resolve(fs.root, "d/e/f")))).toBe(Errno.NOSPC);
    expect(errnoOf(() => fs.remove(fs.resolve(fs.root, "d"), true))).toBe(Errno.NOTEMPTY);
    expect(errnoOf(() => fs.remove(fs.resolve(fs.root, "d"), false))).toBe(Errno.ISDIR);
    expect(errnoOf(() => fs.rename(fs.resolve(fs.root, "d"), fs.resolve(fs.root, "d/e/g")))).toBe(Errno.NOTSUP);
    fs.rename(fs.resolve(fs.root, "d"), fs.resolve(fs.root, "c"));
    expect(fs.resolve(fs.root, "c/e").node).toBeDefined();
    expect(fs.resolve(fs.root, "d").node).toBeUndefined();
  });
});

test("Philox4x32-10: known answers of the authors' library", () => {
  const all = 0xffff_ffff;
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  expect(philox([all, all, all, all], [all, all])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
});

test("random words depend on the seed and the stream, and on nothing else", () => {
  const draw = (seed: string, stream: number) => {
    const source = new Philox(seed, stream);
    return Array.from({ length: 1000 }, () => source.u32());
  };
  expect(draw("a", 0)).toEqual(draw("a", 0));
  expect(draw("a", 0)).not.toEqual(draw("a", 1));
  expect(draw("a", 0)).not.toEqual(draw("b", 0));
  const ones = draw("a", 0).reduce((sum, word) => sum + word.toString(2).replaceAll("0", "").length, 0);
  // 32000 fair bits: standard deviation 89.
  expect(Math.abs(ones - 16_000)).toBeLessThan(450);
});

test("the generator's state is that of CPython's random.seed", () => {
  // python3 -c "import random; random.seed(1 << 40 | 7); print(random.getstate()[1][:3], random.getstate()[1][623])"
  const state = twisterState([7, 256]);
  expect([state[0], state[1], state[2], state[623]]).toEqual([2147483648, 704317392, 723153410, 3977384188]);
});

test("the memory limit of a wasm file", () => {
  // (module (memory 1))
  const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1);
  const limited = setMemory(module, 200, 300);
  expect(initialPages(limited)).toBe(200);
  expect(WebAssembly.validate(limited)).toBe(true);
  expect([...limited.subarray(8)]).toEqual([5, 6, 1, 1, 0xc8, 1, 0xac, 2]);
  expect(() => setMemory(module, 200, 100)).toThrow("at least 200 pages");
  expect(() => setMemory(Uint8Array.of(1, 2, 3, 4), 1, 2)).toThrow("magic number");
});
