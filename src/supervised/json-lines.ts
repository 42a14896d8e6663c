/** Rows of a JSONL text, and the parts of a row that several kinds of rows share. */
import { UserError } from "../base/errors";
import type { ChatMessage } from "../text/chat-template";

/** A row, and where it stands: `rows.jsonl, line 3`. */
export interface LocatedRow {
  readonly where: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** @throws UserError at a line that is not a JSON object, and when there is none */
export function jsonLines(text: string, file: string): LocatedRow[] {
  const rows = text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `${file}, line ${index + 1}`;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw new UserError(`${where}: not JSON; expected one object on each line`);
    }
    if (!isRecord(row)) throw new UserError(`${where}: expected one JSON object on each line`);
    return [{ where, row }];
  });
  if (rows.length === 0) throw new UserError(`${file}: holds no row; expected one JSON object on each line`);
  return rows;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws UserError unless `value` is a list of chat messages */
export function messagesOf(value: unknown, where: string): ChatMessage[] {
  const messages: unknown[] = Array.isArray(value) ? value : [];
  if (messages.length === 0 || !messages.every(isMessage))
    throw new UserError(`${where}: messages is not a list of {"role": text, "content": text}`);
  return messages.filter(isMessage);
}

/** Tools as JSON schemas: objects, or texts of JSON as When2Call has them. @throws UserError when they are neither */
export function toolsOf(value: unknown, where: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new UserError(`${where}: tools is not a list of JSON schemas`);
  if (value.length === 0) return undefined;
  return value.map((tool: unknown) => {
    if (typeof tool !== "string") return tool;
    try {
      return JSON.parse(tool);
    } catch {
      throw new UserError(`${where}: a tool is a text that is not JSON`);
    }
  });
}

function isMessage(value: unknown): value is ChatMessage {
  return (
    isRecord(value) && typeof value.role === "string" && (typeof value.content === "string" || "tool_calls" in value)
  );
}
