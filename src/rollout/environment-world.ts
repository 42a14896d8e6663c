/**
 * Environments as the world of a rollout. What the user's code does wrong ends the run with one sentence: a throw of
 * reset, step or reward, a value of another type, no answer within the deadline. Only what a tool throws is an
 * observation: the model chose its arguments. A deadline never becomes an observation, for then tokens would depend on
 * time.
 */
import { reasonOf, UserError } from "../base/errors";
import { must } from "../base/must";
import { sanitise, wrapObservation } from "../sandbox/observation";
import {
  DEFAULT_TURN_ENDS,
  type Environment,
  type EnvironmentEnding,
  type EnvironmentFactory,
  type EnvironmentRow,
  type EnvironmentTool,
} from "./environment";
import type { TokenizerView } from "./tokenizer";
import type { ToolRecord } from "./trajectory";
import type { TurnProtocol } from "./turns";
import { type Observation, type Reply, type World, within } from "./world";

/** A row and the trajectories that are sampled for it. */
export interface EnvironmentGroup {
  readonly row: EnvironmentRow;
  readonly trajectoryIds: readonly number[];
}

export interface EnvironmentSettings {
  readonly tokenizer: TokenizerView;
  /** Answers of `step` in one trajectory; the last of them ends it. */
  readonly maxSteps: number;
  /** Observations of more tokens are replaced by a notice. */
  readonly maxObservationTokens: number;
  /** Most time of one call of the user's code. */
  readonly timeoutMs: number;
  /** With the trajectory's id, the key of everything random in it. */
  readonly seed: string;
}

/** Takes the place of an observation that is too long. */
const TOO_LONG = "The output is too long.";

/** The environments of one rollout. */
export interface Environments extends World {
  /** The prompt that `reset` gave for a group; undefined for the row's own. */
  prompt(groupIndex: number): string | undefined;
  /** The environment's reward for a trajectory that has ended; null where it gives none. */
  reward(trajectoryId: number, ending: EnvironmentEnding): Promise<number | null>;
}

interface Instance {
  readonly environment: Environment;
  readonly label: string;
  steps: number;
}

/**
 * Makes and resets an environment for each trajectory.
 * @throws UserError naming the environment and what it did
 */
export async function openEnvironments(
  factory: EnvironmentFactory,
  groups: readonly EnvironmentGroup[],
  settings: EnvironmentSettings,
): Promise<Environments> {
  const instances = new Map<number, Instance>();
  const prompts = await Promise.all(
    groups.map(async ({ row, trajectoryIds }) => {
      const texts = await Promise.all(
        trajectoryIds.map(async (id) => {
          const instance = instanceOf(factory);
          instances.set(id, instance);
          return resetTo(instance, row, `${settings.seed}/${id}`, settings.timeoutMs);
        }),
      );
      const other = texts.findIndex((text) => text !== texts[0]);
      if (other >= 0)
        throw new UserError(
          `${must(first(instances), "the first environment").label}: reset gave two trajectories of one row the prompts ${shown(texts[0])} and ${shown(texts[other])}; trajectories are compared by their rewards for one prompt, so make it follow from the row alone`,
        );
      return texts[0];
    }),
  );
  const find = (id: number): Instance => must(instances.get(id), `the environment of trajectory ${id}`);
  return {
    protocol: protocolOf(first(instances)?.environment),
    prompt: (groupIndex) => prompts[groupIndex],
    act: (id, _, action) =>
      action.kind === "execute" ? callTool(find(id), action.code, settings) : takeStep(find(id), action.text, settings),
    async reward(id, ending) {
      const { environment, label } = find(id);
      instances.delete(id);
      if (environment.reward === undefined) return null;
      const value: unknown = await asked(`${label}: reward`, settings.timeoutMs, () => environment.reward?.(ending));
      if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
      throw new UserError(`${label}: reward returned ${shown(value)}, expected a finite number or null`);
    },
  };
}

function first(instances: ReadonlyMap<number, Instance>): Instance | undefined {
  return instances.values().next().value;
}

