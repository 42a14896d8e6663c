/**
 * What a model reads of a program's result, as different trainers write it. Pure functions: the harness, never the
 * guest, writes the delimiters and the note that something is missing. The caller tokenises the text without special
 * tokens and with mask 0, so that nothing in it is a stop, a fence or an answer.
 */
import { must } from "../base/must";
import type { PythonCall, PythonEngine, PythonResult, PythonStatus } from "./engine";
import { observationText, sanitise, wrapObservation } from "./observation";

/** Names that `--tool-policy` takes. `verl` cuts out the middle, as its default does. */
export const policyNames = ["zerotir", "torl", "verl", "verl-left", "verl-right", "qwen-tir", "raw"] as const;
export type PolicyName = (typeof policyNames)[number];

/** One way of showing results. */
export interface ObservationPolicy {
  /** The whole observation, delimiters included. */
  observe(result: PythonResult): string;
  /** True when a limit in tokens applies besides the policy's own: zerotir has no other. */
  readonly limitsTokens: boolean;
  /** What is run in place of the program, where the policy needs more than its output. */
  program?(code: string): string;
}

/** Characters of an observation in ToRL and verl, in the TIR evaluation of Qwen2.5-Math, and bytes of `raw`. */
const CHARACTERS = { torl: 256, verl: 256, qwen: 400 } as const;
export const RAW_BYTES = 1024;

const POLICIES: Readonly<Record<PolicyName, ObservationPolicy>> = {
  zerotir: { limitsTokens: true, observe: (result) => wrapObservation(observationText(result)) },
  torl: framed(torlText),
  verl: framed((result) => verlText(result, "middle")),
  "verl-left": framed((result) => verlText(result, "left")),
  "verl-right": framed((result) => verlText(result, "right")),
  "qwen-tir": { ...framed(qwenText), program: valueOfLastExpression },
  raw: framed((result) => rawText(result, RAW_BYTES)),
};

/** The policy of that name. */
export function observationPolicy(name: PolicyName): ObservationPolicy {
  return POLICIES[name];
}

/** The engine, given the programs that the policy needs to have run. */
export function preparedFor<Engine extends Pick<PythonEngine, "run">>(
  engine: Engine,
  { program }: ObservationPolicy,
): Pick<PythonEngine, "run"> {
  return program === undefined
    ? engine
    : { run: (call: PythonCall) => engine.run({ ...call, code: program(call.code) }) };
}

/** One line feed around the text, and none after the closing fence but that of its line (ToRL, Qwen2.5-Math). */
function framed(text: (result: PythonResult) => string): ObservationPolicy {
  return { limitsTokens: false, observe: (result) => `\n\`\`\`output\n${text(result)}\n\`\`\`\n` };
}

/**
 * ToRL (arXiv 2503.23383): stdout of a program that ended well or printed anything, else stderr; of an error the last
 * line; a program without output reads as one that took too long. 256 characters or more lose their middle.
 */
export function torlText(result: PythonResult): string {
  const { status, stdout, stderr } = result;
  // What an engine says of its own failure is not the program's error text.
  const errors = status === "error" || status === "oom" ? stderr : "";
  const shown = sanitise(status === "ok" || stdout !== "" ? stdout : errors).trim();
  const text = shown.includes("Error") ? lastLine(shown) : shown;
  if (text === "") return "TimeoutError: the program gave no output in time";
  return middleOut(text, CHARACTERS.torl - 1, "...", CHARACTERS.torl / 2);
}

/** Which part of a long output verl keeps: both ends, its end or its start. */
export type KeptSide = "middle" | "left" | "right";

/**
 * verl's Python tool: stdout and stderr one after the other, more than 256 characters cut on one side or in the middle.
 */
export function verlText(result: PythonResult, side: KeptSide): string {
  const { status, stdout, stderr } = result;
  if (status === "timeout" || status === "crash") return "no stdout here";
  const text = sanitise(stdout + stderr);
  const limit = CHARACTERS.verl;
  if (side === "middle") return middleOut(text, limit, "...(truncated)...", limit / 2);
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  return side === "left"
    ? `(truncated)...${characters.slice(-limit).join("")}`
    : `${characters.slice(0, limit).join("")}...(truncated)`;
}

