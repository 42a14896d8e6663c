/** Cases of KV page copies: several targets may have one source. */
import { at } from "../src/base/must";
import { defineCase, type KernelCase, type Op, words } from "./cases/case";
import { kvCopy } from "./kv_copy";
import { kvCopyReference } from "./kv_copy.reference";
import { Tensor } from "./tensor";

export function kvCopyCase(shape: { pages: number; count: number; pageElements: number }): KernelCase {
  const { pages, count, pageElements } = shape;
  return defineCase({
    name: `kv_copy ${count} of ${pages} pages x ${pageElements}`,
    tolerance: 0,
    flops: 0,
    bytes: words(4 * count * pageElements, 2 * count),
    inputs(random) {
      const order = random.permutation(pages);
      const sources = order.slice(count);
      return {
        fromPages: Uint32Array.from({ length: count }, () => at(sources, random.below(sources.length))),
        toPages: order.slice(0, count),
        kPages: random.normals(pages * pageElements),
        vPages: random.normals(pages * pageElements),
      };
    },
    outputs: { kPages: pages * pageElements, vPages: pages * pageElements },
    run(gpu, views) {
      kvCopy(gpu, views, shape);
    },
    expected({ fromPages, toPages, kPages, vPages }) {
      const copied = (values: Float32Array) =>
        kvCopyReference(new Tensor([pages, pageElements], values), fromPages, toPages);
      return { kPages: copied(kPages), vPages: copied(vPages) };
    },
  });
}

export const kvCopyOp: Op = {
  name: "kv_copy",
  cases: [
    kvCopyCase({ pages: 9, count: 5, pageElements: 48 }),
    kvCopyCase({ pages: 2, count: 1, pageElements: 4 }),
    kvCopyCase({ pages: 2, count: 0, pageElements: 8 }),
  ],
  timed: [kvCopyCase({ pages: 512, count: 128, pageElements: 768 })],
};
