import { expect, test } from "vitest";
import { type BenchRow, benchKernels } from "../../kernels/bench/bench";
import { testContext } from "./support";

const io = { out: () => {}, log: () => {} };

test("the microbenchmark prints its rows as JSON lines and checks what it times", async () => {
  const gpu = await testContext();
  const lines: string[] = [];
  const rows = await benchKernels({ filter: "swiglu", json: true }, gpu, {
    out: (line) => lines.push(line),
    log: () => {},
  });
  expect(rows.map(({ name }) => name)).toEqual(["swiglu 1024 x 256", "swiglu_backward 1024 x 256"]);
  const parsed = lines.map((line): unknown => JSON.parse(line));
  expect(parsed[0]).toMatchObject({ adapter: gpu.profile.adapterName });
  expect(parsed.slice(1)).toEqual(rows);
  for (const row of rows satisfies BenchRow[]) {
    expect(row.seconds).toBeGreaterThan(0);
    if (gpu.profile.hasTimestamps) expect(row.gpuSeconds).toBeGreaterThan(0);
    else expect(row.gpuSeconds).toBeNull();
    expect(row.gbs).toBeGreaterThan(0);
    expect(row.dispatches).toBe(1);
    expect(row.error).toBeLessThan(2e-6);
  }
});

test("what a case expects as integers is checked too, here the bits of 16-bit weights", async () => {
  const rows = await benchKernels({ filter: "store_halves 206000" }, await testContext(), io);
  expect(rows.map(({ name, error }) => [name, error])).toEqual([
    ["store_halves 206000 as f16", 0],
    ["store_halves 206000 as bf16", 0],
  ]);
});

test("a name that no case has is the user's mistake", async () => {
  await expect(benchKernels({ filter: "convolution" }, await testContext(), io)).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringContaining("swiglu"),
  });
});
