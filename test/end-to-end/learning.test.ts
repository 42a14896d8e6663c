import { expect, test } from "vitest";
import { figures, learnsWith, TIMEOUT_MS, train, WINDOW } from "./learning";

test(
  "accuracy and code ratio rise, on exactly the policy that sampled",
  async () => {
    const { accuracy, accuracyRise, codeRise } = figures(await train({ maxSteps: 16 }));
    expect(accuracy).toBeGreaterThan(0.6);
    expect(accuracyRise).toBeGreaterThan(0.3);
    expect(codeRise).toBeGreaterThan(0.4);
  },
  TIMEOUT_MS,
);

test(
  "without an update nothing rises: what the other tests ask for is not chance",
  async () => {
    const { accuracy, accuracyRise, codeRise } = figures(await train({ maxSteps: 2 * WINDOW, learningRate: 0 }));
    expect(accuracy).toBeLessThan(0.4);
    expect(Math.abs(accuracyRise)).toBeLessThan(0.15);
    expect(Math.abs(codeRise)).toBeLessThan(0.15);
  },
  TIMEOUT_MS,
);

learnsWith("nano-zerotir-rpp");
