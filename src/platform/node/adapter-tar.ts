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
