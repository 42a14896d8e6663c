/** Data sets by name: which files hold them, where they may be fetched, and how their columns are called. */

/** Files of one split on the Hugging Face hub. */
export interface HubFiles {
  readonly repository: string;
  /**
   * A commit where one is known, which fixes the content; else a branch, and the checksum of the first download is what
   * later ones must have.
   */
  readonly revision: string;
  readonly files: readonly string[];
}

/** One split. */
export interface DatasetSplit {
  /** Names under which a folder of data files may hold it, first match wins. */
  readonly localFiles: readonly string[];
  readonly hub?: HubFiles;
  /** Columns, where the usual names do not find them; dotted names go into nested objects. */
  readonly promptColumn?: string;
  readonly answerColumn?: string;
  /** The only columns to read of a parquet file, where the others are large. */
  readonly columns?: readonly string[];
}

/** What a run uses a data set for; decides the split when none is named. */
export type DatasetRole = "train" | "eval";

/** A data set. */
export interface DatasetEntry {
  readonly name: string;
  /** What it is made for. */
  readonly kind: DatasetRole | "train and eval";
  readonly licence: string;
  readonly promptTemplate: "nano" | "zero-tir";
  /** By name: `train`, `test`. Empty for data that is made while it is used. */
  readonly splits: Readonly<Record<string, DatasetSplit>>;
  readonly about: string;
}

const MATH_SUBJECTS = [
  "algebra",
  "counting_and_probability",
  "geometry",
  "intermediate_algebra",
  "number_theory",
  "prealgebra",
  "precalculus",
];
const MAA = "problems (c) MAA";
const MATHARENA = "CC BY-NC-SA 4.0; problems (c) the contest organisers";

const hub = (repository: string, ...files: string[]): HubFiles => ({ repository, revision: "main", files });

const simplerl = (level: string, local: readonly string[]): Readonly<Record<string, DatasetSplit>> => ({
  train: {
    localFiles: local,
    hub: hub("hkust-nlp/SimpleRL-Zoo-Data", `simplelr_qwen_${level}/train.parquet`),
  },
});

const set = (
  name: string,
  kind: DatasetEntry["kind"],
  licence: string,
  about: string,
  splits: DatasetEntry["splits"],
  promptTemplate: DatasetEntry["promptTemplate"] = "zero-tir",
): DatasetEntry => ({ name, kind, licence, promptTemplate, splits, about });

