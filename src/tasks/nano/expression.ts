/**
 * The value of an expression of non-negative integers, `+`, `-`, `*` and parentheses, as Python would print it.
 * @throws RangeError when the text is something else, or leaves the integers that a double holds exactly.
 */
export function evaluateExpression(text: string): number {
  let at = 0;
  const fail = (): never => {
    throw new RangeError(`${JSON.stringify(text)} is no expression of integers, + - * and parentheses (at ${at})`);
  };
  const factor = (): number => {
    if (text[at] === "(") {
      at += 1;
      const value = sum();
      if (text[at] !== ")") return fail();
      at += 1;
      return value;
    }
    const digits = /^(?:0|[1-9][0-9]*)/.exec(text.slice(at))?.[0] ?? fail();
    at += digits.length;
    return Number(digits);
  };
  const product = (): number => {
    let value = factor();
    while (text[at] === "*") {
      at += 1;
      value *= factor();
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (text[at] === "+" || text[at] === "-") {
      const sign = text[at] === "+" ? 1 : -1;
      at += 1;
      value += sign * product();
    }
    return value;
  };
  const value = sum();
  if (at !== text.length || !Number.isSafeInteger(value)) fail();
  return value;
}
