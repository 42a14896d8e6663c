/** The library. What is exported here is kept stable; everything else may change. */
export { type ModelConfig, parameterShapes, parseModelConfig, writeModelConfig } from "./model/config";
export { type Checkpoint, type FolderReader, type FolderWriter, readCheckpoint, writeCheckpoint } from "./model/folder";
export { decodeFloats, encodeFloats, type FloatType } from "./model/safetensors/dtype";
export { type ByteSource, bytesSource, SafetensorsFile } from "./model/safetensors/read";
export { encodeSafetensors, safetensorsChunks, type TensorToWrite } from "./model/safetensors/write";
export type { Sample, TrainEvents, TrainPlan, TrainSummary } from "./train/events";
export { deterministicPart, type MetricsRow, metricHelp } from "./train/metrics";
export type { TrainOptions } from "./train/options";
export { resolveTrainOptions } from "./train/resolve-options";
