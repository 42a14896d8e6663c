/** The weight beta of the KL penalty: fixed, or steered towards a target (arXiv 1909.08593). */
import type { TrainOptions } from "../options/train";
import { controlledKlCoefficient } from "../rl/kl";

export class KlControl {
  /** beta of the step; a resumed run sets it to where it stood. */
  coefficient: number;
  readonly #options: Pick<TrainOptions, "klTarget" | "klHorizon">;

  constructor(options: Pick<TrainOptions, "beta" | "klTarget" | "klHorizon">) {
    this.#options = options;
    this.coefficient = options.beta;
  }

  /** @param kl mean per token over the batch, in nats */
  adapt(kl: number, trajectories: number): void {
    const { klTarget: target, klHorizon: horizon } = this.#options;
    // Log-probs that are no numbers come with an update that is left out; they must not stay on in beta.
    if (target === null || Number.isNaN(kl)) return;
    this.coefficient = controlledKlCoefficient(this.coefficient, kl, trajectories, { target, horizon });
  }
}
