/** `bench kernels --compile-only`: every program that a run of a shape can need, compiled on an adapter and not run. */
import { reasonOf, UserError } from "../base/errors";
import { REHEARSED_MODES, type RehearsedPhase, rehearse } from "../diagnostics/rehearsal";
import { createContext } from "../gpu/context";
import type { Toggles } from "../gpu/device";
import type { PipelineText } from "../gpu/pipelines";
import { KNOWN_SHAPES, type KnownShape } from "../model/known-shapes";
import { closeNodeDevice, openNodeDevice } from "../platform/node/adapter";

export interface CompileRequest {
  readonly adapter: string | null;
  readonly toggles: Toggles;
  /** Names of known shapes, with commas. */
  readonly shapes: string;
  /** A part of the labels of the programs to compile; null: all. */
  readonly filter: string | null;
}

/** A program that was compiled. */
export interface CompiledProgram {
  /** The shader with the constants of its variant. */
  readonly program: string;
  /** Shapes of which a run can need it. */
  readonly shapes: readonly string[];
  readonly phases: readonly RehearsedPhase[];
  /** How weights are kept and trained where it is needed. */
  readonly modes: readonly string[];
  readonly milliseconds: number;
}

export interface CompileEvents {
  readonly announce: (line: string) => void;
  readonly onProgram: (program: CompiledProgram) => void;
}

interface Need {
  readonly text: PipelineText;
  readonly shapes: Set<string>;
  readonly phases: Set<RehearsedPhase>;
  readonly modes: Set<string>;
}

/** @throws UserError when a shape is not known, no program has such a label, or one cannot be compiled here */
export async function compileKernels(request: CompileRequest, events: CompileEvents): Promise<void> {
  const shapes = parseShapes(request.shapes);
  const { adapter, toggles } = request;
  const opened = await openNodeDevice({ adapter: adapter ?? undefined, toggles, announce: events.announce });
  try {
    const gpu = createContext(opened);
    const needs = new Map<string, Need>();
    for (const shape of shapes)
      for (const mode of REHEARSED_MODES)
        for (const { phase, ...text } of await rehearse(gpu.profile, KNOWN_SHAPES[shape], mode)) {
          const need = needs.get(text.code) ?? { text, shapes: new Set(), phases: new Set(), modes: new Set() };
          needs.set(text.code, need);
          need.shapes.add(shape);
          need.phases.add(phase);
          need.modes.add(`${mode.storage} ${mode.trained}`);
        }
    const chosen = [...needs.values()].filter(({ text }) => text.label.includes(request.filter ?? ""));
    if (chosen.length === 0) throw new UserError(`no program of these shapes has "${request.filter}" in its name`);
    for (const { text, ...where } of chosen) {
      const begun = performance.now();
      try {
        await gpu.pipelines.prepare([text]);
      } catch (error) {
        throw new UserError(`${text.label} does not compile on ${gpu.profile.driver}: ${reasonOf(error)}`);
      }
      events.onProgram({
        program: text.label,
        shapes: [...where.shapes],
        phases: [...where.phases],
        modes: [...where.modes],
        milliseconds: performance.now() - begun,
      });
    }
    gpu.assertHealthy();
  } finally {
    closeNodeDevice(opened);
  }
}

function parseShapes(text: string): KnownShape[] {
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  for (const name of names)
    if (!Object.hasOwn(KNOWN_SHAPES, name))
      throw new UserError(`--shapes: ${name} is not a known shape; known are ${Object.keys(KNOWN_SHAPES).join(", ")}`);
  return names as KnownShape[];
}
