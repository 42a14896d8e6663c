/** Figures as people read them, and words as a shell does. */

/** Bytes with a unit of 1000s: `999 B`, `1.2 kB`, `34.5 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [size, unit] = bytes < 1e6 ? [1e3, "kB"] : bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${(bytes / size).toFixed(1)} ${unit}`;
}

/** Bytes of memory with a binary unit: `1.5 MiB`, `12.34 GiB`. */
export function memoryText(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** A text as one word of a command for a shell: in quotes where the shell would take it apart. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
