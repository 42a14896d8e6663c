/** What the passes over a model need of it: the shape, the weights and the constant tables. */
import type { BufferView } from "../gpu/buffers";
import type { GpuContext } from "../gpu/context";
import type { Adapter } from "./adapter";
import type { ModelConfig } from "./config";
import type { ParameterLayout } from "./parameters";
import type { ParameterValues } from "./values";

export interface ModelParts {
  readonly gpu: GpuContext;
  readonly config: ModelConfig;
  readonly layout: ParameterLayout;
  readonly weights: ParameterValues;
  /** What is added to linear layers at present. */
  readonly activeAdapter: Adapter | undefined;
  /** (cos, sin) per position and pair of a head. */
  readonly rotations: BufferView;
}
