import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** Which of its own files the sandbox process may read, as the values of `--allow-fs-read`. */
export interface ReadAccess {
  /** The entry, the chunks it imports, and the package.json files that tell Node what kind of modules they are. */
  code: string[];
  assets: string[];
}

/**
 * Node's switch for its permission model: `--permission`, on older lines `--experimental-permission`, or none at all.
 */
function permissionSwitch(): string | undefined {
  const flags = process.allowedNodeEnvironmentFlags;
  return ["--permission", "--experimental-permission"].find((flag) => flags.has(flag));
}

/** What the process whose entry is `childPath` has to read. */
export function readAccess(childPath: string, assetFolder: string): ReadAccess {
  const folder = dirname(realpathSync(childPath));
  const manifests: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const manifest = join(at, "package.json");
    manifests.push(manifest);
    if (existsSync(manifest) || dirname(at) === at) break;
  }
  const assets = existsSync(assetFolder) ? realpathSync(assetFolder) : assetFolder;
  return {
    code: [join(folder, "*"), join(folder, "../chunks/*"), ...manifests],
    assets: [...new Set([assetFolder, assets])].map((path) => join(path, "*")),
  };
}

/**
 * Flags of the process: it may read its code and the assets and start threads; no other file, nothing written, no
 * process, no native add-on. Empty where Node has no permission model.
 */
export function processFlags({ code, assets }: ReadAccess): string[] {
  const on = permissionSwitch();
  return on === undefined ? [] : [on, "--allow-worker", ...reads([...code, ...assets])];
}

/**
 * Flags of its threads: only their code, and no threads of their own. They must be said again, because a thread that is
 * given flags of any kind, even none, does not inherit the permissions of its process.
 */
export function threadFlags({ code }: ReadAccess): string[] {
  const on = permissionSwitch();
  return on === undefined ? [] : [on, ...reads(code)];
}

const reads = (paths: readonly string[]) => paths.map((path) => `--allow-fs-read=${path}`);
