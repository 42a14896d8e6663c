import { memoryText } from "../../base/text";
import type { plan } from "../../run/plan";
import { alignColumns } from "./charts";

/** The bytes of each kind of GPU memory, then the sizes that train takes, as flags. */
export function planLines({ bytes, total, sizes }: Awaited<ReturnType<typeof plan>>): string[] {
  const rows = [...Object.entries(bytes), ["all", total] as const].map(([kind, size]) => [kind, memoryText(size)]);
  return [
    ...alignColumns(rows).map((row) => `  ${row}`),
    "",
    `  --micro-batch-tokens ${sizes.microBatchTokens}`,
    `  --concurrency ${sizes.concurrency}`,
    `  --${sizes.gradientCheckpointing ? "" : "no-"}gradient-checkpointing`,
  ];
}
