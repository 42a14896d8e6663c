/**
 * A GPU program: WGSL text, its bindings and its parameters. The WGSL is the one truth: bindings and the layout of `struct Params` are read from it, and
 * the TypeScript contract beside each op is checked against it when the module loads.
 *
 * A program's variants differ in the values of its ALL_CAPS constants only: a variant replaces `const NAME = value;`. In a text with a line
 * `// unroll`, loops up to a constant are then written out (unroll.ts).
 */

import philox from "../shaders/lib/philox.wgsl?raw";
import rowReduce from "../shaders/lib/row_reduce.wgsl?raw";
import weightBf16 from "../shaders/lib/weight_bf16.wgsl?raw";
import weightF16 from "../shaders/lib/weight_f16.wgsl?raw";
import weightF32 from "../shaders/lib/weight_f32.wgsl?raw";
import weightInt4 from "../shaders/lib/weight_int4.wgsl?raw";
import weightInt8 from "../shaders/lib/weight_int8.wgsl?raw";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import type { BindingAccess, Pipeline } from "../src/gpu/pipelines";
import type { Grid } from "../src/gpu/recorder";
import { unroll } from "./unroll";
import { type WeightStorage, weightStorages } from "./weight_storage";

/** Texts that a shader may include by a line `// include <name>`. */
const LIBRARY: Record<string, string> = {
  philox,
  row_reduce: rowReduce,
  weight_f32: weightF32,
  weight_f16: weightF16,
  weight_bf16: weightBf16,
  weight_int8: weightInt8,
  weight_int4: weightInt4,
};

type ScalarType = "u32" | "i32" | "f32";

interface Field {
  readonly name: string;
  readonly type: ScalarType;
}

/** Values of a variant's constants: u32 numbers, or booleans. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** One call of a program: which buffers, which parameters, how many workgroups. */
export interface Call<Binding extends string, Param extends string> {
  readonly bindings: Readonly<Record<Binding, BufferView>>;
  readonly params: Readonly<Record<Param, number>>;
  readonly constants?: Constants;
  readonly grid: Grid;
}

export interface Program<Binding extends string, Param extends string> {
  readonly name: string;
  readonly bindings: readonly { name: Binding; access: BindingAccess }[];
  /** Records one dispatch of the variant that `call.constants` names. */
  record(gpu: GpuContext, call: Call<Binding, Param>): void;
  /** The WGSL of a variant, with includes resolved and loops to constants written out. */
  wgsl(constants?: Constants): string;
}

/**
 * Reads a program from its WGSL text.
 * @param expected the names the TypeScript side uses, in the order of the WGSL
 * @throws Error when the text and the contract differ: a mistake of ours, found when the module loads
 */
