/** Tar archives of a few files (POSIX ustar): no long names, links or sparse files. */

const BLOCK = 512;

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/**
 * The regular files of a ustar archive by name, as views into `archive`. A leading `./` is dropped. Covers what a plain
 * archive of a few files uses: no long-name extensions, links or sparse files.
 *
 * @throws Error when a header's checksum does not fit or a file is cut short.
 */
export function tarFiles(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let offset = 0;
  while (offset + BLOCK <= archive.length) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    // The checksum counts its own field as spaces.
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
    if (sum !== Number.parseInt(text(header.subarray(148, 156)).trim(), 8))
      throw new Error(`tar archive is damaged: bad header checksum at byte ${offset}`);
    const size = Number.parseInt(text(header.subarray(124, 136)).trim() || "0", 8);
    const start = offset + BLOCK;
    if (!(start + size <= archive.length)) throw new Error(`tar archive is cut short at byte ${offset}`);
    const type = header[156];
    if (type === 0x30 || type === 0)
      files.set(text(header.subarray(0, 100)).replace(/^\.\//, ""), archive.subarray(start, start + size));
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/**
 * Packs files into a tar archive (POSIX ustar, all dates 0, so that equal files give equal bytes).
 *
 * @param files names of at most 100 bytes in ASCII, with the pieces of each file
 * @throws RangeError at a longer name
 */
export function tarBlob(files: Iterable<readonly [name: string, pieces: readonly Uint8Array<ArrayBuffer>[]]>): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const [name, pieces] of files) {
    const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    parts.push(header(name, size), ...pieces, new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

function header(name: string, size: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, offset: number) => block.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  if (name.length > 100) throw new RangeError(`the name ${name} is too long for a tar archive`);
  put(name, 0);
  put(octal(0o644, 7), 100);
  put(octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(0, 11), 108);
  put("0", 156);
  put("ustar\x0000", 257);
  // The checksum is taken with its own field as eight spaces.
  put(" ".repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)} `, 148);
  return block;
}
