/**
 * Loop unrolling: writes out loops whose number of turns is an ALL_CAPS constant. Register tiles are arrays that such
 * loops walk: with every index a literal, each driver keeps them in registers (SwiftShader unrolls nothing by itself: 4
 * times the speed), and a loop's variable may stand where WGSL wants a constant.
 */
import { at } from "../src/base/must";

const HEAD = /for \(var (\w+) = 0u; \1 < ([A-Z][A-Z0-9_]*); \1\+\+\) \{/;

/** @throws Error when such a loop has a `break` or `continue`, or its bound is no constant of the text. */
export function unroll(code: string): string {
  const found = HEAD.exec(code);
  if (found === null) return code;
  const [head, variable, bound] = [at(found, 0), at(found, 1), at(found, 2)];
  const open = found.index + head.length;
  const close = closingBrace(code, open);
  const body = code.slice(open, close);
  const turns = new RegExp(`^const ${bound} = (\\d+)u;`, "m").exec(code)?.[1];
  if (turns === undefined) throw new Error(`a loop runs to ${bound}, which is not a whole number declared in the text`);
  if (/\b(break|continue)\b/.test(body))
    throw new Error(`a loop to ${bound} has a break or continue and cannot be written out`);
  const name = new RegExp(`\\b${variable}\\b`, "g");
  const copies = Array.from({ length: Number(turns) }, (_, turn) => `{${body.replace(name, `${turn}u`)}}`);
  return unroll(`${code.slice(0, found.index)}${copies.join("\n")}${code.slice(close + 1)}`);
}

/** Index of the brace that closes the one before `from`. */
function closingBrace(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    if (code[at] === "{") depth++;
    else if (code[at] === "}" && --depth === 0) return at;
  }
  throw new Error("a loop is not closed");
}
