/** The library. What is exported here is kept stable; everything else may change. */
export { type GRPOArgs, GRPOTrainer, type GRPOTrainerSettings, type RewardChoice } from "./library/grpo-trainer";
export { type EvaluateSettings, evaluate, type GenerateSettings, generate } from "./library/models";
export type { Row, Rows, TrainerSettings } from "./library/settings";
export { type DPOArgs, DPOTrainer, type SFTArgs, SFTTrainer } from "./library/supervised-trainers";
export { type ModelConfig, parameterShapes, parseModelConfig, writeModelConfig } from "./model/config";
export { type Checkpoint, type FolderReader, type FolderWriter, readCheckpoint, writeCheckpoint } from "./model/folder";
export { decodeFloats, encodeFloats, type FloatType } from "./model/safetensors/dtype";
export { type ByteSource, bytesSource, SafetensorsFile } from "./model/safetensors/read";
export { encodeSafetensors, safetensorsChunks, type TensorToWrite } from "./model/safetensors/write";
export type { TrainOptions } from "./options/train";
export { resolveTrainOptions } from "./options/train";
export { type Correlation, pearson, spearman } from "./report/statistics/correlation";
export { type Aligned, align, type MetricsTable, parseMetrics } from "./report/statistics/metrics-table";
export { type Relation, relate } from "./report/statistics/relation";
export type { CustomRewardFunction, RewardBatch, RewardLog, TrajectoryFacts } from "./reward/custom";
export { type GradeJob, type GradeOptions, type GradeResult, gradeTrajectory } from "./reward/grade";
export {
  answersEquivalent,
  extractAnswer,
  type GradingProfile,
  gradingProfiles,
  type Verdict,
  verifyAnswer,
} from "./reward/verify";
export { type GroupAdvantageOptions, groupAdvantages, leaveOneOutAdvantages } from "./rl/advantages";
export { type Aggregation, tokenWeights } from "./rl/aggregation";
export { type AdvantageEstimator, advantageEstimators, tokenAdvantages } from "./rl/estimators";
export { filterGroups, type GroupBounds } from "./rl/filters";
export { type LossOptions, type TrajectoryLoss, type TrajectoryTokens, trajectoryLoss } from "./rl/objective";
export type { PolicyObjective } from "./rl/policy-term";
export { type PreferenceOptions, preferenceLoss } from "./rl/preference";
export type {
  Environment,
  EnvironmentContext,
  EnvironmentEnding,
  EnvironmentFactory,
  EnvironmentRow,
  EnvironmentTool,
  StepResult,
  ToolValue,
} from "./rollout/environment";
export type { AnswerSample, TrainEvents, TrainPlan, TrainSummary, Transcript as Sample } from "./session/events";
export type { EvaluationRow } from "./session/metrics";
export { deterministicPart, type MetricsRow, metricHelp } from "./session/metrics";
