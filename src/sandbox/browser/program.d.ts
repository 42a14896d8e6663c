/** A file and all it imports as the text of one classic script (scripts/vite-program-text.ts). */
declare module "*?program" {
  export const text: string;
  /** The text's hash as a content security policy writes it, without quotes. */
  export const hash: string;
}