/**
 * Qwen2.5-Math's TIR evaluation (arXiv 2409.12122): stdout, or the last line of the traceback; at most 400 characters.
 */
export function qwenText(result: PythonResult): string {
  const { status, stdout, stderr } = result;
  if (status === "timeout") return "Timeout Error";
  if (status === "crash") return "RunTime Error";
  const failed = status === "error" || status === "oom";
  const text = sanitise(failed ? stderr : stdout).trim();
  return middleOut(failed ? lastLine(text) : text, CHARACTERS.qwen, "...", CHARACTERS.qwen / 2);
}

/**
 * The first bytes of stdout and, of a program that failed, stderr; with notes in square brackets for what is missing.
 * The one policy that follows no other trainer, so it also makes fences harmless: a run of three or more backticks
 * becomes apostrophes, of tildes hyphens.
 *
 * @param bytes most bytes of UTF-8 that are kept; a character is never split
 */
export function rawText(result: PythonResult, bytes: number): string {
  const { status, stdout, stderr } = result;
  const failed = status === "error" || status === "oom";
  const gap = failed && stdout !== "" && !stdout.endsWith("\n") ? "\n" : "";
  const whole = sanitise(failed ? `${stdout}${gap}${stderr}` : stdout).trimEnd();
  const kept = firstBytes(whole, bytes);
  const lines = [
    neutralised(kept),
    ...(kept.length < whole.length ? [`[output cut after ${bytes} bytes]`] : []),
    ENDINGS[status] ?? "",
  ].filter((line) => line !== "");
  return lines.length === 0 ? "[no output]" : lines.join("\n");
}

const ENDINGS: Readonly<Partial<Record<PythonStatus, string>>> = {
  timeout: "[stopped: the time limit was reached]",
  output_limit: "[stopped: the output limit was reached]",
  crash: "[the program could not be run to its end]",
};

function neutralised(text: string): string {
  return text
    .replace(/`{3,}/g, (fence) => "'".repeat(fence.length))
    .replace(/~{3,}/g, (fence) => "-".repeat(fence.length));
}

/** The text if it has at most `limit` characters (code points), else `half` of them from each end around the mark. */
function middleOut(text: string, limit: number, mark: string, half: number): string {
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  return `${characters.slice(0, half).join("")}${mark}${characters.slice(-half).join("")}`;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

function firstBytes(text: string, bytes: number): string {
  const encoder = new TextEncoder();
  const { read } = encoder.encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}

/**
 * Qwen2.5-Math shows what a program prints only if its last line has a `print(`; of any other it shows the value of the
 * last expression. Such a program is run by a few lines of Python that keep what it prints from being shown. Its
 * traceback has other line numbers, of which {@link qwenText} shows none.
 */
function valueOfLastExpression(code: string): string {
  if (lastLine(code).includes("print(")) return code;
  return `import ast as _ast, contextlib as _contextlib, io as _io
_tree = _ast.parse(${pythonString(code)})
_last = _ast.Expression(_tree.body.pop().value) if _tree.body and isinstance(_tree.body[-1], _ast.Expr) else None
_value = None
with _contextlib.redirect_stdout(_io.StringIO()):
    exec(compile(_tree, "<stdin>", "exec"))
    if _last is not None:
        _value = eval(compile(_last, "<stdin>", "eval"))
if _last is not None:
    print(_value)
`;
}

/** A Python literal in ASCII, so that no character of the program can end it. */
function pythonString(text: string): string {
  const escaped = (value: string) => `\\u${value.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // Halves of pairs would be two surrogates in Python; the pair's own number is one character.
  const pair = (value: string) => `\\U${must(value.codePointAt(0), "a character").toString(16).padStart(8, "0")}`;
  const body = text
    .replace(/[\\"\n\r]/g, escaped)
    .replace(/[\u{10000}-\u{10ffff}]/gu, pair)
    .replace(/[^\x20-\x7e]/g, escaped);
  return `"${body}"`;
}
