import { describe, expect, test } from "vitest";
import type { PythonResult, PythonStatus } from "../../src/sandbox/engine";
import { createNoEngine } from "../../src/sandbox/no-engine";
import {
  extractCode,
  OVERLONG_NOTICE,
  observationText,
  sanitise,
  wrapObservation,
} from "../../src/sandbox/observation";
import { createMockEngine } from "../support/mock-engine";

function result(status: PythonStatus, stdout = "", stderr = ""): PythonResult {
  return { status, stdout, stderr, ms: 1, queueMs: 0, truncated: false };
}

describe("the program in a block", () => {
  test.each([
    ["text between the fences", "\nprint(1)\n", "print(1)"],
    ["with its fences", "so:\n```python\nprint(1)\n```\nthen", "print(1)"],
    ["no closing fence yet", "```python\nx = 1\nprint(x)", "x = 1\nprint(x)"],
    ["the last of several", "```python\na\n```\n```python\nb\n```", "b"],
    ["Windows line ends", "\r\nif 1:\r\n  print(1)\r\n", "if 1:\n  print(1)"],
    ["an indented block", "\n  if 1:\n    print(1)\n  print(2)\n", "if 1:\n  print(1)\nprint(2)"],
    ["inner blank lines stay", "\n\na = 1\n\nb = 2\n\n", "a = 1\n\nb = 2"],
    ["nothing", " \n\n ", ""],
  ])("%s", (_name, block, code) => {
    expect(extractCode(block)).toBe(code);
  });
});

describe("the text of a result", () => {
  test("stdout of a program that ended well", () => {
    expect(observationText(result("ok", "6\n", "a warning"))).toBe("6\n");
  });

  test("the traceback without files and carets", () => {
    const stderr =
      'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n  File "/usr/lib/a.py", line 2, in f\n' +
      "    x = y\n        ^\nNameError: name 'y' is not defined\n";
    expect(observationText(result("error", "partial", stderr))).toBe(
      "Traceback (most recent call last):\n  line 1, in <module>\n  line 2, in f\n    x = y\n        \nNameError: name 'y' is not defined\n",
    );
    expect(observationText(result("oom", "", "MemoryError\n"))).toBe("MemoryError\n");
  });

  test.each([
    ["timeout", "TimeLimitExceeded"],
    ["output_limit", OVERLONG_NOTICE],
    ["crash", "RunTime ERROR"],
  ] as const)("%s", (status, text) => {
    expect(observationText(result(status, "partial", "partial"))).toBe(text);
  });

  test.each([
    ["terminal escapes", "a\u001b[2Jb\u001b[1;31mc\u001b]0;title\u0007d\u001bMe", "abcde"],
    ["control characters", "a\0b\u0007c\u0008d\u007fe\u009bf", "abcdef"],
    ["tab and line feed stay", "a\tb\nc", "a\tb\nc"],
    ["carriage returns", "a\r\nb\rc", "a\nb\nc"],
    ["lone surrogates", "a\ud800b\udfffc", "a\ufffdb\ufffdc"],
    ["whole pairs stay", "😀é", "😀é"],
    ["overrides of direction", "a\u202eb\u2066c\ufeffd", "abcd"],
  ])("sanitised: %s", (_name, text, clean) => {
    expect(sanitise(text)).toBe(clean);
    expect(observationText(result("ok", text))).toBe(clean);
  });
});

test.each([
  ["6\n", "\n```output\n6\n```\n\n\n"],
  ["6", "\n```output\n6\n```\n\n\n"],
  ["a \n\n", "\n```output\na\n```\n\n\n"],
  ["a ", "\n```output\na \n```\n\n\n"],
  ["", "\n```output\n\n```\n\n\n"],
])("wrapped %j", (text, wrapped) => {
  expect(wrapObservation(text)).toBe(wrapped);
});

describe("engines without Python", () => {
  const call = { code: "1+1", timeoutMs: 1, memoryMb: 64, maxOutputBytes: 64, seed: "s" };

  test("mock", async () => {
    const engine = createMockEngine(({ code, seed }) => {
      if (code === "fail") throw new Error("no");
      return code === "slow" ? { status: "timeout", ms: 5 } : `${code} ${seed}\n`;
    });
    expect(await engine.run(call)).toMatchObject({ status: "ok", stdout: "1+1 s\n" });
    expect(await engine.run({ ...call, code: "slow" })).toMatchObject({ status: "timeout", ms: 5 });
    expect(await engine.run({ ...call, code: "fail" })).toMatchObject({ status: "error", stderr: "no\n" });
    await engine.close();
    await expect(engine.run(call)).rejects.toThrow("closed");
  });

  test("none", async () => {
    expect(observationText(await createNoEngine().run(call))).toBe("Python is not available in this run.\n");
  });
});
