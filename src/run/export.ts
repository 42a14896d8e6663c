/** `export`: a whole model, or a PEFT folder, from a checkpoint. Needs no GPU. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../base/errors";
import { exportModel } from "../model/export";
import { readModel, writeAdapter } from "../model/peft";
import type { DtypeName } from "../model/safetensors/dtype";
import { MARKER, nodeFolder, writeFolder } from "../platform/node/files";
import { modelFolder } from "../platform/node/models";
import { checkpointOf } from "../platform/node/training-host";

export interface ExportRequest {
  /** Model folder, run folder, PEFT folder or name. */
  readonly model: string;
  /** A new folder. */
  readonly output: string;
  readonly dtype: DtypeName;
  /** Only the adapter, as a PEFT folder. */
  readonly adapterOnly: boolean;
}

export interface ExportReport {
  readonly output: string;
  /** The checkpoint that was read. */
  readonly model: string;
  /** Whether an adapter was merged. */
  readonly merged: boolean;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** @throws UserError for what the user can repair */
export async function exportCheckpoint({ model, output, dtype, adapterOnly }: ExportRequest): Promise<ExportReport> {
  if (((await nodeFolder(output).list()) ?? []).length > 0)
    throw new UserError(`${output}: is not empty; choose a new folder for --output`);
  const path = await checkpointOf(model);
  const source = await readModel(modelFolder(path), modelFolder);
  const { adapter, checkpoint } = source;
  if (adapterOnly && adapter === undefined)
    throw new UserError(`${path}: holds no adapter; leave --adapter-only out to export the whole model`);
  await writeFolder(output, async (writer) => {
    if (!adapterOnly || adapter === undefined) return exportModel(writer, source, dtype);
    const tensors = [];
    for await (const { hfName, shape, data } of adapter.tensors()) tensors.push({ name: hfName, shape, data });
    await writeAdapter(writer, adapter.base, adapter.config, tensors);
    for (const [name, text] of checkpoint.companions) await writer.write(name, text);
  });
  const files = (await readdir(output)).filter((name) => name !== MARKER).sort();
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(output, name))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { output, model: path, merged: adapter !== undefined && !adapterOnly, files, bytes };
}
