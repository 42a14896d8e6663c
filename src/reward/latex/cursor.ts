import { isOperator } from "./brackets";
import type { Token } from "./tokens";

/** A place in a row of tokens. */
export class Cursor {
  protected at = 0;

  constructor(protected readonly tokens: readonly Token[]) {}

  protected get next(): Token | undefined {
    return this.tokens[this.at];
  }

  protected is(...texts: readonly string[]): boolean {
    return isOperator(this.next, ...texts);
  }

  protected take(...texts: readonly string[]): string | undefined {
    if (!this.is(...texts)) return undefined;
    return this.tokens[this.at++]?.text;
  }
}
