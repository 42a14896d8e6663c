import type { Runners } from "./runners";

/** The work behind the commands in Node. Each part is loaded when it is needed, so that `--help` does not wait for Dawn. */
export const nodeRunners: Runners = {
  train: async (options, context) => (await import("./training-runners")).trainInNode(options, context),
  pretrain: async (options, context) => (await import("./training-runners")).pretrainInNode(options, context),
  dpo: async (options, context) => (await import("./training-runners")).dpoInNode(options, context),
  sft: async (options, context) => (await import("./training-runners")).sftInNode(options, context),
  sample: async (options, context) => (await import("./question-runners")).sampleInNode(options, context),
  eval: async (options, context) => (await import("./question-runners")).evalInNode(options, context),
  evalBench: async (options, context) => (await import("./eval-bench-runner")).evalBenchInNode(options, context),
  view: async (request, watch) => (await import("./view/view-runner")).viewInNode(request, watch),
  benchKernels: async (request, io) => (await import("./commands/bench")).runBenchKernels(request, io),
  async doctor(options, io) {
    const { doctor } = await import("./commands/doctor");
    return doctor(options, {
      out: (line) => io.stdout.write(`${line}\n`),
      err: (line) => io.stderr.write(`${line}\n`),
    });
  },
  async openTokenizer(model) {
    const [{ loadTokenizerOf }, { checkpointOf }, { modelFolder }] = await Promise.all([
      import("../train/run/policy"),
      import("../platform/node/training-host"),
      import("../platform/node/models"),
    ]);
    return (await loadTokenizerOf(modelFolder(await checkpointOf(model)))).tokenizer;
  },
  async plan(options) {
    const [{ planFor }, { checkpointOf }, { modelFolder }] = await Promise.all([
      import("../train/run/memory-plan"),
      import("../platform/node/training-host"),
      import("../platform/node/models"),
    ]);
    return planFor(modelFolder(await checkpointOf(options.modelNameOrPath)), options);
  },
  export: async (request) => (await import("./export-runner")).exportInNode(request),
  parity: async (request, context) => (await import("./parity-runner")).parityInNode(request, context),
  async openDataset(request, onProgress, signal) {
    const { openDataset } = await import("../platform/node/datasets");
    return openDataset(request, process.env, onProgress, signal);
  },
  async locateDatasets() {
    const { placeOf } = await import("../platform/node/datasets");
    const { datasets } = await import("../data/registry");
    return datasets.flatMap(({ name, splits }) =>
      Object.entries(splits).map(([split, files]) => ({ name, split, ...placeOf(files, process.env) })),
    );
  },
  async openTool({ workerCount, ...request }) {
    const { openNodeEngine } = await import("../sandbox/node/open-engine");
    return openNodeEngine({ ...request, ...(workerCount === null ? {} : { workerCount }) });
  },
};