function instanceOf(factory: EnvironmentFactory): Instance {
  if (typeof factory !== "function" || /^class[\s{]/.test(Function.prototype.toString.call(factory)))
    throw new UserError(
      `environmentFactory is ${typeof factory === "function" ? "a class" : shown(factory)}, expected a function that makes an environment, such as () => new Guessing()`,
    );
  let environment: Environment;
  try {
    environment = factory();
  } catch (error) {
    throw new UserError(`environmentFactory threw ${thrown(error)}`);
  }
  if (typeof environment !== "object" || environment === null || typeof environment.reset !== "function")
    throw new UserError(`environmentFactory returned ${shown(environment)}, expected an object with a method reset`);
  const name = environment.constructor?.name ?? "";
  const label = name === "" || name === "Object" ? "the environment" : `environment ${name}`;
  const { step, reward, tools, turnEnds } = environment;
  for (const [member, value] of Object.entries({ step, reward }))
    if (value !== undefined && typeof value !== "function")
      throw new UserError(`${label}: ${member} is ${shown(value)}, expected a function`);
  if (tools !== undefined) checkTools(label, tools);
  if (turnEnds !== undefined && !(Array.isArray(turnEnds) && turnEnds.every((end) => typeof end === "string" && end)))
    throw new UserError(`${label}: turnEnds is ${shown(turnEnds)}, expected a list of texts that are not empty`);
  return { environment, label, steps: 0 };
}

/** @throws UserError for a tool that the model could not call */
function checkTools(label: string, tools: unknown): void {
  if (typeof tools !== "object" || tools === null)
    throw new UserError(`${label}: tools is ${shown(tools)}, expected an object of functions by name`);
  for (const [name, tool] of Object.entries(tools)) {
    if (!isToolName(name))
      throw new UserError(
        `${label}: the tool ${shown(name)} cannot be called by the model; a name has letters, digits, _ and $, and begins with no digit`,
      );
    if (typeof tool !== "function")
      throw new UserError(`${label}: tool ${name} is ${shown(tool)}, expected a function`);
  }
}

function protocolOf(environment: Environment | undefined): TurnProtocol {
  const { step, tools = {}, turnEnds = DEFAULT_TURN_ENDS } = environment ?? {};
  return environmentProtocol(Object.keys(tools).length > 0, step === undefined ? [] : turnEnds);
}

async function resetTo({ environment, label }: Instance, row: EnvironmentRow, seed: string, timeoutMs: number) {
  const text: unknown = await asked(`${label}: reset`, timeoutMs, () => environment.reset(row, { seed }));
  if (text === undefined || typeof text === "string") return text;
  throw new UserError(`${label}: reset returned ${shown(text)}, expected nothing or the text of the prompt`);
}

async function takeStep(instance: Instance, text: string, settings: EnvironmentSettings): Promise<Reply> {
  const { environment, label } = instance;
  const { value, ms } = await timed(() =>
    asked(`${label}: step`, settings.timeoutMs, (): unknown => environment.step?.(text)),
  );
  instance.steps++;
  const answer = stepAnswer(value, label);
  const record = { code: text, status: "ok", stdout: answer ?? "", stderr: "", ms, queueMs: 0 } as const;
  if (answer === undefined) return { observation: NOTHING, record, ended: "stop" };
  if (instance.steps >= settings.maxSteps) return { observation: NOTHING, record, ended: "length" };
  return { observation: observed(answer, `${TOO_LONG}\n`, settings), record };
}

/** The text to append, or undefined at the end. */
function stepAnswer(value: unknown, label: string): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null) {
    if ("done" in value && value.done === true) return undefined;
    const isOpen = !("done" in value) || value.done === false;
    if (isOpen && "observation" in value && typeof value.observation === "string") return value.observation;
  }
  throw new UserError(
    `${label}: step returned ${shown(value)}, expected a text, { observation: text } or { done: true }`,
  );
}

