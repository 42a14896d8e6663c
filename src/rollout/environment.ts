/** Environment: the interface of a user's own reset, step, tools and reward, in place of Python as the world. */

/** A row of the data set: `prompt`, `answer`, and every other column under its own name. */
export interface EnvironmentRow {
  readonly prompt: string;
  readonly answer: string | readonly string[];
  readonly [column: string]: unknown;
}

/** What `reset` may draw on beside the row. */
export interface EnvironmentContext {
  /** Key for everything random in this trajectory: the same in equal runs, another for each trajectory. */
  readonly seed: string;
}

/** The answer to a turn: the text to be appended for the model, as it is; or the end of the trajectory. */
export type StepResult = string | { readonly observation: string } | { readonly done: true };

/** A function that the model may call by name. What it throws is shown to the model, and so is what it returns. */
// biome-ignore lint/suspicious/noExplicitAny: the model writes the arguments, and the tool checks them.
export type EnvironmentTool = (...args: any[]) => ToolValue | Promise<ToolValue>;

/** What a tool may return; but for texts, as JSON. */
export type ToolValue = string | number | boolean | null | object;

/** What `reward` is told. */
export interface EnvironmentEnding {
  /** All that the model wrote, without observations. */
  readonly text: string;
  /** `length`: the tokens or the answers of the environment were used up. */
  readonly finishReason: "stop" | "length";
}

/**
 * The world of one trajectory. It is made for it by an {@link EnvironmentFactory}; all methods may be async.
 * `turnEnds`, and whether there are `step` and `tools`, must be the same for all environments of a factory.
 */
export interface Environment {
  /**
   * Called first: forgets all that was. May return the text of the prompt in place of the row's; it must be the same
   * for all trajectories of a row.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a method that returns nothing is one of these.
  reset(row: EnvironmentRow, context: EnvironmentContext): string | void | Promise<string | void>;
  /** Answers a turn of the model: its text since the last observation, without the string that ended it. */
  step?(text: string): StepResult | Promise<StepResult>;
  /** Strings that end a turn where there is a `step`; default: the line feed. */
  readonly turnEnds?: readonly string[];
  /** Functions that the model may call in a block that begins with ```` ```call ````. */
  readonly tools?: Readonly<Record<string, EnvironmentTool>>;
  /** Called once at the end: a finite number, or null where there is nothing to judge. */
  reward?(ending: EnvironmentEnding): number | null | Promise<number | null>;
}

/** Makes the environment of a trajectory. */
export type EnvironmentFactory = () => Environment;

/** Strings that end a turn unless the environment names others. */
export const DEFAULT_TURN_ENDS: readonly string[] = ["\n"];
