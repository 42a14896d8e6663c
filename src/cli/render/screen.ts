import type { Output } from "../io";
import { visibleWidth } from "./style";

/**
 * Lines that stay, above a few that are redrawn. Off a terminal only the first kind is written, so that a log file
 * reads as one.
 */
export class Screen {
  readonly #output: Output;
  #drawn = 0;
  #status: readonly string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  get isTerminal(): boolean {
    return this.#output.isTerminal;
  }

  columns(): number {
    return this.#output.columns();
  }

  /** Writes lines that stay. */
  print(...lines: readonly string[]): void {
    this.#output.write(`${this.#erasure()}${lines.map((line) => `${line}\n`).join("")}`);
    this.#drawn = 0;
    this.#draw();
  }

  /** Replaces the lines at the bottom. */
  setStatus(...lines: readonly string[]): void {
    if (!this.#output.isTerminal) return;
    this.#status = lines;
    this.#output.write(this.#erasure());
    this.#drawn = 0;
    this.#draw();
  }

  #draw(): void {
    if (this.#status.length === 0 || !this.#output.isTerminal) return;
    this.#output.write(`${this.#status.join("\n")}\n`);
    const columns = Math.max(1, this.#output.columns());
    this.#drawn = this.#status.reduce((rows, line) => rows + Math.max(1, Math.ceil(visibleWidth(line) / columns)), 0);
  }

  /** Moves to where the status begins and clears from there. */
  #erasure(): string {
    return this.#drawn > 0 ? `\u001b[${this.#drawn}A\r\u001b[J` : "";
  }
}
