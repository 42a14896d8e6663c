import { expect, test } from "vitest";
import { napWhileWaiting } from "../../src/platform/node/polling";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("one nap per turn of the event loop, however many waits began in it", async () => {
  let naps = 0;
  let pending = 0;
  const wait = napWhileWaiting(() => naps++);
  // A rollout: each answer is followed at once by the next question, so waiting ends and begins again within one turn.
  for (let batch = 0; batch < 20; batch++) {
    pending = 1;
    wait(() => pending > 0);
    await turn();
    pending = 0;
  }
  expect(naps).toBeGreaterThan(10);
  expect(naps).toBeLessThanOrEqual(21);
  await turn();
  const before = naps;
  await turn();
  expect(naps, "nobody waits any more").toBe(before);
  pending = 1;
  wait(() => pending > 0);
  await turn();
  await turn();
  expect(naps, "waits that come later nap again").toBeGreaterThan(before);
  pending = 0;
});
