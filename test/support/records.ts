/** The part of a record line that equal runs share: the line without its `time`. */
export function withoutTime(line: string): string {
  const { time: _, ...rest }: Record<string, unknown> = JSON.parse(line);
  return JSON.stringify(rest);
}
