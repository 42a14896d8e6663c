#!/usr/bin/env node
/**
 * What a driver's compiler makes of the kernels for GPUs that are not there: registers, spills, workgroup memory,
 * waves, instructions of the inner loop. Mesa's RADV compiles for a family of AMD GPUs, absent_gpu.c stands in for all
 * else.
 *
 *   npm run build && node kernels/bench/offline/report.mjs [--families navi31,navi21,vega10] [--shapes A,B]
 *     [--filter TEXT] [--json] [--check] [--assembly FOLDER]
 *
 * --check: exits with 1 where a program spills or takes scratch memory.
 * Exits with 3, and says what to install, where the drivers or a C compiler are missing.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hotLoop, mixOf } from "./assembly.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { values: flags } = parseArgs({
  options: {
    families: { type: "string", default: "navi31,navi21,vega10" },
    shapes: { type: "string", default: "qwen2.5-0.5b,qwen2.5-1.5b,qwen2.5-7b,llama3.2-1b,nano" },
    filter: { type: "string" },
    json: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    assembly: { type: "string" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "absent-gpu-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** @param {string} why @returns {never} */
function missing(why) {
  console.error(`kernels for absent GPUs: ${why}`);
  process.exit(3);
}

/** RADV's driver file. Mesa 26 no longer takes a family that is not there. */
function radv() {
  const drivers = "/usr/share/vulkan/icd.d";
  const file = existsSync(drivers) && readdirSync(drivers).find((name) => /^radeon_icd.*\.json$/.test(name));
  if (!file) missing("no RADV here; install mesa-vulkan-drivers (23.1 to 25.x) and libvulkan1");
  return join(drivers, file);
}

/** Builds the layer, and the file by which the loader finds it. */
function buildLayer() {
  const library = join(folder, "libabsent_gpu.so");
  const source = fileURLToPath(new URL("absent_gpu.c", import.meta.url));
  const built = spawnSync("cc", ["-O1", "-shared", "-fPIC", "-o", library, source], { encoding: "utf8" });
  if (built.error || built.status !== 0)
    missing(`the layer does not build; install gcc and libvulkan-dev: ${built.error?.message ?? built.stderr}`);
  const layer = {
    name: "VK_LAYER_zerotir_absent_gpu",
    type: "GLOBAL",
    library_path: library,
    api_version: "1.3.0",
    implementation_version: "1",
    description: "stands in for a GPU that is not there",
  };
  writeFileSync(join(folder, "absent_gpu.json"), JSON.stringify({ file_format_version: "1.2.0", layer }));
}

/**
 * Compiles every program of the shapes for a family.
 * @param {string} family @param {string} icd
 */
function compile(family, icd) {
  const log = join(folder, `${family}.jsonl`);
  const cli = ["bench", "kernels", "--compile-only", "--json", "--shapes", flags.shapes];
  if (flags.filter !== undefined) cli.push("--filter", flags.filter);
  const run = spawnSync(process.execPath, [join(root, "dist/cli.js"), ...cli], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    env: {
      ...process.env,
      VK_DRIVER_FILES: icd,
      VK_ICD_FILENAMES: icd,
      VK_ADD_LAYER_PATH: folder,
      VK_LAYER_PATH: folder,
      VK_INSTANCE_LAYERS: "VK_LAYER_zerotir_absent_gpu",
      RADV_FORCE_FAMILY: family,
      MESA_SHADER_CACHE_DISABLE: "true",
      ZEROTIR_PIPELINE_LOG: log,
    },
  });
  const lines = (/** @type {string} */ text) =>
    text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  const programs = lines(run.stdout);
  const compiled = existsSync(log) ? lines(readFileSync(log, "utf8")) : [];
  if (run.status !== 0 || compiled.length !== programs.length)
    throw new Error(
      `${family}: ${programs.length} programs, ${compiled.length} compiled, status ${run.status}\n${run.stderr}`,
    );
  return programs.map((program, i) => ({ ...program, ...compiled[i] }));
}

/** The figures of one program, by the names that RADV gives them. */
function rowOf(family, { program, phases, statistics, assembly }) {
  return {
    family,
    program,
    phases,
    vgprs: statistics.VGPRs,
    spilled: statistics["Spilled VGPRs"] + statistics["Spilled SGPRs"],
    scratch: statistics["Scratch size"],
    lds: statistics["LDS size"],
    waves: statistics["Subgroups per SIMD"],
    instructions: statistics.Instructions,
    cycles: statistics["Inverse Throughput"],
    latency: statistics.Latency,
    ...mixOf(hotLoop(assembly)),
  };
}

const COLUMNS = [
  ["vgprs", "VGPRs"],
  ["spilled", "spilled"],
  ["scratch", "scratch"],
  ["lds", "LDS"],
  ["waves", "waves"],
  ["instructions", "instr"],
  ["cycles", "cycles"],
  ["fmaShare", "fma %"],
  ["ldsBytes", "LDS/fma"],
  ["matrixOps", "wmma"],
];

const icd = radv();
buildLayer();
let isBad = false;
for (const family of flags.families.split(",")) {
  const rows = compile(family, icd).map((each) => {
    if (flags.assembly !== undefined) {
      mkdirSync(flags.assembly, { recursive: true });
      writeFileSync(join(flags.assembly, `${family} ${each.program.replaceAll(/[^\w=;.-]+/g, "_")}.s`), each.assembly);
    }
    return rowOf(family, each);
  });
  if (flags.json) for (const row of rows) console.log(JSON.stringify(row));
  else {
    console.log(`${family.padEnd(96)}${COLUMNS.map(([, head]) => head.padStart(9)).join("")}`);
    for (const row of rows)
      console.log(`${row.program.padEnd(96)}${COLUMNS.map(([key]) => String(row[key] ?? "").padStart(9)).join("")}`);
  }
  const spilling = rows.filter(({ spilled, scratch }) => spilled > 0 || scratch > 0);
  for (const { program, spilled, scratch } of spilling)
    console.error(`${family}: ${program} spills ${spilled} registers, ${scratch} bytes of scratch memory`);
  isBad ||= spilling.length > 0;
}
if (flags.check && isBad) process.exit(1);
