/**
 * How a base model, which knows no chat template, calls a tool by name: a block
 *
 *     ```call
 *     set("colour", "green")
 *     ```
 *
 * holds one call, whose arguments are JSON values with commas between them. A block that is blank is not answered.
 */
import type { TurnProtocol } from "./turns";

/** Opens a call; the fence that closes Python closes it. */
export const CALL_OPENING = "```call";

/** A call as the model wrote it. */
export interface ToolCall {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What the model is told whose block holds no call. */
export const NO_CALL = 'expected one call such as name("text", 1), with JSON values';

/** The protocol of an environment: blocks of calls where it has tools, turns where it answers them. */
export function environmentProtocol(hasTools: boolean, turnEnds: readonly string[]): TurnProtocol {
  return { opening: hasTools ? CALL_OPENING : null, program: (block) => block.trim(), turnEnds };
}

/** Whether {@link parseCall} finds a tool of this name. */
export function isToolName(name: string): boolean {
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