async function callTool({ environment, label }: Instance, code: string, settings: EnvironmentSettings): Promise<Reply> {
  const { tools = {} } = environment;
  const call = parseCall(code);
  const tool = call !== undefined && Object.hasOwn(tools, call.name) ? tools[call.name] : undefined;
  const { value, ms } = await timed(async (): Promise<ToolOutcome> => {
    if (call === undefined) return { mistake: NO_CALL };
    if (tool === undefined)
      return { mistake: `there is no tool ${call.name}; there are ${Object.keys(tools).join(", ")}` };
    return called(tool, call.args, `${label}: tool ${call.name}`, settings.timeoutMs);
  });
  const { text = "", mistake } = value;
  const isError = mistake !== undefined;
  const record: Omit<ToolRecord, "observation"> = {
    code,
    status: isError ? "error" : "ok",
    stdout: text,
    stderr: mistake ?? "",
    ms,
    queueMs: 0,
  };
  const shownText = sanitise(isError ? `Error: ${mistake}` : text);
  return { observation: observed(wrapObservation(shownText), wrapObservation(TOO_LONG), settings), record };
}

/** What a tool said, or what the model did wrong. */
interface ToolOutcome {
  readonly text?: string;
  readonly mistake?: string;
}

async function called(
  tool: EnvironmentTool,
  args: readonly unknown[],
  what: string,
  timeoutMs: number,
): Promise<ToolOutcome> {
  const outcome = await withinLimit(what, timeoutMs, async () => {
    try {
      const value: unknown = await tool(...args);
      return { value };
    } catch (error) {
      return { mistake: reasonOf(error) };
    }
  });
  if ("mistake" in outcome) return outcome;
  const { value } = outcome;
  const text = typeof value === "string" ? value : json(value);
  if (text === undefined)
    throw new UserError(`${what} returned ${shown(value)}, expected a text or a value that JSON can hold`);
  return { text };
}

/** Undefined for what JSON cannot hold. */
function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

const NOTHING: Observation = { text: "", ids: new Uint32Array() };

function observed(text: string, notice: string, settings: EnvironmentSettings): Observation {
  const ids = settings.tokenizer.encodePlain(text);
  if (ids.length <= settings.maxObservationTokens) return { text, ids };
  return { text: notice, ids: settings.tokenizer.encodePlain(notice) };
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ value: Value; ms: number }> {
  const begun = performance.now();
  const value = await work();
  return { value, ms: performance.now() - begun };
}

/** Calls the user's code; a throw becomes one sentence. */
function asked<Value>(what: string, timeoutMs: number, call: () => Value | Promise<Value>): Promise<Value> {
  return withinLimit(what, timeoutMs, async () => {
    try {
      return await call();
    } catch (error) {
      throw new UserError(`${what} threw ${thrown(error)}`);
    }
  });
}

function withinLimit<Value>(what: string, timeoutMs: number, work: () => Promise<Value>): Promise<Value> {
  const limit = `--tool-timeout ${timeoutMs / 1000}`;
  const late = () =>
    new UserError(`${what} gave no answer within ${limit} seconds; raise it, or give up earlier within`);
  return within(timeoutMs, late, work);
}

function thrown(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.replace(/\s*\n\s*/g, " ")}` : shown(error);
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "function") return "a function";
  if (value instanceof Promise) return "a promise";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

// How a base model, which knows no chat template, calls a tool by name: a block
//
//     ```call
//     set("colour", "green")
//     ```
//
// holds one call, whose arguments are JSON values with commas between them. A block that is blank is not answered.

/** Opens a call; the fence that closes Python closes it. */
const CALL_OPENING = "```call";

/** A call as the model wrote it. */
export interface ToolCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What the model is told whose block holds no call. */
const NO_CALL = 'expected one call such as name("text", 1), with JSON values';

/** The protocol of an environment: blocks of calls where it has tools, turns where it answers them. */
function environmentProtocol(hasTools: boolean, turnEnds: readonly string[]): TurnProtocol {
  return { opening: hasTools ? CALL_OPENING : null, program: (block) => block.trim(), turnEnds };
}

/** Whether {@link parseCall} finds a tool of this name. */
function isToolName(name: string): boolean {
  return parseCall(`${name}()`)?.name === name;
}

/** The call in a block; undefined when it is none. */
export function parseCall(block: string): ToolCall | undefined {
  const [, name, list] = /^([A-Za-z_$][\w$]*)\s*\((.*)\)\s*;?$/s.exec(block.trim()) ?? [];
  if (name === undefined || list === undefined) return undefined;
  try {
    const args: unknown = JSON.parse(`[${list}]`);
    return Array.isArray(args) ? { name, args } : undefined;
  } catch {
    return undefined;
  }
}
