import { createHash } from "node:crypto";
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { builtinModules } from "node:module";
import { extname, join } from "node:path";
import { build, defineConfig, type Plugin } from "vite";
import manifest from "./package.json" with { type: "json" };
import { bundle, programText } from "./scripts/vite-program-text.ts";

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

/** Makes the page of run reports: one file, whose only script and style are allowed by their hashes. */
function reportPage(): Plugin {
  return {
    name: "zerotir-report-page",
    async generateBundle() {
      const root = join(import.meta.dirname, "src/report/html/page");
      const built = await build({
        configFile: false,
        root,
        logLevel: "warn",
        build: { write: false, target: "es2023", modulePreload: false },
      });
      if (!("output" in built)) this.error("the report page was not built in one go");
      const text = (ending: string) => {
        const [file, ...more] = built.output.filter(({ fileName }) => fileName.endsWith(ending));
        if (file === undefined || more.length > 0) this.error(`the report page must have one ${ending} file`);
        return file.type === "chunk" ? file.code : String(file.source);
      };
      const hash = (content: string) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
      const [script, style] = [text(".js").replaceAll("</", "<\\/"), text(".css")];
      const policy = [
        "default-src 'none'",
        `script-src ${hash(script)}`,
        `style-src ${hash(style)}`,
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join("; ");
      const page = text(".html")
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style}</style>`)
        .replace(
          '<meta charset="utf-8" />',
          (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
      this.emitFile({ type: "asset", fileName: "report-page.html", source: page });
    },
  };
}

/** Puts the hash of the sandbox frame's script into the page's policy, which the frame inherits. */
function framePolicy(): Plugin {
  return {
    name: "zerotir-frame-policy",
    transformIndexHtml: {
      order: "pre",
      async handler(html) {
        const { hash } = await bundle(join(import.meta.dirname, "src/sandbox/browser/frame-program.ts"));
        return html.replace("'sandbox-frame'", `'${hash}'`);
      },
    },
  };
}

/** Puts the font that PNG figures are written in, and its licence, into dist/fonts. */
function figureFont(): Plugin {
  return {
    name: "zerotir-figure-font",
    writeBundle() {
      const source = join(import.meta.dirname, "node_modules/dejavu-fonts-ttf");
      const fonts = join(import.meta.dirname, "dist/fonts");
      mkdirSync(fonts, { recursive: true });
      copyFileSync(join(source, "ttf/DejaVuSans.ttf"), join(fonts, "DejaVuSans.ttf"));
      copyFileSync(join(source, "LICENSE"), join(fonts, "LICENSE"));
    },
  };
}

/**
 * Takes away the programs and chunks of earlier builds. What else is in dist/ (the Python image, the declarations)
 * stays.
 */
function onlyThisBuild(): Plugin {
  return {
    name: "zerotir-only-this-build",
    writeBundle(_, bundle) {
      const dist = join(import.meta.dirname, "dist");
      for (const folder of ["", "chunks", "workers"])
        for (const name of readdirSync(join(dist, folder)).filter((each) => each.endsWith(".js")))
          if (!(join(folder, name) in bundle)) rmSync(join(dist, folder, name));
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
        plugins: [demoFiles(), programText(), framePolicy()],
        worker: { format: "es" },
        // Found in workers only after the page runs, when finding them would reload it.
        optimizeDeps: {
          include: ["@huggingface/tokenizers", "comlink", "hyparquet", "hyparquet-compressors", "yaml", "zod"],
        },
        build: { outDir: "../../dist/demo", emptyOutDir: true, target: "es2023" },
      }
    : {
        plugins: [reportPage(), figureFont(), onlyThisBuild()],
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
              "workers/sandbox-packages": "src/sandbox/node/packages-worker.ts",
              "workers/reward": "src/platform/node/reward-worker.ts",
            },
            output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
          },
        },
      },
);
