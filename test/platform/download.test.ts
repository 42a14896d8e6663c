import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type DownloadOptions, download } from "../../src/platform/node/download";
import { lockText } from "../../src/platform/node/lock";
import { type FileServer, fileServer, send } from "./file-server";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const CHECKSUM = createHash("sha256").update(BYTES).digest("hex");

let root: string;
let server: FileServer | undefined;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "zerotir-download-"));
});
afterEach(async () => {
  await server?.close();
  await fs.rm(root, { recursive: true, force: true });
});

const target = () => join(root, "cache", "file.bin");
/** Starts the server and fetches. */
async function fetchWith(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  options: Partial<DownloadOptions> = {},
): Promise<string> {
  await server?.close();
  server = await fileServer(answer);
  const url = new URL("/datasets/a/b/resolve/main/file.bin", server.origin);
  return download({ url, target: target(), retryDelay: 1, ...options });
}
const left = async () => (await fs.readdir(join(root, "cache"))).sort();

test("arrives whole, with its checksum beside it and nothing else; the next time nothing is fetched", async () => {
  const told: number[] = [];
  await fetchWith((request, response) => send(request, response, BYTES), { onProgress: (done) => told.push(done) });
  expect((await fs.readFile(target())).equals(BYTES)).toBe(true);
  expect(await left()).toEqual(["file.bin", "file.bin.sha256"]);
  expect(await fs.readFile(`${target()}.sha256`, "utf8")).toBe(`${CHECKSUM}\n`);
  expect([told[0], told.at(-1)]).toEqual([0, BYTES.byteLength]);
  await fetchWith((_, response) => response.writeHead(500).end());
  expect(server?.requests).toHaveLength(0);
});

test("goes on where the connection broke, within one call", async () => {
  await fetchWith((request, response, count) =>
    send(request, response, BYTES, count < 3 ? { stopAfter: 100_000 } : {}),
  );
  expect((await fs.readFile(target())).equals(BYTES)).toBe(true);
  expect(server?.requests.map(({ range }) => range)).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
});

test("goes on where an earlier process stopped", async () => {
  const broken = fetchWith((request, response) => send(request, response, BYTES, { stopAfter: 120_000 }), {
    attempts: 1,
  });
  await expect(broken).rejects.toThrow(/the connection broke.*what has arrived is kept, so try again later/);
  expect(await left()).toEqual(["file.bin.partial", "file.bin.partial.etag"]);
  await fetchWith((request, response) => send(request, response, BYTES));
  expect(server?.requests.map(({ range }) => range)).toEqual(["bytes=120000-"]);
  expect((await fs.readFile(target())).equals(BYTES)).toBe(true);
});

test("starts anew when the file changed on the server meanwhile", async () => {
  const other = BYTES.map((byte) => byte ^ 0xff);
  await fetchWith((request, response, count) =>
    count === 1
      ? send(request, response, other, { etag: '"old"', stopAfter: 50_000 })
      : send(request, response, BYTES, { etag: '"new"' }),
  );
  expect((await fs.readFile(target())).equals(BYTES)).toBe(true);
});

test("starts anew when the server sends another part than was asked for", async () => {
  await fetchWith((request, response, count) => {
    if (count !== 2) return send(request, response, BYTES, count === 1 ? { stopAfter: 1000 } : {});
    return void response
      .writeHead(206, { "Content-Range": `bytes 7-${BYTES.byteLength - 1}/*` })
      .end(BYTES.subarray(7));
  });
  expect((await fs.readFile(target())).equals(BYTES)).toBe(true);
});

test("starts anew when the server has fewer bytes than have arrived", async () => {
  const short = BYTES.subarray(0, 1000);
  await fetchWith((request, response, count) => {
    if (count === 1) send(request, response, BYTES, { stopAfter: 50_000 });
    else if (request.headers.range !== undefined) response.writeHead(416).end();
    else send(request, response, short);
  });
  expect((await fs.readFile(target())).equals(short)).toBe(true);
});

test("a slow server is waited for, a silent one is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const options = { stallTimeout: 1000, attempts: 1 };
    await fetchWith((_, response) => void response.writeHead(200, { "Content-Length": 10 }).write("x"), {
      ...options,
      onProgress(done) {
        // Almost too late, each time.
        if (done > 0) vi.advanceTimersByTime(999);
        if (done < 10) server?.last?.write("x");
      },
    });
    expect(await fs.readFile(target(), "utf8")).toBe("xxxxxxxxxx");
    await fs.rm(target());
    await expect(
      fetchWith((_, response) => void response.writeHead(200, { "Content-Length": 10 }).write("x"), {
        ...options,
        onProgress: (done) => done === 1 && setImmediate(() => vi.advanceTimersByTime(1000)),
      }),
    ).rejects.toThrow(/the server sent nothing for a while, 1 times/);
  } finally {
    vi.useRealTimers();
  }
});

