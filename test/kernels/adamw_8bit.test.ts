import { expect, test } from "vitest";
import { decodeMoments, encodeMoments, momentLevels } from "../../kernels/adamw_8bit";
import { Random } from "../../kernels/cases/inputs";
import { at } from "../../src/base/must";

test.each(["first", "second"] as const)("%s moment: decoded and encoded again gives the same bytes", (kind) => {
  const random = new Random(kind);
  for (const scale of [0, 2 ** -101, 2 ** -100, 1e-20, 1e-3, 0.7, 3e20]) {
    const values = random.normals(1000).map((value) => {
      const wide = scale * value * 10 ** (-9 * random.fraction());
      return kind === "first" ? wide : Math.abs(wide);
    });
    values[0] = scale;
    const stored = encodeMoments(kind, values);
    expect(encodeMoments(kind, decodeMoments(kind, stored, 1000)), `scale ${scale}`).toEqual(stored);
  }
});

test.each(["first", "second"] as const)("%s moment: every level is met, and a value is within half a step", (kind) => {
  const levels = momentLevels[kind];
  const [lowest, next] = [at(levels, 1), at(levels, 2)];
  for (let begin = 0; begin < levels.length; begin += 128) {
    const block = new Float32Array(256);
    block.set(levels.subarray(begin, begin + 128));
    block[255] = 1;
    expect(decodeMoments(kind, encodeMoments(kind, block), 256)).toEqual(block);
  }
  const values = new Random(kind).normals(256).map(Math.abs);
  const most = values.reduce((a, b) => Math.max(a, b));
  const decoded = decodeMoments(kind, encodeMoments(kind, values), 256);
  const half = (next / lowest - 1) / 2;
  values.forEach((value, i) => {
    if (value > lowest * most) expect(Math.abs(at(decoded, i) / value - 1)).toBeLessThanOrEqual(half + 1e-6);
  });
});

test("a second moment above 0 does not become 0", () => {
  expect(decodeMoments("second", encodeMoments("second", Float32Array.of(1, 1e-12, 0)), 3)[1]).toBeCloseTo(1e-7, 12);
});
