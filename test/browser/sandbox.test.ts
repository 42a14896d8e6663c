import { afterAll, beforeAll, expect, test } from "vitest";
import { runner } from "../sandbox/helper";
import { openSandboxPage, type SandboxPage } from "./sandbox-page";

let opened: SandboxPage;
beforeAll(async () => {
  opened = await openSandboxPage();
  expect(opened.state).toBe("ready");
});
afterAll(() => opened?.close());

const run = runner(() => opened);

test("a program in a page gives what it gives in Node", async () => {
  expect(await run("from fractions import Fraction\nprint(Fraction(1, 3) + Fraction(1, 6))")).toMatchObject({
    status: "ok",
    stdout: "1/2\n",
    stderr: "",
  });
  // The same number is expected of the Node engine.
  expect((await run("import random\nprint(random.random())")).stdout).toBe("0.21678429023386225\n");
});

test("errors, time, memory and recursion", async () => {
  expect(await run("1/0")).toMatchObject({ status: "error" });
  expect(await run("while True: pass", { timeoutMs: 300 })).toMatchObject({ status: "timeout" });
  expect(await run("bytearray(10**9)")).toMatchObject({ status: "oom" });
  expect(await run("def f(n): return 0 if n == 0 else 1 + f(n-1)\nprint(f(900))")).toMatchObject({ stdout: "900\n" });
  const nested =
    "from functools import lru_cache\n@lru_cache(None)\ndef f(n): return 0 if n < 1 else f(n-1) + 1\nprint(f(300))";
  expect(await run(nested)).toMatchObject({ status: "ok", stdout: "300\n" });
  expect((await run("print('after')")).stdout).toBe("after\n");
});
