import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadPython, PythonModules } from "../../../src/sandbox/python/assets";
import { Interpreter, type PythonImage } from "../../../src/sandbox/python/interpreter";
import { limitsOf, SUITE_LIMITS } from "./case";
import { PROBE, tampering } from "./tamper";

let image: PythonImage;
let module: WebAssembly.Module;
let fresh: string;

function start(collect?: () => void): Interpreter {
  const interpreter = new Interpreter(image, collect);
  interpreter.prepare(module);
  return interpreter;
}

beforeAll(async () => {
  const folder = join(import.meta.dirname, "../../../dist/python");
  const assets = await loadPython(async (name) => Uint8Array.from(await readFile(join(folder, name))));
  image = assets.image;
  module = await new PythonModules(assets).get(SUITE_LIMITS.memoryMb);
  const { status, stdout } = start().run(module, { ...SUITE_LIMITS, code: PROBE });
  expect(status).toBe("ok");
  fresh = stdout;
});

describe("before the next program begins, the whole memory is the snapshot again", () => {
  /** One for all, so that each program follows the others. */
  let interpreter: Interpreter;
  let collections = 0;
  let drops = 0;
  beforeAll(() => {
    interpreter = start(() => collections++);
  });

  /** What a worker does between two programs. */
  function next(): { memoryGrew: boolean; reused: boolean } {
    const bytes = interpreter.inspect()?.bytes ?? 0;
    interpreter.restore();
    interpreter.prepare(module);
    const reused = (interpreter.inspect()?.runs ?? 0) > 0;
    if (!reused) drops++;
    return { memoryGrew: bytes > image.memory.length, reused };
  }

  test("the comparison sees a program's traces", () => {
    expect(interpreter.inspect()).toEqual({ runs: 0, bytes: image.memory.length, difference: undefined });
    interpreter.run(module, { ...SUITE_LIMITS, code: "x = 1" });
    expect(interpreter.inspect()?.difference).toBeTypeOf("number");
    expect(next()).toEqual({ memoryGrew: false, reused: true });
  });

  test.each(tampering.cases.map((each) => ({ ...each, limits: limitsOf(each) })))("$id", ({ code, limits }) => {
    const { status } = interpreter.run(module, { ...limits, code });
    const { memoryGrew, reused } = next();
    // A trapped instance and one whose memory has grown are dropped; all others are used again.
    expect(reused).toBe(status !== "crash" && !memoryGrew);
    expect(interpreter.inspect()?.difference).toBeUndefined();
    expect(interpreter.run(module, { ...SUITE_LIMITS, code: PROBE })).toMatchObject({ status: "ok", stdout: fresh });
    next();
    expect(interpreter.inspect()?.difference).toBeUndefined();
  });

  test("the memory of each dropped instance has been collected, and no other collection asked for", () => {
    expect(drops).toBeGreaterThan(0);
    expect(collections).toBe(drops);
  });
});
