/**
 * A GPU program: WGSL text, its bindings and its parameters. The WGSL is the one truth: bindings and the layout of
 * `struct Params` are read from it, and the TypeScript contract beside each op is checked against it when the module
 * loads.
 *
 * `// include name` puts in the text of shaders/lib/name.wgsl. A program's variants differ in the values of its
 * ALL_CAPS constants only: a variant replaces `const NAME = value;`. In a text with a line `// unroll`, loops up to a
 * constant are then written out (unroll.ts).
 */
import { at, must } from "../src/base/must";
import type { BufferView } from "../src/gpu/buffers";
import type { GpuContext } from "../src/gpu/context";
import type { BindingAccess, Pipeline } from "../src/gpu/pipelines";
import type { Grid } from "../src/gpu/recorder";
import { unroll } from "./unroll";
import type { WeightStorage } from "./weight_storage";

/** The texts of shaders/lib by their paths. */
const LIBRARY = import.meta.glob<string>("../shaders/lib/*.wgsl", { query: "?raw", import: "default", eager: true });

/** A field of `struct Params`: f32, or u32. */
interface Field {
  readonly name: string;
  readonly isFloat: boolean;
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
 *
 * @param name of its file in shaders/
 * @param expected the names the TypeScript side uses, in the order of the WGSL
 * @param storage how the matrix of a line `// include weight` lies in memory
 * @throws Error when the text and the contract differ: a mistake of ours, found when the module loads
 */
export function defineProgram<Binding extends string, Param extends string>(
  name: string,
  text: string,
  expected: { bindings: readonly Binding[]; params: readonly Param[] },
  storage: WeightStorage = "f32",
): Program<Binding, Param> {
  const source = withIncludes(name, text, storage);
  const fields = parseParams(name, source);
  const declared = parseBindings(source);
  const order = declared.map((binding) => binding.name).join(", ");
  if (order !== expected.bindings.join(", "))
    throw new Error(`${name}.wgsl binds ${order}; its contract says ${expected.bindings.join(", ")}`);
  const paramOrder = fields.map((field) => field.name).join(", ");
  if (paramOrder !== expected.params.join(", "))
    throw new Error(`${name}.wgsl has params ${paramOrder}; its contract says ${expected.params.join(", ")}`);
  const accesses = declared.map((binding) => binding.access);
  const bindings = expected.bindings.map((binding, index) => ({ name: binding, access: at(accesses, index) }));
  const label = storage === "f32" ? name : `${name} as ${storage}`;
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
      made = gpu.pipelines.get(`${label}(${key})`, wgsl(constants), accesses, parameterBytes);
      known.set(key, made);
    }
    return made;
  }

  return {
    name,
    bindings,
    wgsl,
    record(gpu, call) {
      const params: Readonly<Record<string, number>> = call.params;
      fields.forEach((field, index) => {
        const value = must(params[field.name], "a parameter of the program");
        if (field.isFloat) words.setFloat32(index * 4, value, true);
        else words.setUint32(index * 4, value, true);
      });
      const views = bindings.map((binding) => call.bindings[binding.name]);
      gpu.recorder.dispatch(pipeline(gpu, call.constants ?? {}), views, packed, call.grid);
    },
  };
}

/** The programs of a text with a line `// include weight`, one for each way a weight matrix may be stored. */
export function defineByStorage<Binding extends string, Param extends string>(
  name: string,
  text: string,
  expected: { bindings: readonly Binding[]; params: readonly Param[] },
): Readonly<Record<WeightStorage, Program<Binding, Param>>> {
  const define = (storage: WeightStorage) => defineProgram(name, text, expected, storage);
  return { f32: define("f32"), f16: define("f16"), bf16: define("bf16"), int8: define("int8"), int4: define("int4") };
}

/** The text with the files of shaders/lib that it includes, and what they include. */
function withIncludes(name: string, text: string, storage: WeightStorage): string {
  return text.replace(/^\/\/ include (\w+)$/gm, (_, part: string) => {
    const included = LIBRARY[`../shaders/lib/${part === "weight" ? `weight_${storage}` : part}.wgsl`];
    if (included === undefined) throw new Error(`${name}.wgsl includes ${part}, which is not in shaders/lib`);
    return withIncludes(name, included, storage);
  });
}

function parseParams(name: string, source: string): Field[] {
  const body = /struct Params \{([^}]*)\}/.exec(source)?.[1];
  if (body === undefined) throw new Error(`${name}.wgsl has no struct Params`);
  return [...body.matchAll(/(\w+): (u32|f32)/g)].map((match) => ({
    name: at(match, 1),
    isFloat: match[2] === "f32",
  }));
}

function parseBindings(source: string): { name: string; access: BindingAccess }[] {
  return [...source.matchAll(/@binding\((\d+)\) var<storage, (read|read_write)> (\w+)/g)]
    .sort((a, b) => Number(a[1]) - Number(b[1]))
    .map((match) => ({ name: at(match, 3), access: match[2] === "read" ? "read" : "read_write" }));
}

/** A grid of at least `groups` workgroups, in rows: one dimension holds 65,535 (shaders/lib/invocation.wgsl). */
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
