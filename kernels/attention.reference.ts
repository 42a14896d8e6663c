/** f64 maths of causal attention of rows over the keys of their own slots, with grouped queries. */
import { at } from "../src/base/must";
import { sum, Tensor } from "./tensor";

/** Keys or values by slot, position and head; how they are paged is no matter of the formula. */
export interface Cache {
  readonly kvHeads: number;
  key(slot: number, position: number, kvHead: number, c: number): number;
  value(slot: number, position: number, kvHead: number, c: number): number;
}

interface Row {
  readonly slot: number;
  readonly position: number;
}

/** Scaled scores of one row and head against positions 0 ... its own. */
function scores(q: Tensor, cache: Cache, { slot, position }: Row, row: number, head: number): number[] {
  const headDim = q.size(2);
  const kvHead = Math.floor(head / (q.size(1) / cache.kvHeads));
  return Array.from(
    { length: position + 1 },
    (_, j) => sum(headDim, (c) => q.at(row, head, c) * cache.key(slot, j, kvHead, c)) / Math.sqrt(headDim),
  );
}

/** q [rows, heads, headDim] -> out = softmax(q k / sqrt(headDim)) v, and log(sum(exp(scores))) [rows, heads]. */
export function attentionReference(q: Tensor, cache: Cache, rows: readonly Row[]): { out: Tensor; logSumExp: Tensor } {
  const [heads, headDim] = [q.size(1), q.size(2)];
  const out = new Tensor(q.shape);
  const logSumExp = new Tensor([rows.length, heads]);
  rows.forEach((place, row) => {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor(head / (heads / cache.kvHeads));
      const all = scores(q, cache, place, row, head);
      const top = Math.max(...all);
      const total = all.reduce((sum, score) => sum + Math.exp(score - top), 0);
      logSumExp.set(top + Math.log(total), row, head);
      all.forEach((score, j) => {
        const probability = Math.exp(score - top) / total;
        for (let c = 0; c < headDim; c++) out.add(probability * cache.value(place.slot, j, kvHead, c), row, head, c);
      });
    }
  });
  return { out, logSumExp };
}

/**
 * Gradients of `attentionReference` for rows that are whole sequences: with p the probabilities, dp_j = dout . v_j and
 * ds_j = p_j (dp_j - sum_i p_i dp_i), dq = sum ds_j k_j / sqrt(D), dk_j = sum ds_j q / sqrt(D), dv_j = sum p_j dout. dk
 * and dv are [rows, kvHeads, headDim], by the row of the key's position.
 */
export function attentionBackwardReference(
  q: Tensor,
  cache: Cache,
  rows: readonly Row[],
  dout: Tensor,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  const [heads, headDim] = [q.size(1), q.size(2)];
  const dq = new Tensor(q.shape);
  const dk = new Tensor([rows.length, cache.kvHeads, headDim]);
  const dv = new Tensor([rows.length, cache.kvHeads, headDim]);
  const rowOf = new Map(rows.map(({ slot, position }, row) => [`${slot} ${position}`, row]));
  rows.forEach((place, row) => {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor(head / (heads / cache.kvHeads));
      const all = scores(q, cache, place, row, head);
      const top = Math.max(...all);
      const total = all.reduce((sum, score) => sum + Math.exp(score - top), 0);
      const p = all.map((score) => Math.exp(score - top) / total);
      const dp = all.map((_, j) => sum(headDim, (c) => dout.at(row, head, c) * cache.value(place.slot, j, kvHead, c)));
      const mean = sum(all.length, (j) => at(p, j) * at(dp, j));
      p.forEach((probability, j) => {
        const ds = (probability * (at(dp, j) - mean)) / Math.sqrt(headDim);
        const keyRow = rowOf.get(`${place.slot} ${j}`);
        if (keyRow === undefined) throw new RangeError(`slot ${place.slot} has no row for position ${j}`);
        for (let c = 0; c < headDim; c++) {
          dq.add(ds * cache.key(place.slot, j, kvHead, c), row, head, c);
          dk.add(ds * q.at(row, head, c), keyRow, kvHead, c);
          dv.add(probability * dout.at(row, head, c), keyRow, kvHead, c);
        }
      });
    }
  });
  return { dq, dk, dv };
}
