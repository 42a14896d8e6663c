/** Compute pipelines, made once per WGSL text: when they are first wanted, or ahead of that. */

/** What a binding is to its program; binding 0 is the uniform block of parameters and not listed. */
export type BindingAccess = "read" | "read_write";

export interface Pipeline {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** All that a pipeline is made of. */
export interface PipelineText {
  readonly label: string;
  /** WGSL with the entry point `main`. */
  readonly code: string;
  /** Of the storage bindings, from 1 on. */
  readonly accesses: readonly BindingAccess[];
  /** Of the uniform block at binding 0, which has a dynamic offset. */
  readonly parameterBytes: number;
}

/** Caches pipelines by their whole WGSL text. */
export class PipelineCache {
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #texts: PipelineText[] = [];
  readonly #device: GPUDevice;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline of a text. Errors in the WGSL are raised by the device as uncaptured errors, which end the run. */
  get(label: string, code: string, accesses: readonly BindingAccess[], parameterBytes: number): Pipeline {
    const known = this.#pipelines.get(code);
    if (known !== undefined) return known;
    const text = { label, code, accesses, parameterBytes };
    const { layout, descriptor } = this.#describe(text);
    return this.#keep(text, layout, this.#device.createComputePipeline(descriptor));
  }

  /**
   * Makes the pipelines of texts that are not there yet, in the background and in their order.
   * @throws GPUPipelineError when one cannot be made
   */
  async prepare(texts: Iterable<PipelineText>): Promise<void> {
    for (const text of texts) {
      if (this.#pipelines.has(text.code)) continue;
      const { layout, descriptor } = this.#describe(text);
      const pipeline = await this.#device.createComputePipelineAsync(descriptor);
      // Meanwhile a dispatch may have asked for it.
      if (!this.#pipelines.has(text.code)) this.#keep(text, layout, pipeline);
    }
  }

  /** What was made so far, in the order in which it was wanted. */
  get texts(): readonly PipelineText[] {
    return this.#texts;
  }

  #describe({ label, code, accesses, parameterBytes }: PipelineText) {
    const uniform: GPUBindGroupLayoutEntry = {
      binding: 0,
      visibility: 4, // GPUShaderStage.COMPUTE
      buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: parameterBytes },
    };
    const storage = accesses.map(
      (access, index): GPUBindGroupLayoutEntry => ({
        binding: index + 1,
        visibility: 4,
        buffer: { type: access === "read" ? "read-only-storage" : "storage" },
      }),
    );
    const layout = this.#device.createBindGroupLayout({ label, entries: [uniform, ...storage] });
    const descriptor: GPUComputePipelineDescriptor = {
      label,
      layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module: this.#device.createShaderModule({ label, code }), entryPoint: "main" },
    };
    return { layout, descriptor };
  }

  #keep(text: PipelineText, layout: GPUBindGroupLayout, pipeline: GPUComputePipeline): Pipeline {
    const made = { id: this.#texts.length, pipeline, layout };
    this.#texts.push(text);
    this.#pipelines.set(text.code, made);
    return made;
  }
}
