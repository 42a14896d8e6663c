/** A web server for one file that misbehaves on demand, as the hub or the way to it might. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FileServer {
  readonly origin: string;
  /** What was asked for, in order: method aside, path and Range. */
  readonly requests: {
    readonly path: string;
    readonly range: string | undefined;
    readonly token: string | undefined;
  }[];
  /** The answer that was begun last. */
  readonly last: ServerResponse | undefined;
  close(): Promise<void>;
}

/** Serves with `answer`, which `respond` helps to write. */
export async function fileServer(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<FileServer> {
  const requests: FileServer["requests"] = [];
  let last: ServerResponse | undefined;
  const server = createServer((request, response) => {
    last = response;
    requests.push({ path: request.url ?? "", range: request.headers.range, token: request.headers.authorization });
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    get last() {
      return last;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends the bytes as a server that knows ranges does. @param stopAfter bytes after which the connection breaks */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  { etag = '"one"', stopAfter }: { readonly etag?: string; readonly stopAfter?: number } = {},
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const partial = from > 0 && request.headers["if-range"] === etag;
  const part = partial ? bytes.subarray(from) : bytes;
  response.writeHead(partial ? 206 : 200, {
    ETag: etag,
    "Content-Length": part.byteLength,
    ...(partial ? { "Content-Range": `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` } : {}),
  });
  if (stopAfter === undefined) response.end(part);
  else response.write(part.subarray(0, stopAfter), () => setTimeout(() => response.destroy(), 20));
}
