/** From inside: what code could reach that has left the interpreter, and what is put in its worker's place to look. */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Plugin } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runner } from "../sandbox/helper";
import { openSandboxPage, type SandboxPage } from "./sandbox-page";

const sandbox = join(import.meta.dirname, "../../src/sandbox/browser");

/** Sources that take the place of the frame's own, by file name. */
function instead(sources: Record<string, string>): Plugin {
  return {
    name: "test-instead",
    enforce: "pre",
    load: (id) => Object.entries(sources).find(([name]) => id === join(sandbox, name))?.[1],
  };
}

/** A program that answers every call with what it could do, as JSON; the call's code gives addresses to try. */
const PROBE = `
const opened = (socket) => new Promise((resolve, reject) => {
  socket.onopen = resolve;
  socket.onerror = () => reject(new Error("refused"));
});
const ran = (worker) => new Promise((resolve, reject) => {
  worker.onmessage = resolve;
  worker.onerror = () => reject(new Error("refused"));
});
const request = (made) => new Promise((resolve, reject) => {
  made.onsuccess = resolve;
  made.onerror = () => reject(made.error);
});
const fromString = Function;
const attempts = {
  fetchPage: ({ page }) => fetch(page, { mode: "no-cors" }),
  fetchListener: ({ listener }) => fetch("http://" + listener, { mode: "no-cors" }),
  fetchData: () => fetch("data:,x"),
  requestListener: ({ listener }) => new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.onload = resolve;
    asked.onerror = () => reject(new Error("refused"));
    asked.open("GET", "http://" + listener);
    asked.send();
  }),
  webSocket: ({ listener }) => opened(new WebSocket("ws://" + listener)),
  eventSource: ({ listener }) => opened(new EventSource("http://" + listener)),
  webTransport: ({ listener }) => new WebTransport("https://" + listener).ready,
  importPage: ({ page }) => importScripts(page + "asked.js"),
  importListener: ({ listener }) => importScripts("http://" + listener),
  importBlob: () => importScripts(URL.createObjectURL(new Blob(["1"], { type: "text/javascript" }))),
  importModule: ({ page }) => import(page + "asked.js"),
  workerOfPage: ({ page }) => ran(new Worker(page + "asked.js", { name: "asked" })),
  workerOfListener: ({ listener }) => ran(new Worker("http://" + listener, { name: "asked" })),
  indexedDatabase: () => request(indexedDB.open("door")),
  cacheStorage: () => caches.open("door"),
  originFiles: () => navigator.storage.getDirectory(),
  localStorage: () => localStorage.length,
  cookies: () => cookieStore.getAll(),
  document: () => document.title,
  parentPage: () => parent.document,
  evaluate: () => (0, eval)("1 + 1"),
  makeFunction: () => fromString("return 1")(),
  walk: () => [].constructor.constructor("return 1")(),
  timerOfText: ({ late }) => new Promise((resolve, reject) => {
    self.hit = resolve;
    setTimeout("self.hit()", 0);
    setTimeout(() => reject(new Error("refused")), late);
  }),
};
async function answer(code) {
  const places = JSON.parse(code);
  const open = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), places.late * 4));
    try {
      await Promise.race([Promise.resolve(places).then(attempt), late]);
      open.push(name);
    } catch {}
  }
  return { open, origin: self.origin };
}
`;
const AS_GUEST = `${PROBE}
self.onmessage = async ({ data }) => {
  if (data.type === "init") self.postMessage({ type: "ready" });
  else {
    const result = { status: "ok", stderr: "", ms: 0, queueMs: 0, truncated: false };
    self.postMessage({ type: "result", result: { ...result, stdout: JSON.stringify(await answer(data.call.code)) } });
  }
};`;
const ATTEMPTS = [...PROBE.matchAll(/^ {2}(\w+): \(/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
/** What no worker has; what another origin never gives; what needs a server with encryption. */
const NEVER = ["webTransport", "workerOfListener", "localStorage", "cookies", "document", "parentPage"];

/** A script that answers where it was started as a worker. */
const ASKED = 'if (self.name === "asked") self.postMessage("answer");';

let listener: Server;
let connections = 0;
let place: string;
beforeAll(async () => {
  listener = createServer((request, response) => {
    const events = request.headers.accept === "text/event-stream";
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Content-Type", events ? "text/event-stream" : "text/javascript");
    if (events) response.write("data: 1\n\n");
    else response.end(ASKED);
  });
  listener.on("upgrade", (request, socket) => {
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    socket.write(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  });
  listener.on("connection", () => connections++);
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  place = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
});
afterAll(() => {
  listener.closeAllConnections();
  listener.close();
});

describe("a worker of the frame that is only a probe", () => {
  let opened: SandboxPage;
  const places = () => ({ page: opened.page.url(), listener: place, late: 500 });
  beforeAll(async () => {
    opened = await openSandboxPage({
      plugins: [instead({ "worker-program.ts": AS_GUEST })],
      files: { "asked.js": ASKED },
      workerCount: 1,
    });
    expect(opened.state).toBe("ready");
  });
  afterAll(() => opened?.close());

  test("finds what is open: in a worker of the page, everything that a worker can do", async () => {
    const program = `${PROBE} self.onmessage = async ({ data }) => self.postMessage(await answer(data));`;
    const found = await opened.page.evaluate(
      ([program, code]) =>
        new Promise<{ open: string[]; origin: string }>((resolve) => {
          const worker = new Worker(URL.createObjectURL(new Blob([program ?? ""], { type: "text/javascript" })));
          worker.onmessage = ({ data }) => resolve(data);
          worker.postMessage(code);
        }),
      [program, JSON.stringify(places())],
    );
    expect(found.open).toEqual(ATTEMPTS.filter((name) => !NEVER.includes(name)));
    expect(found.origin).toBe(new URL(opened.page.url()).origin);
    expect(connections).toBeGreaterThan(0);
  }, 60_000);

  test("reaches nothing from the frame, and the listener is reached by none", async () => {
    connections = 0;
    const { stdout } = await runner(() => opened)(JSON.stringify(places()));
    expect(JSON.parse(stdout)).toEqual({ open: [], origin: "null" });
    // A connection that was under way would have come by now.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(connections).toBe(0);
  }, 60_000);
});

test("a worker that finds a door open takes no program", async () => {
  const plugins = [instead({ "self-test.ts": `export const openDoors = async () => ["do anything"];` })];
  const opened = await openSandboxPage({ plugins, workerCount: 1 });
  expect(opened.state).toMatch(/does not start: .*the worker can do anything$/);
  await opened.close();
}, 60_000);

test("the self-test sees the doors that a worker of the page has open", async () => {
  const opened = await openSandboxPage({ workerCount: 1 });
  const doors = await opened.page.evaluate(
    async (path) => {
      const program = `import { openDoors } from "${location.origin}/@fs${path}"; postMessage(await openDoors());`;
      const worker = new Worker(URL.createObjectURL(new Blob([program], { type: "text/javascript" })), {
        type: "module",
      });
      return new Promise<string[]>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      });
    },
    join(sandbox, "self-test.ts"),
  );
  // A worker made of a module can't use importScripts.
  expect(doors).toEqual(["act for the page's origin", "make code of strings", "load data by address", "store data"]);
  await opened.close();
}, 60_000);

const STRICT = "default-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:";

test("a page with a policy of its own: with the frame's script in it the sandbox starts", async () => {
  const policy = `${STRICT}; script-src 'self' HASH 'wasm-unsafe-eval'`;
  const opened = await openSandboxPage({ policy, workerCount: 1 });
  expect(opened.state).toBe("ready");
  expect((await runner(() => opened)("print(6 * 7)")).stdout).toBe("42\n");
  await opened.close();
}, 60_000);

test("a page whose policy forbids the frame's script is told so", async () => {
  const opened = await openSandboxPage({ policy: `${STRICT}; script-src 'self'`, workerCount: 1 });
  expect(opened.state).toMatch(/^The frame of the Python sandbox does not answer\./);
  await opened.close();
}, 60_000);

test("a page that is isolated for shared memory runs the sandbox as well", async () => {
  const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
  const opened = await openSandboxPage({ headers, workerCount: 1 });
  expect(opened.state).toBe("ready");
  expect(await opened.page.evaluate("crossOriginIsolated")).toBe(true);
  expect((await runner(() => opened)("print(6 * 7)")).stdout).toBe("42\n");
  await opened.close();
}, 60_000);
