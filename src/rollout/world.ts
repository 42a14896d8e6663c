import type { FinishReason, ToolRecord } from "./trajectory";
import type { Action, TurnProtocol } from "./turns";

/** Text and ids of one observation. */
export interface Observation {
  text: string;
  ids: Uint32Array;
}

/** What a world says to an action. */
export interface Reply {
  readonly observation: Observation;
  readonly record: Omit<ToolRecord, "observation">;
  /** The trajectory ends here, and the observation is not appended. */
  readonly ended?: FinishReason;
}

/** What trajectories act on: Python, or environments of the user's. */
export interface World {
  readonly protocol: TurnProtocol;
  /**
   * Answers action number `index` (from 0) of a trajectory, while the others go on decoding. The answer must follow from the trajectory's
   * actions so far and its id, never from time. A rejection ends the rollout.
   */
  act(trajectoryId: number, index: number, action: Action): Promise<Reply>;
}
