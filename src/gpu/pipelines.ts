/** Compute pipelines, made once per WGSL text. */

/** What a binding is to its program; binding 0 is the uniform block of parameters and not listed. */
export type BindingAccess = "read" | "read_write";

export interface Pipeline {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Caches pipelines by their whole WGSL text. */
export class PipelineCache {
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #device: GPUDevice;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * The pipeline of `code`: entry point `main`, binding 0 the uniform parameters with a dynamic offset, storage
   * bindings from 1 on. Errors in the WGSL are raised by the device as uncaptured errors, which end the run.
   */
  get(label: string, code: string, accesses: readonly BindingAccess[], parameterBytes: number): Pipeline {
    const known = this.#pipelines.get(code);
    if (known !== undefined) return known;
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
    const pipeline = this.#device.createComputePipeline({
      label,
      layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module: this.#device.createShaderModule({ label, code }), entryPoint: "main" },
    });
    const made = { id: this.#pipelines.size, pipeline, layout };
    this.#pipelines.set(code, made);
    return made;
  }

  get size(): number {
    return this.#pipelines.size;
  }
}