/** Every data set that has a name, training sets first. */
export const datasets: readonly DatasetEntry[] = [
  set("nano", "train and eval", "Apache-2.0", "endless synthetic arithmetic, made while it is used", {}, "nano"),
  set(
    "nano-mul",
    "eval",
    "Apache-2.0",
    "products of two or three numbers; never in nano's training problems",
    {},
    "nano",
  ),
  set("nano-long", "eval", "Apache-2.0", "four to six operands; nano's training problems have three", {}, "nano"),
  set("nano-digits", "eval", "Apache-2.0", "operands of three digits; those of nano's training have two", {}, "nano"),
  set(
    "dag",
    "train and eval",
    "Apache-2.0",
    "endless problems on graphs of quantities with 2 to 4 operations; dag-1-3 and so on for others",
    {},
    "nano",
  ),
  set("dag-long", "train and eval", "Apache-2.0", "the same with 5 or 6 operations", {}, "nano"),
  set("gsm8k", "train and eval", "MIT", "grade-school word problems", {
    train: { localFiles: ["gsm8k-train.jsonl"], hub: hub("openai/gsm8k", "main/train-00000-of-00001.parquet") },
    test: { localFiles: ["gsm8k-test.jsonl"], hub: hub("openai/gsm8k", "main/test-00000-of-00001.parquet") },
  }),
  set("math", "train and eval", "MIT", "MATH by Hendrycks et al.; math500 is a part of its test split", {
    train: {
      localFiles: ["math-train.jsonl.gz", "math-train.jsonl"],
      hub: hub("EleutherAI/hendrycks_math", ...MATH_SUBJECTS.map((each) => `${each}/train-00000-of-00001.parquet`)),
    },
    test: {
      localFiles: ["math-test.jsonl", "math-test.jsonl.gz"],
      hub: hub("EleutherAI/hendrycks_math", ...MATH_SUBJECTS.map((each) => `${each}/test-00000-of-00001.parquet`)),
    },
  }),
  set("orz-57k", "train", "MIT", "Open-Reasoner-Zero's 57k problems (a copy on the hub)", {
    train: {
      localFiles: ["orz_math_57k_collected.json", "orz-57k.jsonl", "orz-57k.jsonl.gz"],
      hub: hub("Tonic/OpenReasonerZero", "orz_math_57k_collected.json"),
    },
  }),
  set("orz-part-1.7k", "train", "MIT", "a small part of Open-Reasoner-Zero's problems", {
    train: { localFiles: ["orz-part-1.7k.jsonl"] },
  }),
  set("deepmath", "train", "MIT", "DeepMath-103K; 2.1 GB to fetch, because solutions by R1 stand beside the problems", {
    train: {
      localFiles: ["deepmath-103k.jsonl", "deepmath-103k.jsonl.gz", "deepmath-103k.parquet"],
      hub: hub(
        "zwhe99/DeepMath-103K",
        ...Array.from({ length: 10 }, (_, part) => `data/train-0000${part}-of-00010.parquet`),
      ),
      columns: ["question", "final_answer", "difficulty", "topic"],
    },
  }),
  set("deepmath-5k", "train", "MIT", "a part of DeepMath-103K", { train: { localFiles: ["deepmath-5k.jsonl"] } }),
  set("dapo-17k", "train", "Apache-2.0", "DAPO-Math-17k without its repetitions; integer answers", {
    train: {
      localFiles: ["dapo-math-17k.jsonl.gz", "dapo-math-17k.jsonl"],
      hub: hub("open-r1/DAPO-Math-17k-Processed", "all/train-00000-of-00001.parquet"),
      columns: ["prompt", "solution", "data_source", "ability", "reward_model"],
    },
  }),
  set("simplerl-easy", "train", "Apache-2.0", "SimpleRL-Zoo: GSM8K and MATH level 1", simplerl("gsm8k_level1", [])),
  set("simplerl-medium", "train", "Apache-2.0", "SimpleRL-Zoo: MATH levels 1 to 4", simplerl("level1to4", [])),
  set(
    "simplerl-hard",
    "train",
    "Apache-2.0",
    "SimpleRL-Zoo: MATH levels 3 to 5, of both splits outside math500",
    simplerl("level3to5", ["simplerl-math-lvl3to5-8k.jsonl"]),
  ),
  set("torl", "train and eval", "not stated", "ToRL's 28k problems (a copy on the hub)", {
    train: { localFiles: ["torl-train.parquet"], hub: hub("VerlTool/ToRL-Math", "data/train-00000-of-00001.parquet") },
    test: { localFiles: ["torl-test.parquet"], hub: hub("VerlTool/ToRL-Math", "data/test-00000-of-00001.parquet") },
  }),
  set("deepscaler-7k", "train", "MIT", "the easiest and hardest problems of DeepScaleR", {
    train: { localFiles: ["deepscaler-easy-extreme-7k.jsonl"] },
  }),
  set("aime-1983-2023", "train", MAA, "AIME before 2024", { train: { localFiles: ["aime-1983-2023.jsonl"] } }),
  set("math500", "eval", "MIT", "500 problems of MATH's test split", {
    test: {
      localFiles: ["math500.jsonl"],
      hub: {
        repository: "HuggingFaceH4/MATH-500",
        revision: "ff5b20257d8185524591543f8ff5993951537bb8",
        files: ["test.jsonl"],
      },
    },
  }),
  set("aime24", "eval", MAA, "AIME 2024, both parts", {
    test: { localFiles: ["aime24.jsonl"], hub: hub("math-ai/aime24", "test-00000-of-00001.parquet") },
  }),
  set("aime25", "eval", MATHARENA, "AIME 2025, both parts", {
    test: { localFiles: ["aime25.jsonl"], hub: hub("math-ai/aime25", "test.jsonl") },
  }),
  set("hmmt24", "eval", MATHARENA, "HMMT February 2024", {
    test: {
      localFiles: ["hmmt-feb-2024.jsonl"],
      hub: hub("MathArena/hmmt_feb_2024", "data/train-00000-of-00001.parquet"),
    },
  }),
  set("hmmt25", "eval", MATHARENA, "HMMT February 2025", {
    test: {
      localFiles: ["hmmt-feb-2025.jsonl"],
      hub: hub("MathArena/hmmt_feb_2025", "data/train-00000-of-00001.parquet"),
    },
  }),
  set("amc23", "eval", MAA, "AMC 2023, 40 problems", {
    test: { localFiles: ["amc23.jsonl"], hub: hub("math-ai/amc23", "test-00000-of-00001.parquet") },
  }),
  set("amc12-2022-2023", "eval", MAA, "AMC 12 of 2022 and 2023", {
    test: {
      localFiles: ["amc12-2022-2023.jsonl"],
      hub: {
        repository: "AI-MO/aimo-validation-amc",
        revision: "8ef249608d65c2de7763ca7525f438e540ba285e",
        files: ["data/train-00000-of-00001.parquet"],
      },
    },
  }),
  set("olympiadbench", "eval", "Apache-2.0", "OlympiadBench: English text-only mathematics", {
    test: {
      localFiles: ["olympiadbench.jsonl"],
      hub: hub("HuggingFaceTB/math_tasks", "data/olympiadbench/test.jsonl"),
    },
  }),
  set("minerva", "eval", "CC BY-NC-SA 4.0", "272 problems of MIT OpenCourseWare", {
    test: { localFiles: ["minerva-math.jsonl"], hub: hub("math-ai/minervamath", "test.jsonl") },
  }),
  set("svamp", "eval", "MIT", "word problems with changed wording, both parts", {
    test: {
      localFiles: ["svamp.jsonl"],
      hub: hub("ChilleD/SVAMP", "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
      promptColumn: "question_concat",
      answerColumn: "Answer",
    },
  }),
  set("gsm-hard", "eval", "MIT", "GSM8K's test questions with large numbers", {
    test: {
      localFiles: ["gsm-hard.jsonl"],
      hub: hub("reasoning-machines/gsm-hard", "gsmhardv2.jsonl"),
      promptColumn: "input",
      answerColumn: "target",
    },
  }),
  set(
    "when2call-test",
    "eval",
    "Apache-2.0",
    "When2Call: to call a tool, to ask, to answer or to decline; with eval --bench when2call",
    {
      test: {
        localFiles: ["when2call_test_mcq.jsonl", "when2call-test.jsonl"],
      },
    },
  ),
];

/** The data set of this name, or undefined. */
export function datasetEntry(name: string): DatasetEntry | undefined {
  return datasets.find((entry) => entry.name === name);
}
