/**
 * Vite plugin: `import { text, hash } from "./file?program"` gives a TypeScript file and all it imports as the text of
 * one classic script. A frame or worker of an opaque origin can load nothing by address, so its program has to come to
 * it as text, in `vite dev` as in a build. Vite's own `?worker&inline` is text only in builds, and knows no frames.
 */
import { createHash } from "node:crypto";
import { build, type Plugin } from "vite";

const QUERY = "?program";

/**
 * @param plugins of the programs' own builds, beside this one
 */
export function programText(plugins: readonly Plugin[] = []): Plugin {
  return textPlugin(plugins, new Set());
}

/** @param sources takes the files that went into programs */
function textPlugin(plugins: readonly Plugin[], sources: Set<string>): Plugin {
  return {
    name: "zerotir-program-text",
    enforce: "pre",
    async resolveId(source, importer) {
      if (!source.endsWith(QUERY)) return null;
      const file = await this.resolve(source.slice(0, -QUERY.length), importer, { skipSelf: true });
      return file === null ? null : `${file.id}${QUERY}`;
    },
    async load(id) {
      if (!id.endsWith(QUERY)) return null;
      const { text, hash, files } = await bundle(id.slice(0, -QUERY.length), plugins);
      for (const file of files) {
        this.addWatchFile(file);
        sources.add(file);
      }
      return `export const text = ${JSON.stringify(text)};\nexport const hash = ${JSON.stringify(hash)};\n`;
    },
  };
}

export interface Program {
  /** A classic script. It holds no closing script tag, so it can stand in a document. */
  text: string;
  /** The text's source expression in a content security policy, without quotes: `sha256-` and base64. */
  hash: string;
  /** The sources that went in. */
  files: string[];
}

/** Bundles a program, and the programs that it imports in turn. */
export async function bundle(entry: string, plugins: readonly Plugin[] = []): Promise<Program> {
  const files = new Set<string>();
  const watch: Plugin = {
    name: "zerotir-program-sources",
    buildEnd() {
      for (const id of this.getModuleIds()) files.add(id.replace(QUERY, ""));
    },
  };
  const output = await build({
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    plugins: [...plugins, textPlugin(plugins, files), watch],
    build: {
      write: false,
      target: "es2023",
      modulePreload: false,
      rollupOptions: { input: entry, output: { format: "iife" } },
    },
  });
  if (Array.isArray(output) || !("output" in output)) throw new Error(`${entry}: expected one bundle`);
  const [chunk, ...more] = output.output;
  if (more.length > 0) throw new Error(`${entry}: expected one script, got ${output.output.length} files`);
  const text = chunk.code.replaceAll(/<(?=\/script|!--|script)/gi, "\\x3c");
  return { text, hash: `sha256-${createHash("sha256").update(text).digest("base64")}`, files: [...files] };
}
