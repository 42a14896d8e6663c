import type { Runners } from "./runners";

/** The work behind the commands in Node. Each part is loaded when it is needed, so that `--help` does not wait for Dawn. */
export const nodeRunners: Runners = {
  train: async (options, context) => (await import("../run/train")).trainInNode(options, context),
  pretrain: async (options, context) => (await import("../run/train")).pretrainInNode(options, context),
  dpo: async (options, context) => (await import("../run/train")).dpoInNode(options, context),
  sft: async (options, context) => (await import("../run/train")).sftInNode(options, context),
  sample: async (options, context) => (await import("../run/ask")).sampleInNode(options, context),
  eval: async (options, context) => (await import("../run/ask")).evalInNode(options, context),
  evalBench: async (options, context) => (await import("../run/evaluate-bench")).evalBenchInNode(options, context),
  view: async (request, watch) => (await import("../run/view/view")).viewInNode(request, watch),
  benchKernels: async (request, io) => (await import("../run/bench-kernels")).runBenchKernels(request, io),
  async doctor(options, io) {
    const { doctor } = await import("../run/doctor");
    return doctor(options, {
      out: (line) => io.stdout.write(`${line}\n`),
      err: (line) => io.stderr.write(`${line}\n`),
    });
  },
  async openTokenizer(model) {
    const [{ loadTokenizerOf }, { checkpointOf }, { modelFolder }] = await Promise.all([
      import("../session/loaded-model"),
      import("../platform/node/training-host"),
      import("../platform/node/models"),
    ]);
    return (await loadTokenizerOf(modelFolder(await checkpointOf(model)))).tokenizer;
  },
  async plan(options) {
    const [{ planFor }, { checkpointOf }, { modelFolder }] = await Promise.all([
      import("../train/memory-plan"),
      import("../platform/node/training-host"),
      import("../platform/node/models"),
    ]);
    return planFor(modelFolder(await checkpointOf(options.modelNameOrPath)), options);
  },
  export: async (request) => (await import("../run/export")).exportInNode(request),
  parity: async (request, context) => (await import("../run/parity")).parityInNode(request, context),
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
