/** `tool run` and `tool repl`: programs in the sandbox, each in a fresh interpreter, as a model's blocks would run. */
import { availableParallelism } from "node:os";
import { reasonOf, UserError } from "../base/errors";
import { checkCall, type PythonCall, type PythonEngine, type PythonResult } from "../sandbox/engine";
import { type EngineRequest, openNodeEngine } from "../sandbox/node/open-engine";
import { extractCode } from "../sandbox/observation";
import { observationPolicy, type PolicyName, preparedFor } from "../sandbox/policies";
import { type IdentifiedRow, identifiedRows, readTextInput, wrongField } from "./text-files";

/** Which Python, and what a call of it may take. */
export interface ToolRequest {
  readonly engine: EngineRequest;
  readonly limits: Omit<PythonCall, "code" | "seed">;
}

export interface Program {
  /** For people: its file. */
  readonly name: string;
  readonly code: string;
}

/** @param files Python files, or `-` for standard input @throws UserError when one cannot be read */
export function readPrograms(files: readonly string[]): Promise<Program[]> {
  return Promise.all(files.map(async (name) => ({ name, code: await readTextInput(name, "a text file") })));
}

/** What became of a program, and what a model would read of it. */
export interface ProgramResult extends PythonResult {
  readonly name: string;
  readonly observation: string;
}

/**
 * Runs programs beside each other.
 *
 * @returns in the order of the programs
 * @throws UserError when the engine cannot be opened
 */
export function runPrograms(
  programs: readonly Program[],
  policyName: PolicyName,
  { engine: request, limits }: ToolRequest,
): Promise<ProgramResult[]> {
  const policy = observationPolicy(policyName);
  return withEngine({ workerCount: defaultWorkers(programs.length), ...request }, (engine) => {
    const prepared = preparedFor(engine, policy);
    return Promise.all(
      programs.map(async ({ name, code }) => {
        const result = await prepared.run({ ...limits, code: extractCode(code), seed: "0" });
        return { ...result, name, observation: policy.observe(result) };
      }),
    );
  });
}

/** A row of `tool run --batch`. */
export interface ToolCase {
  readonly id: string | number;
  readonly call: PythonCall;
}

const FIELDS = ["id", "code", "timeoutMs", "memoryMb", "maxOutputBytes", "seed"];
const EXPECTED = "{id, code, timeoutMs?, memoryMb?, maxOutputBytes?, seed?}";

/**
 * Runs every program of a file, which is read as a whole before anything runs.
 *
 * @param file JSON lines, `-` for standard input
 * @param onResult is given each row's result, in the order of the rows
 * @throws UserError with file, line and what was expected
 */
export async function runBatch(
  file: string,
  { engine: request, limits }: ToolRequest,
  onResult: (id: string | number, result: PythonResult) => void,
): Promise<void> {
  const rows = readCases(await readTextInput(file, "a text file"), file, { ...limits, seed: "0" });
  await withEngine(request, async (engine) => {
    // A queue longer than the workers only holds texts; the file is in memory anyway.
    const results = rows.map(({ id, call }) => ({ id, result: engine.run(call) }));
    // One that rejects is awaited below, but perhaps later than others.
    for (const { result } of results) result.catch(() => {});
    for (const { id, result } of results) onResult(id, await result);
  });
}

/**
 * Reads the rows of a batch. Empty lines are passed over, and so are fields of other names.
 *
 * @param file name for messages
 * @param limits of rows that name none
 * @throws UserError with file, line and what was expected
 */
export function readCases(text: string, file: string, limits: Omit<PythonCall, "code">): ToolCase[] {
  return identifiedRows(text, file, EXPECTED).map((row) => readCase(row, limits));
}

function readCase(row: IdentifiedRow, limits: Omit<PythonCall, "code">): ToolCase {
  const { id, where, fields } = row;
  for (const name of Object.keys(fields)) {
    const meant = FIELDS.find((field) => field !== name && letters(field) === letters(name));
    if (meant !== undefined) throw new UserError(`${where}: unknown field ${JSON.stringify(name)}; write ${meant}`);
  }
  const { code, seed } = fields;
  if (typeof code !== "string") throw wrongField(row, "code", code, "Python source text");
  if (seed !== undefined && typeof seed !== "string" && typeof seed !== "number")
    throw wrongField(row, "seed", seed, "a string or a number");
  const limit = (name: "timeoutMs" | "memoryMb" | "maxOutputBytes"): number => {
    const value = fields[name];
    if (value === undefined) return limits[name];
    if (typeof value !== "number") throw wrongField(row, name, value, "a number");
    return value;
  };
  const call = {
    code,
    timeoutMs: limit("timeoutMs"),
    memoryMb: limit("memoryMb"),
    maxOutputBytes: limit("maxOutputBytes"),
    seed: seed === undefined ? limits.seed : String(seed),
  };
  try {
    checkCall(call);
  } catch (error) {
    throw new UserError(`${where}: ${reasonOf(error)}`);
  }
  return { id, call };
}

/** A field's name in any spelling: `timeout_ms` is meant as `timeoutMs`. */
function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, "");
}

/** What is told of `tool repl`. */
export interface ReplView {
  onOpen(): void;
  /** A line is wanted: the first of a block, or a further one. */
  onPrompt(isFirst: boolean): void;
  onResult(result: PythonResult): void;
}

/** Runs the blocks that the lines form, each when it ends: at an empty line, or with the last line. */
export function repl(
  lines: AsyncIterable<string>,
  { engine: request, limits }: ToolRequest,
  view: ReplView,
): Promise<void> {
  return withEngine({ ...request, workerCount: 1 }, async (engine) => {
    let calls = 0;
    const run = async (block: readonly string[]) => {
      const code = extractCode(block.join("\n"));
      if (code !== "") view.onResult(await engine.run({ ...limits, code, seed: String(calls++) }));
    };
    view.onOpen();
    view.onPrompt(true);
    let block: string[] = [];
    for await (const line of lines) {
      if (line.trim() !== "") block.push(line);
      else {
        await run(block);
        block = [];
      }
      view.onPrompt(block.length === 0);
    }
    await run(block);
  });
}

/** Programs run at once where nobody says how many: one per core, at most 4, and no more than there are programs. */
export function defaultWorkers(programs = Number.POSITIVE_INFINITY): number {
  return Math.min(programs, availableParallelism(), 4);
}

/** Closes the engine however the work ends. */
export async function withEngine<Result>(
  request: EngineRequest,
  work: (engine: PythonEngine) => Promise<Result>,
): Promise<Result> {
  const engine = await openNodeEngine(request);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}
