/** What happens when the device fails in the middle of a run: a clear end, and nothing left running. */
import { expect, test } from "vitest";
import { withHost } from "../../src/run/with-host";
import type { TrainingHost } from "../../src/session/host";

const childProcesses = () => process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap").length;

/** A call that is under way keeps the engine's process, and with it this one, alive. */
async function runForEver(host: TrainingHost): Promise<void> {
  const engine = await host.openPython({ maxToolCalls: 1, toolMemoryMb: 64 });
  const limits = { timeoutMs: 600_000, memoryMb: 64, maxOutputBytes: 1024, seed: "1" };
  void engine.run({ code: "while True: pass", ...limits }).catch(() => {});
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("the device's error ends the run with its message, and Python does not keep the process alive", async () => {
  const before = childProcesses();
  let during = before;
  const run = withHost(
    () => {},
    async (host) => {
      const { device } = await host.openGpu({ adapter: null, toggles: "safe" });
      await runForEver(host);
      during = childProcesses();
      // No such usage: an error that no scope catches.
      device.createBuffer({ size: 16, usage: 0x8000 });
      // As a readback of a lost device: never settled.
      return new Promise<never>(() => {});
    },
  );
  await expect(run).rejects.toMatchObject({ name: "GpuError", message: expect.stringMatching(/GPU error: .*usage/i) });
  expect(during).toBeGreaterThan(before);
  await until(() => childProcesses() === before);
  expect(childProcesses()).toBe(before);
});

test("a run that fails for another reason leaves nothing running either", async () => {
  const before = childProcesses();
  const run = withHost(
    () => {},
    async (host) => {
      await runForEver(host);
      throw new Error("no room for the KV pages");
    },
  );
  await expect(run).rejects.toThrow(/no room/);
  await until(() => childProcesses() === before);
  expect(childProcesses()).toBe(before);
});
