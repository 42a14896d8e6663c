import { readdirSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, UserError } from "../../base/errors";
import { type OpenDevice, openDevice, type Toggles } from "../../gpu/device";
import { isSoftwareAdapter } from "../../gpu/profile";
import {
  CARRIER,
  hasSwiftShader,
  hasSystemLoader,
  preloadLoader,
  type SwiftShader,
  unpackSwiftShader,
} from "./adapter-swiftshader";
import { withoutDawnNotes } from "./dawn-notes";

/** How to choose and open a device in Node. */
export interface NodeDeviceOptions {
  /**
   * `hardware`, `lavapipe`, `swiftshader`, or a part of the adapter's name; else the variable ZEROTIR_ADAPTER, else the
   * best.
   */
  readonly adapter?: string | undefined;
  /** Dawn's checks on (`safe`, the default) or off (`fast`). */
  readonly toggles?: Toggles | undefined;
  /** Is given one line when the adapter is a fallback. */
  readonly announce: (line: string) => void;
}

/** f16 and subgroup matrices sit behind these on some drivers; they switch no check off. */
const ENABLING = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia", "use_vulkan_memory_model"];
const UNCHECKED = [
  "disable_robustness",
  "disable_workgroup_init",
  "disable_polyfills_on_integer_div_and_mod",
  "skip_validation",
];

/** The variables that tell a Vulkan loader which drivers to use: the present name and the one older loaders know. */
const ICD_VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

interface Found {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
}

interface Dawn {
  create(options: string[]): GPU;
}

let dawn: Promise<Dawn> | undefined;

/** Dawn must stay referenced while a device is open, and be let go after, or Node does not end. */
const instances = new Map<GPUDevice, GPU>();

async function loadDawn(): Promise<Dawn> {
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    return { create };
  } catch (cause) {
    const [reason] = reasonOf(cause).split("\n");
    throw new UserError(
      `Dawn (npm package webgpu) does not load on ${process.platform}-${process.arch}: ${reason}. ` +
        "It needs Linux with glibc, macOS or Windows, on x64 or arm64; then run `npm ci` again.",
    );
  }
}

function dawnOptions(toggles: Toggles): string[] {
  const enabled = toggles === "fast" ? [...ENABLING, ...UNCHECKED] : ENABLING;
  const options = [`enable-dawn-features=${enabled.join(",")}`, "disable-dawn-features=timestamp_quantization"];
  return process.platform === "linux" ? ["backend=vulkan", ...options] : options;
}

/** Runs `body` with the loader variables pointing at one driver file, then puts them back. */
async function withDriver<T>(icd: string, body: () => Promise<T>): Promise<T> {
  const before = ICD_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of ICD_VARIABLES) process.env[name] = icd;
  try {
    return await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Looks for adapters on the system's own drivers, or on those that the loader variables name. */
class AdapterSearch {
  readonly #create: (options: string[]) => GPU;
  readonly #options: string[];

  constructor(dawnModule: Dawn, toggles: Toggles) {
    this.#create = dawnModule.create;
    this.#options = dawnOptions(toggles);
  }

  /** Dawn's first choice. */
  async best(): Promise<Found | undefined> {
    const gpu = this.#create(this.#options);
    const adapter = await withoutDawnNotes(() => gpu.requestAdapter({ powerPreference: "high-performance" }));
    return adapter ? { gpu, adapter } : undefined;
  }

  /** Names of all adapters. Dawn tells them only in the error about a name that it does not find. */
  async names(): Promise<string[]> {
    try {
      const gpu = this.#create([...this.#options, "adapter=\u0001"]);
      await withoutDawnNotes(() => gpu.requestAdapter());
      return [];
    } catch (error) {
      return [...reasonOf(error).matchAll(/name: '(.*)'/g)].flatMap(([, name]) => (name ? [name] : []));
    }
  }

  /** The first adapter whose name holds `part`, in any case, and that `accept` takes. */
  async named(part: string, accept: (adapter: GPUAdapter) => boolean = () => true): Promise<Found | undefined> {
    const names = await this.names();
    for (const name of names.filter((each) => each.toLowerCase().includes(part.toLowerCase()))) {
      const gpu = this.#create([...this.#options, `adapter=${name}`]);
      const adapter = await withoutDawnNotes(() => gpu.requestAdapter({ powerPreference: "high-performance" }));
      if (adapter && accept(adapter)) return { gpu, adapter };
    }
    return undefined;
  }
}

async function open(found: Found, toggles: Toggles): Promise<OpenDevice> {
  const opened = await openDevice(found.adapter, toggles);
  instances.set(opened.device, found.gpu);
  return opened;
}

function systemDriverFiles(): string[] {
  const named = ICD_VARIABLES.map((name) => process.env[name]).find((value) => value !== undefined);
  if (named !== undefined) return named.split(":");
  return [
    "/usr/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/usr/local/etc/vulkan/icd.d",
  ].flatMap((folder) => {
    try {
      return readdirSync(folder).map((file) => join(folder, file));
    } catch {
      return [];
    }
  });
}

/**
 * Whether a request to the system's drivers can succeed. Linux needs a Vulkan loader for it. Containers often have
 * drivers but no loader: then the carried one serves them.
 */
function canAskSystem(tried: string[]): boolean {
  if (process.platform !== "linux" || hasSystemLoader()) return true;
  if (systemDriverFiles().length > 0 && hasSwiftShader()) {
    try {
      if (preloadLoader(unpackSwiftShader().loader)) return true;
    } catch (error) {
      tried.push(`the Vulkan loader from ${CARRIER}: ${reasonOf(error)}`);
    }
  }
  tried.push("the system's Vulkan: no loader (libvulkan.so.1) is installed");
  return false;
}

async function openSwiftShader(
  search: AdapterSearch,
  toggles: Toggles,
  tried: string[],
): Promise<OpenDevice | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    tried.push(`SwiftShader from ${CARRIER}: has no build for ${process.platform}-${process.arch}`);
    return undefined;
  }
  if (!hasSwiftShader()) {
    tried.push(`SwiftShader: the npm package ${CARRIER} is not installed`);
    return undefined;
  }
  let files: SwiftShader;
  try {
    files = unpackSwiftShader();
  } catch (error) {
    tried.push(`SwiftShader from ${CARRIER}: ${reasonOf(error)}`);
    return undefined;
  }
  if (!hasSystemLoader() && !preloadLoader(files.loader)) {
    tried.push(`SwiftShader from ${CARRIER}: its loader ${files.loader} does not load`);
    return undefined;
  }
  return withDriver(files.icd, async () => {
    const found = await search.best();
    if (found) return open(found, toggles);
    tried.push(`SwiftShader from ${CARRIER}: Dawn finds no adapter in ${files.icd}`);
    return undefined;
  });
}

