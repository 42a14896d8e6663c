/** The model that training began with, for KL penalties: the model without its adapter, or a frozen copy. */

import type { Model } from "../model/model";
import type { TokenStatistics, TrainingSequence } from "../model/policy-pass";

/** What computes statistics of the scored tokens of whole sequences in micro-batches. */
export interface ScoringPass {
  fits(sequences: number, rows: number): boolean;
  forward(sequences: readonly TrainingSequence[], temperature: number): Promise<TokenStatistics>;
}

/** The base of a model with an adapter. @param pass of that model */
export function adapterOff(model: Pick<Model, "useAdapter">, pass: ScoringPass): ScoringPass {
  return {
    fits: (sequences, rows) => pass.fits(sequences, rows),
    forward(sequences, temperature) {
      // The pass is recorded before its promise is returned; whatever is recorded while it is awaited has the adapter
      // again.
      model.useAdapter(false);
      try {
        return pass.forward(sequences, temperature);
      } finally {
        model.useAdapter(true);
      }
    },
  };
}
