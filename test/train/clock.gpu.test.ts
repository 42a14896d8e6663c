/** A wall clock that is set while a run goes on changes time stamps, and nothing else. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { holdNewRunFolder, newRunFolder } from "../../src/platform/node/run-place";
import { tensorboardEvents } from "../../src/run/tensorboard";
import { allEvents, silentEvents } from "../../src/session/events";
import { isTiming } from "../../src/session/metrics";
import { deterministicFiles, prepare, tinyRun } from "./tiny-run";

const HOUR = 3_600_000;

let root: string;
beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-clock-"));
  await prepare(root);
});
afterAll(() => fs.rm(root, { recursive: true, force: true }));
afterEach(() => {
  vi.useRealTimers();
});

/** Bytes 12 to 20 of an event file's records: field 1, the wall time as a double. */
async function wallTimes(folder: string): Promise<number[]> {
  const name = (await fs.readdir(folder)).find((each) => each.startsWith("events.out.tfevents.")) ?? "";
  const file = await fs.readFile(join(folder, name));
  const times: number[] = [];
  for (let at = 0; at < file.length; ) {
    times.push(file.readDoubleLE(at + 13));
    at += 12 + Number(file.readBigUInt64LE(at)) + 4;
  }
  return times;
}

test.each([
  ["back", -HOUR],
  ["forward", HOUR],
  ["back and forth", 0],
])("set %s at every step and in every phase", async (name, shift) => {
  await tinyRun(root, `steady ${name}`);
  const path = join(root, name);
  await fs.mkdir(path);
  vi.useFakeTimers({ toFake: ["Date"] });
  let jumps = 0;
  const jump = () => vi.setSystemTime(Date.now() + (shift === 0 ? (jumps++ % 2 === 0 ? HOUR : -HOUR) : shift));
  const board = tensorboardEvents(silentEvents, path);
  const events = allEvents(board, { ...silentEvents, onPhase: jump, onStep: jump, onCheckpoint: jump });
  const begun = performance.now();
  const { steps, summary } = await tinyRun(root, name, { events });
  const most = (performance.now() - begun) / 1000;
  expect(await deterministicFiles(path, 4)).toEqual(await deterministicFiles(join(root, `steady ${name}`), 4));
  for (const row of steps)
    for (const [figure, value] of Object.entries(row))
      if (/^time\/|^step_time$/.test(figure)) {
        expect(isTiming(figure)).toBe(true);
        expect(value, figure).toBeGreaterThanOrEqual(0);
        expect(value, figure).toBeLessThan(most);
      }
  expect(summary.seconds).toBeGreaterThan(0);
  expect(summary.seconds).toBeLessThan(most);
  const times = await wallTimes(path);
  expect(times).toHaveLength(5);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(most);
});

test("a run folder gets a name of its own when the clock shows the same second again", async () => {
  const now = new Date("2026-03-04T05:06:07Z");
  const path = join(root, newRunFolder("nano", "nano-base", now));
  const held = [await holdNewRunFolder(path), await holdNewRunFolder(path)];
  expect(held.map((each) => each.path)).toEqual([path, `${path}-2`]);
  for (const each of held) await each.release();
});
