import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { crc32c, record, restartEvent, scalarsEvent, versionEvent } from "../../src/report/tensorboard";
import { tensorboardEvents } from "../../src/run/tensorboard";
import type { TrainEvents, TrainPlan } from "../../src/session/events";

/** Debian's, which has its packages: another python3 may come first on the path. */
const PYTHON = "/usr/bin/python3";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function pythonHas(library: string): boolean {
  try {
    execFileSync(PYTHON, ["-c", `import ${library}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

it("computes CRC-32C as RFC 3720 and the check value of its catalogue do", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

it("writes messages as computed by hand", () => {
  // field 1 double 1.0; field 2 varint 300 = ac 02; field 5 of 11 bytes: field 1 of 9: tag "ab", float 0.5
  expect(hex(scalarsEvent(1, 300, [["ab", 0.5]]))).toBe("09000000000000f03f10ac022a0b0a090a026162150000003f");
  expect(hex(versionEvent(1))).toBe(`09000000000000f03f10001a0d${Buffer.from("brain.Event:2").toString("hex")}`);
  expect(hex(restartEvent(1, 3))).toBe("09000000000000f03f10033a020801");
});

it("frames records with their length and masked sums", () => {
  const framed = Buffer.from(record(new TextEncoder().encode("123456789")));
  // e3069283 rotated right by 15 is 2507c60d; plus a282ead8 is c78ab0e5.
  expect([framed.length, framed.readBigUInt64LE(0), framed.readUInt32LE(21)]).toEqual([25, 9n, 0xc78ab0e5]);
});

/** A watcher with its methods on the prototype, as the views of the command line have them. */
class Notices implements TrainEvents {
  readonly notices: string[] = [];
  onPlan() {}
  onPhase() {}
  onStep() {}
  onSample() {}
  onCheckpoint() {}
  onNotice(text: string) {
    this.notices.push(text);
  }
  onFinish() {}
}
const plan: TrainPlan = {
  command: "train",
  model: "m",
  parameters: 1,
  adapter: "a",
  dataset: "d",
  firstStep: 0,
  maxSteps: 4,
  batch: "b",
  runFolder: "r",
};

async function twoStarts(folder: string): Promise<void> {
  const first = tensorboardEvents(new Notices(), folder, 1000, () => 0);
  first.onPlan(plan);
  for (const step of [1, 2, 3]) first.onStep({ step, reward: step / 4, entropy: null });
  const second = tensorboardEvents(new Notices(), folder, 2000, () => 0);
  second.onPlan({ ...plan, firstStep: 2 });
  for (const step of [3, 4]) second.onStep({ step, reward: step / 8 });
}

it("writes a file per start, the second with a restart, and survives a folder that is gone", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "zerotir-tensorboard-"));
  try {
    await twoStarts(folder);
    const names = (await fs.readdir(folder)).sort();
    expect(names.map((name) => name.split(".").slice(0, 4).join("."))).toEqual([
      "events.out.tfevents.1000",
      "events.out.tfevents.2000",
    ]);
    const version = record(versionEvent(2000));
    const file = await fs.readFile(join(folder, names[1] ?? ""));
    const rest = [
      record(restartEvent(2000, 3)),
      record(scalarsEvent(2000, 3, [["reward", 0.375]])),
      record(scalarsEvent(2000, 4, [["reward", 0.5]])),
    ];
    expect(hex(file)).toBe(hex(Buffer.concat([version, ...rest])));
  } finally {
    await fs.rm(folder, { recursive: true });
  }
  const watcher = new Notices();
  const gone = tensorboardEvents(watcher, folder);
  gone.onPlan(plan);
  gone.onStep({ step: 1, reward: 0 });
  gone.onNotice("of the run");
  expect(watcher.notices).toEqual([expect.stringContaining("no more TensorBoard events: ENOENT"), "of the run"]);
});

it("goes forward in time where the wall clock is set back between two starts", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "zerotir-tensorboard-"));
  try {
    for (const wall of [5000, 1400]) {
      const events = tensorboardEvents(new Notices(), folder, wall, () => 0.5);
      events.onPlan(plan);
    }
    const names = (await fs.readdir(folder)).sort();
    expect(names.map((name) => Number(name.split(".")[3]))).toEqual([5000, 5001]);
    expect(hex(await fs.readFile(join(folder, names[1] ?? "")))).toBe(hex(record(versionEvent(5001.5))));
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});

it.skipIf(!pythonHas("tensorboard"))("is read by TensorBoard, without the steps that were made again", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "zerotir-tensorboard-"));
  try {
    await twoStarts(folder);
    const program = `from tensorboard.backend.event_processing.event_accumulator import EventAccumulator as E
a = E(${JSON.stringify(folder)}); a.Reload(); print([(s.step, s.value) for s in a.Scalars("reward")])`;
    expect(execFileSync(PYTHON, ["-c", program], { encoding: "utf8" }).trim()).toBe(
      "[(1, 0.25), (2, 0.5), (3, 0.375), (4, 0.5)]",
    );
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});

it.skipIf(!pythonHas("google.protobuf"))("is read by Google's protobuf", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "zerotir-tensorboard-"));
  try {
    await twoStarts(folder);
    const second = (await fs.readdir(folder)).sort()[1] ?? "";
    const reader = join(import.meta.dirname, "read_events.py");
    const lines = execFileSync(PYTHON, [reader, join(folder, second)], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { wallTime: 2000, fileVersion: "brain.Event:2" },
      { wallTime: 2000, step: "3", sessionLog: { status: 1 } },
      { wallTime: 2000, step: "3", summary: { value: [{ tag: "reward", simpleValue: 0.375 }] } },
      { wallTime: 2000, step: "4", summary: { value: [{ tag: "reward", simpleValue: 0.5 }] } },
    ]);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});
