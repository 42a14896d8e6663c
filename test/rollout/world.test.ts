import { expect, test } from "vitest";
import { ENGINE_FAILED, runPython, withDeadline } from "../../src/rollout/world";
import { createMockEngine } from "../support/mock-engine";

const call = { code: "print(1)", timeoutMs: 20, memoryMb: 64, maxOutputBytes: 64, seed: "1" };

test("a call that is never answered is given up and becomes a crash; the others are answered", async () => {
  let calls = 0;
  const engine = withDeadline(
    createMockEngine(() => (calls++ === 0 ? new Promise<never>(() => {}) : "2\n")),
    10,
  );
  const errors: unknown[] = [];
  const [lost, next] = await Promise.all([
    runPython(engine, call, (error) => errors.push(error)),
    runPython(engine, call, (error) => errors.push(error)),
  ]);
  expect(lost).toMatchObject({ status: "crash", stderr: ENGINE_FAILED });
  expect(next).toMatchObject({ status: "ok", stdout: "2\n" });
  expect(errors).toEqual([new Error("Python gave no answer in 0.03 s")]);
});

test("calls wait for those before them as long as these may take", async () => {
  let answer: (text: string) => void = () => {};
  const last = new Promise<string>((resolve) => {
    answer = resolve;
  });
  let calls = 0;
  const engine = withDeadline(
    createMockEngine(() => (++calls < 4 ? new Promise<never>(() => {}) : last)),
    10,
  );
  const lost = [0, 1, 2].map(() => runPython(engine, call, () => {}));
  const patient = runPython(engine, call, () => {});
  await lost[1];
  answer("late\n");
  expect(await patient).toMatchObject({ status: "ok", stdout: "late\n" });
  await Promise.all(lost);
});
