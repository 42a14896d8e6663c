import { expect, test } from "vitest";
import { Closers } from "../../src/base/closers";

test("things are closed in the opposite order, each once, also after one that fails", async () => {
  const closed: string[] = [];
  const closers = new Closers();
  expect(closers.keep("model", (name) => closed.push(name))).toBe("model");
  closers.keep("learner", async (name) => {
    await Promise.resolve();
    closed.push(name);
    throw new Error("lost");
  });
  closers.keep("decoder", (name) => closed.push(name));
  await closers.close();
  await closers.close();
  expect(closed).toEqual(["decoder", "learner", "model"]);
});
