import { afterEach, expect, test, vi } from "vitest";
import { runCli } from "../../src/cli/program";
import { testIo } from "./support";

async function doctor(...argv: string[]) {
  const io = testIo();
  const code = await runCli(["doctor", ...argv], io);
  return { code, out: io.stdout.lines(), err: io.stderr.lines() };
}

const breaks = vi.hoisted(() => ({ exactness: false }));
vi.mock("../../src/diagnostics/exactness", async (load) => {
  const real = await load<typeof import("../../src/diagnostics/exactness")>();
  const checkExactness: typeof real.checkExactness = async (gpu) =>
    breaks.exactness ? { tokens: 195, unequal: 1 } : real.checkExactness(gpu);
  return { ...real, checkExactness };
});

afterEach(() => {
  vi.unstubAllEnvs();
  breaks.exactness = false;
});

test("--json gives one object with plausible figures", async () => {
  const { code, out } = await doctor("--json");
  expect(code).toBe(0);
  expect(out).toHaveLength(1);
  const report = JSON.parse(out[0] ?? "");
  expect(report).toMatchObject({
    ok: true,
    exactness: { exact: true, tokens: 195, unequal: 0 },
    profile: { toggles: "safe" },
  });
  for (const name of ["fmaGflops", "matmulGflops", "copyGBs", "dispatchMicros", "readbackMillis"]) {
    expect(report.measured[name], name).toBeGreaterThan(0);
    expect(report.measured[name], name).toBeLessThan(1e6);
  }
  // A product cannot beat the multiply-add roof; the margin is for load from other programs between the two.
  expect(report.measured.matmulGflops).toBeLessThan(3 * report.measured.fmaGflops);
});

test("a broken exactness check fails", async () => {
  breaks.exactness = true;
  const { code, out } = await doctor();
  expect(code).toBe(1);
  expect(out.at(-1)).toMatch(/^exactness +BROKEN: 1 of 195 sampled log-probs differ/);
});

test("no adapter: exit 1 with the reason, on both channels as asked", async () => {
  vi.stubEnv("ZEROTIR_ADAPTER", "no such adapter");
  const plain = await doctor();
  expect(plain).toMatchObject({ code: 1, out: [] });
  expect(plain.err.join()).toMatch(/No adapter matches "no such adapter"/);
  const json = await doctor("--json");
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out.join())).toEqual({ ok: false, error: expect.stringContaining("no such adapter") });
});
