import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { extname, join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import manifest from "./package.json" with { type: "json" };

const external = [
  ...builtinModules,
  ...builtinModules.map((name) => `node:${name}`),
  ...Object.keys(manifest.dependencies).flatMap((name) => [name, new RegExp(`^${name}/`)]),
];

/** What the page fetches: the address, the folder of this repository behind it, and which of its files. */
const DEMO_FOLDERS = [
  { address: "checkpoints/nano-base", folder: "checkpoints/nano-base", files: /\.(?:json|safetensors)$/ },
  { address: "python", folder: "dist/python", files: /^[^.]/ },
].map(({ folder, ...rest }) => ({ ...rest, folder: join(import.meta.dirname, folder) }));
const DEMO_TYPES = new Map([
  [".json", "application/json"],
  [".wasm", "application/wasm"],
]);

/** Serves the shipped model and the Python interpreter to the page, and puts copies beside the built page. */
function demoFiles(): Plugin {
  return {
    name: "zerotir-demo-files",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const [, address = "", name = ""] = /^\/(.+)\/([\w.-]+)(?:\?.*)?$/.exec(request.url ?? "") ?? [];
        const place = DEMO_FOLDERS.find((each) => each.address === address && each.files.test(name));
        if (place === undefined) return next();
        const file = join(place.folder, name);
        const stats = statSync(file, { throwIfNoEntry: false });
        const size = stats?.isFile() ? stats.size : undefined;
        response.statusCode = size === undefined ? 404 : 200;
        response.setHeader("Content-Type", DEMO_TYPES.get(extname(name)) ?? "application/octet-stream");
        response.setHeader("Content-Length", size ?? 0);
        if (size === undefined || request.method === "HEAD") response.end();
        else createReadStream(file).pipe(response);
      });
    },
    generateBundle() {
      for (const { address, folder, files } of DEMO_FOLDERS) {
        if (!existsSync(folder)) this.error(`${folder} is missing; make it with: npm run build`);
        for (const name of readdirSync(folder).filter((each) => files.test(each)))
          this.emitFile({ type: "asset", fileName: `${address}/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}

/** `vite build` makes the Node programs in dist/; `vite --mode demo` serves and builds the browser page. */
export default defineConfig(({ mode }) =>
  mode === "demo"
    ? {
        root: "src/demo",
        base: "./",
        publicDir: false,
        plugins: [demoFiles()],
        // The Python workers are started by the training worker, which takes modules of its own.
        worker: { format: "es" },
        // Found in workers only after the page runs, when finding them would reload it.
        optimizeDeps: { include: ["@huggingface/tokenizers", "comlink", "uplot", "yaml", "zod"] },
        build: { outDir: "../../dist/demo", emptyOutDir: true, target: "es2023" },
      }
    : {
        build: {
          ssr: true,
          target: "node20",
          outDir: "dist",
          emptyOutDir: false,
          minify: false,
          rollupOptions: {
            external,
            input: {
              cli: "src/cli/main.ts",
              index: "src/index.ts",
              "workers/sandbox-child": "src/sandbox/node/child.ts",
              "workers/sandbox-worker": "src/sandbox/node/worker.ts",
              "workers/reward": "src/platform/node/reward-worker.ts",
            },
            output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
          },
        },
      },
);
