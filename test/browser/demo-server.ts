import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { build, createServer, type InlineConfig } from "vite";

/** A page that is being served. */
export interface Served {
  readonly address: string;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, "../..");
const demo: InlineConfig = {
  configFile: join(root, "vite.config.ts"),
  root: join(root, "src/demo"),
  mode: "demo",
  logLevel: "warn",
};

/** Serves the demo page on a free port of this machine, as `npm run demo` does. */
export async function serveDemo(): Promise<Served> {
  // Nobody edits the page while it is tested.
  const server = await createServer({ ...demo, server: { host: "127.0.0.1", port: 0, hmr: false, watch: null } });
  await server.listen();
  return { address: `http://127.0.0.1:${portOf(server.httpServer)}/`, close: () => server.close() };
}

const TYPES = new Map([
  [".html", "text/html"],
  [".js", "text/javascript"],
  [".css", "text/css"],
]);

/** Builds the demo page and serves the files below an address of their own, as a host for plain files would. */
export async function serveBuiltDemo(): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "zerotir-built-demo-"));
  await build({ ...demo, build: { outDir: folder, emptyOutDir: true } });
  const server = createHttpServer((request, response) => {
    const path = new URL(request.url ?? "", "http://host").pathname.replace(/^\/below\/$/, "/below/index.html");
    const name = normalize(path.replace(/^\/below\//, ""));
    readFile(join(folder, name)).then(
      (bytes) => {
        response.setHeader("Content-Type", TYPES.get(extname(name)) ?? "application/octet-stream");
        response.end(bytes);
      },
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    address: `http://127.0.0.1:${portOf(server)}/below/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function portOf(server: Pick<Server, "address"> | null): number {
  const place = server?.address();
  if (typeof place !== "object" || place === null) throw new Error("the server has no port");
  return place.port;
}
