/** KV page copies. */
import { at } from "../src/base/must";
import { Tensor } from "./tensor";

/** pages [pages, elements]; NaN ("left as it was") in the pages that are no target. */
export function kvCopyReference(pages: Tensor, from: Uint32Array, to: Uint32Array): Tensor {
  const after = Tensor.untouched(pages.shape);
  to.forEach((page, i) => {
    for (let c = 0; c < pages.size(1); c++) after.set(pages.at(at(from, i), c), page, c);
  });
  return after;
}
