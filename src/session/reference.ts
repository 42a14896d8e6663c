/** The model that training began with, for KL penalties: the model without its adapter, or a frozen copy. */

import type { Model } from "../model/model";
import type { ScoringPass } from "../model/policy-pass";

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
