/**
 * Reverse-mode differentiation over f64 matrices, for the reference transformer only: every operation computes its
 * result at once and leaves a step that adds its inputs' gradients. It shares no code with the kernels or their
 * references.
 */

/** A row-major matrix with the gradient of the loss with respect to it. */
export class Matrix {
  readonly data: Float64Array;
  readonly gradient: Float64Array;

  constructor(
    readonly rows: number,
    readonly columns: number,
    values?: ArrayLike<number>,
  ) {
    this.data = values === undefined ? new Float64Array(rows * columns) : Float64Array.from(values);
    if (this.data.length !== rows * columns)
      throw new RangeError(`${this.data.length} values for a matrix of ${rows} x ${columns}`);
    this.gradient = new Float64Array(rows * columns);
  }
}

/** Reads an element that is known to be there. */
export function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no element ${index}`);
  return value;
}

function increase(values: Float64Array, index: number, by: number): void {
  values[index] = at(values, index) + by;
}

/** Records operations; `backward` runs their gradients in reverse. */
export class Tape {
  private readonly steps: (() => void)[] = [];

  backward(): void {
    for (const step of this.steps.reverse()) step();
    this.steps.length = 0;
  }

  /** x W^T + bias */
  linear(x: Matrix, weight: Matrix, bias?: Matrix): Matrix {
    const y = new Matrix(x.rows, weight.rows);
    const inner = x.columns;
    for (let r = 0; r < x.rows; r++)
      for (let o = 0; o < weight.rows; o++) {
        let sum = bias === undefined ? 0 : at(bias.data, o);
        for (let i = 0; i < inner; i++) sum += at(x.data, r * inner + i) * at(weight.data, o * inner + i);
        y.data[r * weight.rows + o] = sum;
      }
    this.steps.push(() => {
      for (let r = 0; r < x.rows; r++)
        for (let o = 0; o < weight.rows; o++) {
          const dy = at(y.gradient, r * weight.rows + o);
          if (bias !== undefined) increase(bias.gradient, o, dy);
          for (let i = 0; i < inner; i++) {
            increase(x.gradient, r * inner + i, dy * at(weight.data, o * inner + i));
            increase(weight.gradient, o * inner + i, dy * at(x.data, r * inner + i));
          }
        }
    });
    return y;
  }

  add(a: Matrix, b: Matrix): Matrix {
    const y = new Matrix(
      a.rows,
      a.columns,
      a.data.map((value, i) => value + at(b.data, i)),
    );
    this.steps.push(() => {
      y.gradient.forEach((dy, i) => {
        increase(a.gradient, i, dy);
        increase(b.gradient, i, dy);
      });
    });
    return y;
  }

  /** x / sqrt(mean(x^2) + epsilon) * gain over each run of `gain.columns` elements. */
  rmsNorm(x: Matrix, gain: Matrix, epsilon: number): Matrix {
    const y = new Matrix(x.rows, x.columns);
    const width = gain.columns;
    const scales: number[] = [];
    for (let start = 0; start < x.data.length; start += width) {
      let squares = 0;
      for (let i = 0; i < width; i++) squares += at(x.data, start + i) ** 2;
      const scale = 1 / Math.sqrt(squares / width + epsilon);
      scales.push(scale);
      for (let i = 0; i < width; i++) y.data[start + i] = at(x.data, start + i) * scale * at(gain.data, i);
    }
    this.steps.push(() => {
      scales.forEach((scale, vector) => {
        const start = vector * width;
        let projected = 0;
        for (let i = 0; i < width; i++)
          projected += at(y.gradient, start + i) * at(gain.data, i) * at(x.data, start + i);
        for (let i = 0; i < width; i++) {
          const dy = at(y.gradient, start + i);
          const value = at(x.data, start + i);
          increase(gain.gradient, i, dy * value * scale);
          increase(x.gradient, start + i, scale * dy * at(gain.data, i) - (value * scale ** 3 * projected) / width);
        }
      });
    });
    return y;
  }

  /**
   * Rotary embedding of every head: element i of the first half turns with element i of the second by row *
   * frequencies[i].
   */
  rotate(x: Matrix, frequencies: readonly number[]): Matrix {
    const y = new Matrix(x.rows, x.columns);
    const half = frequencies.length;
    const turn = (from: Float64Array, to: Float64Array, direction: number) => {
      for (let row = 0; row < x.rows; row++)
        for (let head = 0; head < x.columns; head += 2 * half)
          frequencies.forEach((frequency, i) => {
            const first = row * x.columns + head + i;
            const [cos, sin] = [Math.cos(row * frequency), direction * Math.sin(row * frequency)];
            const [a, b] = [at(from, first), at(from, first + half)];
            increase(to, first, a * cos - b * sin);
            increase(to, first + half, b * cos + a * sin);
          });
    };
    turn(x.data, y.data, 1);
    this.steps.push(() => turn(y.gradient, x.gradient, -1));
    return y;
  }

  /** Causal attention of one sequence; query head h reads key head floor(h * keyHeads / heads). */
  attention(q: Matrix, k: Matrix, v: Matrix, heads: number, keyHeads: number): Matrix {
    const y = new Matrix(q.rows, q.columns);
    const width = q.columns / heads;
    const scale = 1 / Math.sqrt(width);
    const dot = (a: Float64Array, from: number, b: Float64Array, start: number) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += at(a, from + i) * at(b, start + i);
      return sum;
    };
    const each = (visit: (query: number, keyOf: (row: number) => number, index: number, row: number) => void) => {
      for (let row = 0; row < q.rows; row++)
        for (let head = 0; head < heads; head++) {
          const column = Math.floor((head * keyHeads) / heads) * width;
          visit(row * q.columns + head * width, (other) => other * k.columns + column, row * heads + head, row);
        }
    };
    const weights: Float64Array[] = [];
    each((query, keyOf, index, row) => {
      const scores = Float64Array.from({ length: row + 1 }, (_, s) => scale * dot(q.data, query, k.data, keyOf(s)));
      const top = scores.reduce((a, b) => Math.max(a, b));
      const powers = scores.map((score) => Math.exp(score - top));
      const total = powers.reduce((a, b) => a + b);
      const mine = powers.map((power) => power / total);
      weights[index] = mine;
      mine.forEach((weight, s) => {
        for (let i = 0; i < width; i++) increase(y.data, query + i, weight * at(v.data, keyOf(s) + i));
      });
    });
    this.steps.push(() => {
      each((query, keyOf, index) => {
        const mine = weights[index] ?? new Float64Array();
        const dweights = mine.map((_, s) => dot(y.gradient, query, v.data, keyOf(s)));
        const mean = mine.reduce((sum, weight, s) => sum + weight * at(dweights, s), 0);
        mine.forEach((weight, s) => {
          const key = keyOf(s);
          const dscore = weight * (at(dweights, s) - mean) * scale;
          for (let i = 0; i < width; i++) {
            increase(v.gradient, key + i, weight * at(y.gradient, query + i));
            increase(q.gradient, query + i, dscore * at(k.data, key + i));
            increase(k.gradient, key + i, dscore * at(q.data, query + i));
          }
        });
      });
    });
    return y;
  }

  /** silu(gate) * up */
  swiglu(gate: Matrix, up: Matrix): Matrix {
    const sigmoid = gate.data.map((value) => 1 / (1 + Math.exp(-value)));
    const y = new Matrix(
      gate.rows,
      gate.columns,
      gate.data.map((value, i) => value * at(sigmoid, i) * at(up.data, i)),
    );
    this.steps.push(() => {
      y.gradient.forEach((dy, i) => {
        const [value, s] = [at(gate.data, i), at(sigmoid, i)];
        increase(up.gradient, i, dy * value * s);
        increase(gate.gradient, i, dy * at(up.data, i) * s * (1 + value * (1 - s)));
      });
    });
    return y;
  }

  /** Rows `ids` of a table. */
  gather(table: Matrix, ids: ArrayLike<number>): Matrix {
    const width = table.columns;
    const y = new Matrix(ids.length, width);
    for (let row = 0; row < ids.length; row++)
      for (let i = 0; i < width; i++) y.data[row * width + i] = at(table.data, at(ids, row) * width + i);
    this.steps.push(() => {
      y.gradient.forEach((dy, i) => {
        increase(table.gradient, at(ids, Math.floor(i / width)) * width + (i % width), dy);
      });
    });
    return y;
  }

  /**
   * Per row the log-prob of its target and the entropy under softmax(logits / temperature) over the first `vocabulary`
   * columns; only the log-probs [rows, 1] carry a gradient.
   */
  logProbs(
    logits: Matrix,
    targets: ArrayLike<number>,
    settings: { temperature: number; vocabulary: number },
  ): { logprobs: Matrix; entropies: Float64Array } {
    const { temperature, vocabulary } = settings;
    const logprobs = new Matrix(logits.rows, 1);
    const entropies = new Float64Array(logits.rows);
    const probabilities: Float64Array[] = [];
    for (let row = 0; row < logits.rows; row++) {
      const start = row * logits.columns;
      const scaled = logits.data.subarray(start, start + vocabulary).map((z) => z / temperature);
      const top = scaled.reduce((a, b) => Math.max(a, b));
      const logSum = top + Math.log(scaled.reduce((sum, z) => sum + Math.exp(z - top), 0));
      const mine = scaled.map((z) => Math.exp(z - logSum));
      probabilities.push(mine);
      logprobs.data[row] = at(scaled, at(targets, row)) - logSum;
      entropies[row] = -mine.reduce((sum, p, i) => sum + p * (at(scaled, i) - logSum), 0);
    }
    this.steps.push(() => {
      probabilities.forEach((mine, row) => {
        const upstream = at(logprobs.gradient, row) / temperature;
        mine.forEach((p, i) => {
          increase(logits.gradient, row * logits.columns + i, upstream * ((i === at(targets, row) ? 1 : 0) - p));
        });
      });
    });
    return { logprobs, entropies };
  }
}
