/** Names that `--tool-engine` takes; `wasi` needs nothing installed. */
export const engineNames = ["wasi", "http", "native", "none"] as const;
export type EngineName = (typeof engineNames)[number];

/** Options of engines that do not go together. */
export class EngineOptionError extends Error {
  override name = "UserError";
}
