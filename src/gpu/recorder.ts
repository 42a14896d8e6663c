/**
 * Records dispatches and copies and submits them together. Parameters of all dispatches of a submit travel in one
 * `writeBuffer`, which the queue orders before the submit, so one buffer serves every submit and no bind group ever
 * holds a stale value.
 */
import { must } from "../base/must";
import type { BufferAllocator, BufferView } from "./buffers";
import type { Pipeline } from "./pipelines";

/** What was done so far; held by tests so that it cannot creep up. */
export interface Counters {
  dispatches: number;
  submits: number;
  passes: number;
  copies: number;
  readbacks: number;
  bindGroups: number;
}

export type Grid = readonly [x: number, y: number, z: number];

const SLOT_BYTES = 256; // the largest minUniformBufferOffsetAlignment
const SLOTS = 2048;
const UNIFORM_COPY_DST = 0x40 | 0x08;

interface BoundGroup {
  readonly group: GPUBindGroup;
  readonly views: readonly BufferView[];
}

/** See the file's header. One recorder per device; recording is synchronous. */
export class Recorder {
  readonly counters: Counters = { dispatches: 0, submits: 0, passes: 0, copies: 0, readbacks: 0, bindGroups: 0 };
  readonly #parameters: BufferView;
  readonly #staging = new Uint8Array(SLOT_BYTES * SLOTS);
  /** By pipeline and views; an entry goes when one of its buffers is destroyed. */
  readonly #bindGroups = new Map<string, BoundGroup>();
  /** Keys of the bind groups that bind a buffer. */
  readonly #keysOf = new Map<number, Set<string>>();
  #usedSlots = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #boundPipeline = -1;
  #timestamps: GPUComputePassTimestampWrites | undefined;
  readonly #device: GPUDevice;

  constructor(device: GPUDevice, allocator: BufferAllocator) {
    this.#device = device;
    this.#parameters = allocator.create("parameters of dispatches", SLOT_BYTES * SLOTS, UNIFORM_COPY_DST);
    allocator.onDestroy((id) => this.#forget(id));
  }

  /** Bind groups in the cache. */
  get cachedBindGroups(): number {
    return this.#bindGroups.size;
  }

  /**
   * Adds one dispatch. `parameters` is the uniform block, at most 256 bytes; `views` are bindings 1, 2, ... in order.
   */
  dispatch(pipeline: Pipeline, views: readonly BufferView[], parameters: Uint8Array, grid: Grid): void {
    if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return;
    if (this.#usedSlots === SLOTS) this.submit();
    const pass = this.#openPass();
    const offset = this.#usedSlots++ * SLOT_BYTES;
    this.#staging.set(parameters, offset);
    if (this.#boundPipeline !== pipeline.id) {
      pass.setPipeline(pipeline.pipeline);
      this.#boundPipeline = pipeline.id;
    }
    pass.setBindGroup(0, this.#bindGroup(pipeline, views), [offset]);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    this.counters.dispatches++;
  }

  /** Copies bytes between buffers, after the dispatches recorded so far. */
  copy(from: BufferView, to: BufferView, bytes: number, fromOffset = 0, toOffset = 0): void {
    const encoder = this.#closePass();
    encoder.copyBufferToBuffer(from.buffer, from.offset + fromOffset, to.buffer, to.offset + toOffset, bytes);
    this.counters.copies++;
  }

  /** Sets a range of a buffer to zero, after the dispatches recorded so far. */
  clear(view: BufferView, bytes = view.size): void {
    this.#closePass().clearBuffer(view.buffer, view.offset, bytes);
  }

  /** The next pass writes its beginning and end into the two entries of a timestamp query set. */
  timeNextPass(querySet: GPUQuerySet): void {
    this.#closePass();
    this.#timestamps = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  }

  /** Puts the two timestamps of a timed pass into a buffer of 16 bytes with QUERY_RESOLVE usage. */
  resolveTimestamps(querySet: GPUQuerySet, to: BufferView): void {
    this.#closePass().resolveQuerySet(querySet, 0, 2, to.buffer, to.offset);
  }

  /** Sends everything recorded so far to the queue. */
  submit(): void {
    if (this.#encoder === undefined) return;
    const encoder = this.#closePass();
    if (this.#usedSlots > 0)
      this.#device.queue.writeBuffer(this.#parameters.buffer, 0, this.#staging, 0, this.#usedSlots * SLOT_BYTES);
    this.#device.queue.submit([encoder.finish()]);
    this.counters.submits++;
    this.#encoder = undefined;
    this.#usedSlots = 0;
  }

  #openPass(): GPUComputePassEncoder {
    if (this.#pass !== undefined) return this.#pass;
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass = this.#encoder.beginComputePass(this.#timestamps && { timestampWrites: this.#timestamps });
    this.#timestamps = undefined;
    this.#boundPipeline = -1;
    this.counters.passes++;
    return this.#pass;
  }

  #closePass(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = undefined;
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #bindGroup(pipeline: Pipeline, views: readonly BufferView[]): GPUBindGroup {
    let key = `${pipeline.id}`;
    for (const view of views) key += `|${view.id},${view.offset},${view.size}`;
    const known = this.#bindGroups.get(key);
    if (known !== undefined) return known.group;
    const storage = views.map((view, index) => ({
      binding: index + 1,
      resource: { buffer: view.buffer, offset: view.offset, size: view.size },
    }));
    const made = this.#device.createBindGroup({
      layout: pipeline.layout,
      entries: [{ binding: 0, resource: { buffer: this.#parameters.buffer, offset: 0, size: SLOT_BYTES } }, ...storage],
    });
    this.#bindGroups.set(key, { group: made, views });
    for (const { id } of views) {
      const keys = this.#keysOf.get(id) ?? new Set();
      this.#keysOf.set(id, keys.add(key));
    }
    this.counters.bindGroups++;
    return made;
  }

  #forget(id: number): void {
    for (const key of this.#keysOf.get(id) ?? []) {
      for (const view of must(this.#bindGroups.get(key), "a bind group").views)
        if (view.id !== id) this.#keysOf.get(view.id)?.delete(key);
      this.#bindGroups.delete(key);
    }
    this.#keysOf.delete(id);
  }
}
