import { initWasm, Resvg } from "@resvg/resvg-wasm";

let started: Promise<void> | undefined;

/**
 * An SVG as PNG at twice its size.
 *
 * @param wasm bytes of resvg's index_bg.wasm; used by the first call of the process only
 * @param font a TrueType file: the only one that texts are drawn with
 */
export async function renderPng(svg: string, wasm: BufferSource, font: Uint8Array): Promise<Uint8Array> {
  started ??= initWasm(wasm);
  await started;
  const resvg = new Resvg(svg, {
    fitTo: { mode: "zoom", value: 2 },
    font: {
      fontBuffers: [font],
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
      loadSystemFonts: false,
    },
  });
  try {
    const image = resvg.render();
    try {
      return image.asPng();
    } finally {
      image.free();
    }
  } finally {
    resvg.free();
  }
}
