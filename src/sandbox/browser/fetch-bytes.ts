import { AssetError } from "../python/assets";

/**
 * Loads a file whole.
 *
 * @param progress is given the length of each piece in bytes, as it comes
 * @throws AssetError when it can't be loaded
 */
export async function fetchBytes(url: URL, progress: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new AssetError(`${url} can't be loaded: ${error instanceof Error ? error.message : error}`);
  });
  if (!response.ok || response.body === null) throw new AssetError(`${url} can't be loaded: status ${response.status}`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    progress(value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
