/** What the passes over a model need of it: the shape, the weights and the constant tables. */
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { ModelConfig } from "./config";
import type { ParameterLayout, ParameterValues } from "./parameters";

export interface ModelParts {
  readonly gpu: GpuContext;
  readonly config: ModelConfig;
  readonly layout: ParameterLayout;
  readonly weights: ParameterValues;
  /** (cos, sin) per position and pair of a head. */
  readonly rotations: BufferView;
}
