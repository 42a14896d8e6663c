import { builtinModules } from "node:module";
import { defineConfig } from "vite";
import manifest from "./package.json" with { type: "json" };

const external = [
  ...builtinModules,
  ...builtinModules.map((name) => `node:${name}`),
  ...Object.keys(manifest.dependencies).flatMap((name) => [name, new RegExp(`^${name}/`)]),
];

/** `vite build` makes the Node programs in dist/; `vite --mode demo` serves and builds the browser page. */
export default defineConfig(({ mode }) =>
  mode === "demo"
    ? { root: "src/demo", base: "./", build: { outDir: "../../dist/demo", emptyOutDir: true, target: "es2023" } }
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