/** The one command that gives this kind of machine an adapter. */
function remedy(): string {
  if (process.platform === "darwin" || process.platform === "win32")
    return "Install the graphics driver of your GPU's maker.";
  if (process.arch === "x64" && !hasSwiftShader()) return `Run: npm install ${CARRIER}`;
  return "Run: sudo apt-get install libvulkan1 mesa-vulkan-drivers";
}

function noAdapter(what: string, tried: readonly string[]): UserError {
  return new UserError(`${what}\n${tried.map((line) => `  tried ${line}`).join("\n")}\n${remedy()}`);
}

async function openNamed(name: string, search: AdapterSearch, toggles: Toggles): Promise<OpenDevice> {
  const tried: string[] = [];
  const kind = name.toLowerCase();
  if (kind === "swiftshader") {
    const opened = await openSwiftShader(search, toggles, tried);
    if (opened) return opened;
    throw noAdapter("SwiftShader was asked for and could not be opened.", tried);
  }
  const system = canAskSystem(tried);
  const found =
    system &&
    (kind === "hardware"
      ? await search.named("", (adapter) => !isSoftwareAdapter(adapter))
      : await search.named(kind === "lavapipe" ? "llvmpipe" : name));
  if (found) return open(found, toggles);
  const names = system ? await search.names() : [];
  const list = names.length > 0 ? names.map((each) => `"${each}"`).join(", ") : "none";
  throw new UserError(
    `No adapter matches "${name}". Adapters on this machine: ${list}. ` +
      "Give a part of one of these names, `hardware`, `lavapipe` or `swiftshader`, or leave the option out.",
  );
}

async function openBest(
  search: AdapterSearch,
  toggles: Toggles,
  announce: (line: string) => void,
): Promise<OpenDevice> {
  const tried: string[] = [];
  const asked = canAskSystem(tried);
  const system = asked ? await search.best() : undefined;
  if (system && !isSoftwareAdapter(system.adapter)) return open(system, toggles);
  if (system) {
    // Dawn may rank an adapter of unknown type (a virtual GPU) below a CPU: its first choice alone does not rule out
    // hardware.
    const hardware = await search.named("", (adapter) => !isSoftwareAdapter(adapter));
    if (hardware) return open(hardware, toggles);
    const opened = await open(system, toggles);
    announce(
      `No hardware GPU found: computing on the CPU with ${opened.profile.driver || opened.profile.adapterName}.`,
    );
    return opened;
  }
  if (asked)
    tried.push("the system's graphics drivers: none that Dawn accepts (Mesa's software driver must be 23.1 or later)");
  const opened = await openSwiftShader(search, toggles, tried);
  if (!opened) throw noAdapter("No WebGPU adapter found.", tried);
  announce(`No GPU and no software driver found: computing on the CPU with SwiftShader from ${CARRIER}.`);
  return opened;
}

/**
 * Chooses an adapter and opens a device in Node. Order: the one named; a hardware adapter; the system's software
 * adapter (Mesa lavapipe); SwiftShader from the npm package @sparticuz/chromium. Call it on the main thread: the last
 * one needs environment variables that a worker thread cannot set.
 *
 * @throws UserError when the named adapter is not there, or none is: what was tried, and the command that helps.
 */
export async function openNodeDevice(options: NodeDeviceOptions): Promise<OpenDevice> {
  const toggles = options.toggles ?? "safe";
  dawn ??= loadDawn();
  const search = new AdapterSearch(await dawn, toggles);
  const name = options.adapter || process.env.ZEROTIR_ADAPTER;
  return name ? openNamed(name, search, toggles) : openBest(search, toggles, options.announce);
}

/** Destroys the device and lets go of Dawn, so that Node can end. */
export function closeNodeDevice(opened: Pick<OpenDevice, "device">): void {
  opened.device.destroy();
  instances.delete(opened.device);
}
