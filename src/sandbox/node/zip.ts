import { inflateRawSync } from "node:zlib";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;

/**
 * The files of a zip archive (PKWARE APPNOTE 6.3) by path. Entries are stored or deflated; no encryption, no zip64.
 *
 * @param limit bytes that all files together may have when unpacked
 * @throws RangeError or Error when the archive is damaged, of another kind, or larger
 */
export function readZip(archive: Buffer, limit: number): Map<string, Uint8Array> {
  let end = archive.length - 22;
  while (end >= 0 && archive.readUInt32LE(end) !== END) end--;
  if (end < 0) throw new Error("it has no central directory");
  const files = new Map<string, Uint8Array>();
  let at = archive.readUInt32LE(end + 16);
  let left = limit;
  for (let i = archive.readUInt16LE(end + 10); i > 0; i--) {
    if (archive.readUInt32LE(at) !== ENTRY) throw new Error("its central directory is damaged");
    const [flags, method] = [archive.readUInt16LE(at + 8), archive.readUInt16LE(at + 10)];
    const [packedSize, size] = [archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)];
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    if (name.endsWith("/")) continue;
    if ((flags & 1) !== 0 || (method !== 0 && method !== 8)) throw new Error(`${name} is encrypted or packed oddly`);
    if (archive.readUInt32LE(local) !== LOCAL) throw new Error(`${name} is not where the directory says`);
    left -= size;
    if (left < 0) throw new Error(`its files are larger than ${limit >> 20} MiB`);
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    const packed = archive.subarray(start, start + packedSize);
    const data = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
    if (data.length !== size) throw new Error(`${name} has not the length it should have`);
    files.set(name, data);
  }
  return files;
}
