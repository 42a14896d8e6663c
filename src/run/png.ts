import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { renderPng } from "../report/figures/png";
import { packageRoot } from "../sandbox/node/paths";

/** An SVG as PNG, its texts in the DejaVu font that the build puts beside the programs. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const wasm = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
  const [code, font] = await Promise.all([readFile(wasm), readFile(join(packageRoot(), "dist/fonts/DejaVuSans.ttf"))]);
  return renderPng(svg, new Uint8Array(code), new Uint8Array(font));
}