test("an abort ends it at once, between two bytes or two attempts, and what has arrived is kept", async () => {
  const stop = new AbortController();
  const partly = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { "Content-Length": BYTES.byteLength, ETag: '"one"' }).write(BYTES.subarray(0, 1000));
  };
  const started = fetchWith(partly, { signal: stop.signal, onProgress: (done) => done === 1000 && stop.abort() });
  await expect(started).rejects.toMatchObject({ name: "AbortError" });
  expect((await fs.stat(`${target()}.partial`)).size).toBe(1000);
  const later = new AbortController();
  const waiting = fetchWith(
    (_, response) => {
      response.writeHead(503).end();
      setTimeout(() => later.abort(), 50);
    },
    { signal: later.signal, retryDelay: 60_000 },
  );
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  await fetchWith((request, response) => send(request, response, BYTES));
  expect((await fs.readFile(target())).equals(BYTES)).toBe(true);
});

describe("checksums", () => {
  const stated = (checksum: string) => (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith("/store")) return send(request, response, BYTES);
    response.writeHead(302, { Location: "/store/file.bin", "X-Linked-Etag": `"${checksum}"` });
    return response.end();
  };
  test("the one that the hub states is checked", async () => {
    await fetchWith(stated(CHECKSUM));
    await fs.rm(target());
    await expect(
      fetchWith(stated(CHECKSUM.replace(/^./, "g").replace("g", CHECKSUM[0] === "0" ? "1" : "0"))),
    ).rejects.toThrow(/arrived with checksum [0-9a-f]{64}, but the server states/);
    expect(await left()).toEqual(["file.bin.sha256"]);
  });
  test("what is fetched again must be what was fetched first, until the user takes the new one", async () => {
    const other = (request: IncomingMessage, response: ServerResponse) => send(request, response, BYTES.subarray(1));
    await fetchWith((request, response) => send(request, response, BYTES));
    await fs.rm(target());
    await expect(fetchWith(other)).rejects.toThrow(
      /but the copy fetched before had [0-9a-f]{64}; delete .*file\.bin\.sha256/,
    );
    await fs.rm(`${target()}.sha256`);
    await fetchWith(other);
    expect(await left()).toEqual(["file.bin", "file.bin.sha256"]);
  });
  test("a cached file that changed is refused", async () => {
    await fetchWith((request, response) => send(request, response, BYTES));
    await fs.appendFile(target(), "x");
    await expect(fetchWith((request, response) => send(request, response, BYTES))).rejects.toThrow(
      /file\.bin: changed since it was fetched.*delete it to fetch it anew/,
    );
  });
});

describe("refusals", () => {
  test.each<[number, string | undefined, RegExp]>([
    [404, undefined, /no such file on the hub \(404\).*ZEROTIR_DATA/],
    [401, undefined, /wants a login \(401\); set HF_TOKEN/],
    [403, "secret", /refuses the token \(403\); accept the data set's terms/],
    [400, undefined, /the server answered 400; expected a file/],
  ])("%d is said once and not tried again", async (status, token, message) => {
    await expect(fetchWith((_, response) => void response.writeHead(status).end(), { token })).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(message),
    });
    expect(server?.requests).toHaveLength(1);
  });

  test("a server in trouble is asked again, and then not", async () => {
    await fetchWith((request, response, count) =>
      count < 3 ? void response.writeHead(503).end() : send(request, response, BYTES),
    );
    await fs.rm(target());
    await expect(fetchWith((_, response) => void response.writeHead(429).end(), { attempts: 3 })).rejects.toThrow(
      /the server answered 429, 3 times/,
    );
  });

  test("a server that is not there, and redirects without end", async () => {
    await fetchWith((request, response) => send(request, response, BYTES));
    await fs.rm(target());
    const url = new URL("/x", server?.origin);
    await server?.close();
    await expect(download({ url, target: target(), attempts: 1 })).rejects.toThrow(
      /the server cannot be reached \(.*ECONNREFUSED/,
    );
    await expect(fetchWith((_, response) => void response.writeHead(302, { Location: "/x" }).end())).rejects.toThrow(
      /redirects without end/,
    );
  });

  test("what another living process is fetching", async () => {
    await fs.mkdir(join(root, "cache"));
    await fs.writeFile(`${target()}.lock`, String(process.ppid));
    const answer = (request: IncomingMessage, response: ServerResponse) => send(request, response, BYTES);
    await expect(fetchWith(answer)).rejects.toThrow(`is being fetched by process ${process.ppid}`);
    // Those of processes that died; the last two had the number that this one has now.
    const [number = "", boot = "", start = ""] = lockText().split(" ");
    for (const text of ["999999999", number, `${number} ${boot} ${Number(start) - 1}`]) {
      await fs.writeFile(`${target()}.lock`, text);
      await fs.rm(target(), { force: true });
      await fetchWith(answer);
      expect(await left()).toEqual(["file.bin", "file.bin.sha256"]);
    }
  });
});

test("the token goes to the hub and not to where it redirects", async () => {
  const store = await fileServer((request, response) => send(request, response, BYTES));
  try {
    await fetchWith((_, response) => void response.writeHead(302, { Location: `${store.origin}/file` }).end(), {
      token: "secret",
    });
    expect(server?.requests[0]?.token).toBe("Bearer secret");
    expect(store.requests[0]?.token).toBeUndefined();
  } finally {
    await store.close();
  }
});
