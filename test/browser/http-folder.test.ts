import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readText } from "../../src/model/folder";
import { httpFolder, httpText } from "../../src/platform/browser/http-folder";

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const [, folder, name] = (request.url ?? "").split("/");
    if (folder === "start-page") response.setHeader("Content-Type", "text/html; charset=utf-8");
    else if (folder === "broken") response.statusCode = 500;
    else if (folder !== "model" || (name !== "config.json" && name !== "model.safetensors")) response.statusCode = 404;
    response.end(request.method === "HEAD" ? undefined : `this is ${name}`);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const place = server.address();
  if (typeof place !== "object" || place === null) throw new Error("the server has no port");
  base = `http://127.0.0.1:${place.port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each(["model", "model/"])("the files of %s are found and read", async (place) => {
  const folder = httpFolder(new URL(`${base}/${place}`));
  expect(folder.path).toBe(`${base}/model`);
  expect(await folder.list()).toEqual(["config.json", "model.safetensors"]);
  expect(await readText(folder, "config.json")).toBe("this is config.json");
  const source = await folder.open("model.safetensors");
  expect(source?.size).toBe("this is model.safetensors".length);
  expect(new TextDecoder().decode(await source?.read(5, 2))).toBe("is");
  expect(await folder.open("tokenizer.json")).toBeUndefined();
});

test.each(["missing", "start-page"])("%s is no folder", async (place) => {
  const folder = httpFolder(new URL(`${base}/${place}`));
  expect(await folder.list()).toBeUndefined();
  expect(await folder.open("config.json")).toBeUndefined();
  await expect(httpText(new URL(`${base}/${place}/rows.jsonl`))).rejects.toThrow("no such file");
});

test("a server that fails, or is not there, is named", async () => {
  await expect(httpFolder(new URL(`${base}/broken`)).list()).rejects.toThrow(
    /broken\/config.json: the server answered 500/,
  );
  // Port 1 is never open to a browser's fetch, nor to Node's.
  await expect(httpFolder(new URL("http://127.0.0.1:1/model")).list()).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringContaining("http://127.0.0.1:1/model/config.json: can't be loaded"),
  });
});