export function defineProgram<Binding extends string, Param extends string>(
  name: string,
  text: string,
  expected: { bindings: readonly Binding[]; params: readonly Param[] },
): Program<Binding, Param> {
  const source = text.replace(/^\/\/ include (\w+)$/gm, (_, part: string) => {
    const included = LIBRARY[part];
    if (included === undefined) throw new Error(`${name}.wgsl includes ${part}, which is not in shaders/lib`);
    return included;
  });
  const fields = parseParams(name, source);
  const declared = parseBindings(source);
  const order = declared.map((binding) => binding.name).join(", ");
  if (order !== expected.bindings.join(", "))
    throw new Error(`${name}.wgsl binds ${order}; its contract says ${expected.bindings.join(", ")}`);
  if (fields.map((field) => field.name).join(", ") !== expected.params.join(", "))
    throw new Error(
      `${name}.wgsl has params ${fields.map((field) => field.name).join(", ")}; its contract says ${expected.params.join(", ")}`,
    );
  const bindings = expected.bindings.map((binding, index) => ({
    name: binding,
    access: declared[index]?.access ?? "read",
  }));
  const accesses = bindings.map((binding) => binding.access);
  const parameterBytes = Math.ceil((fields.length * 4) / 16) * 16;
  const bytes = new ArrayBuffer(parameterBytes);
  const words = new DataView(bytes);
  const packed = new Uint8Array(bytes);
  const variants = new WeakMap<GpuContext, Map<string, Pipeline>>();

  function wgsl(constants: Constants = {}): string {
    let code = source;
    for (const [constant, value] of Object.entries(constants)) {
      const declaration = new RegExp(`^const ${constant} = [^;]+;`, "m");
      if (!declaration.test(code)) throw new Error(`${name}.wgsl has no constant ${constant}`);
      code = code.replace(declaration, `const ${constant} = ${typeof value === "boolean" ? value : `${value}u`};`);
    }
    return /^\/\/ unroll$/m.test(code) ? unroll(code) : code;
  }

  function pipeline(gpu: GpuContext, constants: Constants): Pipeline {
    let known = variants.get(gpu);
    if (known === undefined) {
      known = new Map();
      variants.set(gpu, known);
    }
    let key = "";
    for (const constant in constants) key += `${constant}=${constants[constant]};`;
    let made = known.get(key);
    if (made === undefined) {
      made = gpu.pipelines.get(`${name}(${key})`, wgsl(constants), accesses, parameterBytes);
      known.set(key, made);
    }
    return made;
  }

  return {
    name,
    bindings,
    wgsl,
    record(gpu, call) {
      fields.forEach((field, index) => {
        const value = (call.params as Readonly<Record<string, number>>)[field.name] ?? 0;
        if (field.type === "f32") words.setFloat32(index * 4, value, true);
        else if (field.type === "u32") words.setUint32(index * 4, value, true);
        else words.setInt32(index * 4, value, true);
      });
      const views = bindings.map((binding) => call.bindings[binding.name]);
      gpu.recorder.dispatch(pipeline(gpu, call.constants ?? {}), views, packed, call.grid);
    },
  };
}

/** The programs of a text that includes `weight_f32`, one for each way a weight matrix may be stored. */
export function defineByStorage<Binding extends string, Param extends string>(
  name: string,
  text: string,
  expected: { bindings: readonly Binding[]; params: readonly Param[] },
): Readonly<Record<WeightStorage, Program<Binding, Param>>> {
  const define = (storage: WeightStorage) =>
    defineProgram(
      storage === "f32" ? name : `${name}_${storage}`,
      text.replace(/^\/\/ include weight_f32$/m, `// include weight_${storage}`),
      expected,
    );
  const [f32, f16, bf16, int8, int4] = weightStorages.map(define);
  if (!f32 || !f16 || !bf16 || !int8 || !int4) throw new Error(`${name} lacks a storage`);
  return { f32, f16, bf16, int8, int4 };
}

function parseParams(name: string, source: string): Field[] {
  const body = /struct Params \{([^}]*)\}/.exec(source)?.[1];
  if (body === undefined) throw new Error(`${name}.wgsl has no struct Params`);
  return [...body.matchAll(/(\w+): (u32|i32|f32)/g)].map((match) => ({
    name: match[1] ?? "",
    type: match[2] === "f32" ? "f32" : match[2] === "i32" ? "i32" : "u32",
  }));
}

function parseBindings(source: string): { name: string; access: BindingAccess }[] {
  return [...source.matchAll(/@binding\((\d+)\) var<storage, (read|read_write)> (\w+)/g)]
    .sort((a, b) => Number(a[1]) - Number(b[1]))
    .map((match) => ({ name: match[3] ?? "", access: match[2] === "read" ? "read" : "read_write" }));
}

/** A grid of at least `groups` workgroups; shaders linearise it as `y * grid_width + x`, because one dimension holds 65,535. */
export function linearGrid(groups: number): Grid {
  if (groups <= 65535) return [groups, 1, 1];
  const height = Math.ceil(groups / 65535);
  return [Math.ceil(groups / height), height, 1];
}

/** Invocations per workgroup of element-wise programs. */
export const ELEMENT_LANES = 64;

/** The grid of an element-wise program over `count` elements. */
export function elementGrid(count: number): Grid {
  return linearGrid(Math.ceil(count / ELEMENT_LANES));
}
