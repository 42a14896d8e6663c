import { createHash } from "node:crypto";

/** Characters of the longest name of a metric or parameter. */
const LONGEST = 250;

/**
 * Names as every MLflow server takes them, by the given ones: letters, digits, `_ - . /` and spaces, no part of a path
 * that is empty or only dots, 250 characters. `@` becomes `_at_`, anything else `_`. Two that would be the same are
 * told apart by a digest.
 */
export function mlflowNames(names: Iterable<string>): ReadonlyMap<string, string> {
  const all = [...new Set(names)].sort();
  const taken = new Set(all.filter((name) => allowed(name) === name));
  return new Map(
    all.map((name) => {
      const short = allowed(name);
      if (short === name) return [name, name];
      const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
      const unique = taken.has(short) ? `${short.slice(0, LONGEST - 9)}_${digest}` : short;
      taken.add(unique);
      return [name, unique];
    }),
  );
}

function allowed(name: string): string {
  return name
    .replaceAll("@", "_at_")
    .replace(/[^\w\-. /]/gu, "_")
    .slice(0, LONGEST)
    .split("/")
    .map((part) => (/^\.*$/.test(part) ? "_" : part))
    .join("/")
    .slice(0, LONGEST);
}
