/** Reads RDNA and GCN assembly: loops, and what their vector instructions do. */

/**
 * The loop that computes: of all that hold at least half of the multiply-adds of any, the one with the most among its
 * vector instructions. A loop goes from a label to a branch back to it.
 * @param {string} assembly
 * @returns {{ lines: string[], multiplyAdds: number } | undefined}
 */
export function hotLoop(assembly) {
  const lines = assembly.split("\n").map((line) => line.replace(/(;|\/\/).*$/, "").trim());
  const labels = new Map();
  lines.forEach((line, i) => {
    const label = /^(\w+):/.exec(line)?.[1];
    if (label !== undefined) labels.set(label, i);
  });
  const loops = lines.flatMap((line, end) => {
    const target = /^s_c?branch\w*\s+(\w+)/.exec(line)?.[1];
    const begin = target === undefined ? undefined : labels.get(target);
    return begin !== undefined && begin <= end ? [{ begin, end }] : [];
  });
  const counted = loops.map(({ begin, end }) => {
    const body = lines.slice(begin, end + 1);
    const sum = (of) => body.reduce((total, line) => total + of(line), 0);
    const [work, vector] = [sum(multiplyAdds) + sum(matrixOp), sum(vectorOps)];
    return { lines: body, multiplyAdds: sum(multiplyAdds), work, share: work / Math.max(1, vector) };
  });
  const most = Math.max(0, ...counted.map(({ work }) => work));
  return counted.filter(({ work }) => work > 0 && work * 2 >= most).sort((a, b) => b.share - a.share)[0];
}

const matrixOp = (line) => Number(/v_wmma|v_mfma/.test(line));

/** Multiply-adds per lane of one instruction; a dual-issued one may hold two. */
function multiplyAdds(line) {
  return (
    (line.match(/v_(dual_)?(fma|mad|fmac|fmaak|fmamk)\w*_f32/g) ?? []).length +
    2 * (line.match(/v_pk_fma_f16/g) ?? []).length
  );
}

/** Vector instructions that compute; a dual-issued one counts as its two halves. */
function vectorOps(line) {
  return (line.match(/(^|:: )\s*v_\w+/g) ?? []).length;
}

const LDS_BYTES = /ds_(?:load|read)(?:_2addr)?(2|2st64)?_(?:b|u|i)(\d+)/;

function ldsBytes(line) {
  const found = LDS_BYTES.exec(line);
  if (found === null) return 0;
  const pairs = /2addr|read2/.test(line) ? 2 : 1;
  return (Number(found[2]) / 8) * pairs;
}

/**
 * Shares of a loop: multiply-adds among vector instructions in percent, bytes of workgroup memory read per multiply-add
 * and lane, matrix instructions and how many vector instructions come with each.
 * @param {{ lines: string[], multiplyAdds: number } | undefined} loop
 */
export function mixOf(loop) {
  if (loop === undefined) return {};
  const sum = (of) => loop.lines.reduce((total, line) => total + of(line), 0);
  const vector = sum(vectorOps);
  const matrixOps = sum(matrixOp);
  return {
    fmaShare: vector === 0 ? 0 : Math.round((100 * loop.multiplyAdds) / vector),
    ldsBytes: loop.multiplyAdds === 0 ? null : Math.round((100 * sum(ldsBytes)) / loop.multiplyAdds) / 100,
    matrixOps,
    vectorOps: vector,
  };
}
