import { InvalidArgumentError } from "commander";

/** Reads an option's whole number of at least `least` and at most `most`. */
export function count(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const expected = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`Expected a whole number ${expected}.`);
    return value;
  };
}
