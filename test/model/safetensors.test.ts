import { describe, expect, it } from "vitest";
import { decodeFloats, encodeFloats } from "../../src/model/safetensors/dtype";
import { bytesSource, SafetensorsFile } from "../../src/model/safetensors/read";
import { encodeSafetensors } from "../../src/model/safetensors/write";

/** A file with this header text and this much data, whatever sense it makes. */
function file(header: string | object, dataBytes: number, claim?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claim ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const open = (bytes: Uint8Array) => SafetensorsFile.open(bytesSource(bytes), "m.safetensors");
const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

describe("safetensors dtypes", () => {
  it("gives back every half and every bfloat16 that is a number", () => {
    const all = new Uint16Array(65536).map((_, i) => i);
    for (const type of ["F16", "BF16"] as const) {
      const values = decodeFloats(new Uint8Array(all.buffer), type);
      const back = new Uint16Array(encodeFloats(values, type).buffer);
      const wrong = all.filter((half, i) => half !== back[i] && !Number.isNaN(values[i]));
      expect([...wrong]).toEqual([]);
      expect(values.filter(Number.isNaN).length).toBe(type === "F16" ? 2 * 1023 : 2 * 127);
      const nans = back.filter((_, i) => Number.isNaN(values[i]));
      expect(decodeFloats(new Uint8Array(nans.buffer), type).every(Number.isNaN)).toBe(true);
    }
  });

  it("knows the values of some bit patterns", () => {
    const halves = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x8000]);
    expect([...decodeFloats(new Uint8Array(halves.buffer), "F16")]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -14,
      Number.POSITIVE_INFINITY,
      -0,
    ]);
    const brains = new Uint16Array([0x3f80, 0xc049, 0x0001]);
    expect([...decodeFloats(new Uint8Array(brains.buffer), "BF16")]).toEqual([1, -3.140625, 2 ** -133]);
  });

  it("rounds to the nearest, ties to even, and overflows to infinity", () => {
    const round = (type: "F16" | "BF16", values: number[]) => [
      ...decodeFloats(encodeFloats(new Float32Array(values), type), type),
    ];
    // Midpoints between neighbours, just below and just above one, for normals and subnormals.
    expect(round("F16", [1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -11 - 2 ** -20])).toEqual([
      1,
      1 + 2 ** -9,
      1 + 2 ** -10,
      1,
    ]);
    expect(round("F16", [65519, 65520, -1e9])).toEqual([65504, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(round("F16", [2 ** -25, 2 ** -25 + 2 ** -40, 3 * 2 ** -25, 2 ** -26, 2 ** -14 - 2 ** -26])).toEqual([
      0,
      2 ** -24,
      2 ** -23,
      0,
      2 ** -14,
    ]);
    expect(round("BF16", [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, 3.4e38])).toEqual([
      1,
      1 + 2 ** -6,
      1 + 2 ** -7,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("reads from an offset that is not aligned", () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat32(1, 1.5, true);
    new DataView(bytes.buffer).setFloat32(5, -2, true);
    expect([...decodeFloats(bytes.subarray(1), "F32")]).toEqual([1.5, -2]);
  });
});

describe("safetensors files", () => {
  const tensors = [
    { name: "b", shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) },
    { name: "a", shape: [3], dtype: "BF16" as const, data: new Float32Array([0.5, -1, 2]) },
    { name: "c", shape: [0, 5], data: async () => new Float32Array(0) },
  ];

  it("comes back as written", async () => {
    const read = await open(await encodeSafetensors(tensors));
    expect([...(await read.floats("b"))]).toEqual([1, 2, 3, 4]);
    expect([...(await read.floats("a"))]).toEqual([0.5, -1, 2]);
    expect((await read.floats("c")).length).toBe(0);
    expect(read.header.metadata).toEqual({ format: "pt" });
    expect(read.header.tensors.get("a")).toMatchObject({ dtype: "BF16", shape: [3] });
  });

  it("writes the same aligned bytes whatever the order", async () => {
    const bytes = await encodeSafetensors(tensors);
    expect(await encodeSafetensors(tensors.toReversed())).toEqual(bytes);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"c":{"dtype":"F32","shape":[0,5],"data_offsets":[16,16]},"a":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]}}',
    );
    expect(bytes.length).toBe(8 + length + 22);
  });

  it("keeps a name that is special to JavaScript", async () => {
    const read = await open(await encodeSafetensors([{ name: "__proto__", shape: [1], data: new Float32Array([7]) }]));
    expect([...(await read.floats("__proto__"))]).toEqual([7]);
  });

  it("does not allocate what a length field claims", async () => {
    const reads: number[] = [];
    const bytes = file("{}", 1000, 4_000_000_000n);
    const source = {
      size: bytes.length,
      read: async (offset: number, length: number) => {
        reads.push(length);
        return bytes.subarray(offset, offset + length);
      },
    };
    await expect(SafetensorsFile.open(source, "m.safetensors")).rejects.toThrow(/claims a header of 4000000000 bytes/);
    expect(reads).toEqual([8]);
  });

  const good = f32([2], 0, 8);
  it.each([
    ["an empty file", new Uint8Array(0), /has 0 bytes/],
    ["a web page", new TextEncoder().encode("<!doctype html><title>404</title>"), /claims a header/],
    ["bytes that are not UTF-8", Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]), /not UTF-8/],
    ["broken JSON", file("{", 0), /not JSON/],
    [
      "a dtype as deep as the stack",
      file(`{"a":{"dtype":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`, 0),
      /unknown dtype a list/,
    ],
    ["a name of a megabyte", file({ ["n".repeat(1e6)]: 1 }, 0), /entry of "n{99}\.\.\. is not an object/],
    ["a header of escapes", file(`{"${"\\\\".repeat(2e6)}":1}`, 0), /is not an object/],
    ["a list", file("[]", 0), /not a JSON object/],
    ["a name twice", file(`{"a":${JSON.stringify(good)},"\\u0061":${JSON.stringify(good)}}`, 8), /names "a" twice/],
    [
      "a field twice",
      file('{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}', 8),
      /names "dtype" twice/,
    ],
    ["overlapping tensors", file({ a: good, b: f32([2], 4, 12) }, 12), /tensor "b" overlaps/],
    ["data beyond the end", file({ a: good, b: f32([2], 8, 16) }, 12), /tensor "b" ends at byte 16/],
    ["a hole", file({ a: good, b: f32([2], 12, 20) }, 20), /4 bytes before tensor "b"/],
    ["bytes left over", file({ a: good }, 12), /4 bytes at the end/],
    ["reversed offsets", file({ a: f32([2], 8, 0) }, 8), /begin <= end/],
    ["negative offsets", file({ a: f32([2], -8, 0) }, 8), /expected \[begin, end\]/],
    ["an unknown dtype", file({ a: { ...good, dtype: "F33" } }, 8), /unknown dtype "F33"/],
    ["too few bytes for the shape", file({ a: f32([3], 0, 8) }, 8), /has 8 bytes, but F32 of shape \[3\] needs 12/],
    ["a shape whose product overflows", file({ a: f32([2 ** 40, 2 ** 40], 0, 8) }, 8), /needs/],
    ["a fractional shape", file({ a: f32([1.5], 0, 6) }, 6), /expected a list of sizes/],
    ["metadata that is no text", file({ __metadata__: { step: 3 } }, 0), /metadata "step"/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
    await expect(open(bytes)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringContaining("m.safetensors"),
    });
  });

  it("says which tensor is missing or of a type that is no float", async () => {
    const read = await open(file({ ids: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 8));
    await expect(read.floats("ids")).rejects.toThrow(
      "m.safetensors: tensor ids is stored as I64; expected F32, F16 or BF16",
    );
    await expect(read.floats("x")).rejects.toThrow("m.safetensors: has no tensor x");
  });
});
