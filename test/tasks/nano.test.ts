import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../src/base/random";
import { wrapObservation } from "../../src/sandbox/observation";
import { corpusTokens, encodeNanoDocument } from "../../src/tasks/nano/corpus";
import { type NanoDocument, nanoDocument } from "../../src/tasks/nano/documents";
import { evaluateExpression } from "../../src/tasks/nano/expression";
import { nanoBenchmarkProblem, nanoBenchmarks, nanoProblem, splitOf } from "../../src/tasks/nano/problems";
import { loadTokenizer } from "../../src/text/load-tokenizer";
import {
  buildNanoTokenizerConfig,
  buildNanoTokenizerJson,
  NANO_STRINGS,
  tokenizerFileText,
} from "../support/nano-tokenizer";

const nanoProblems = (seed: number, count: number, split: "train" | "eval") =>
  Array.from({ length: count }, (_, index) => nanoProblem(seed, index, split));

const tokenizer = loadTokenizer(buildNanoTokenizerJson(), buildNanoTokenizerConfig());
const folder = new URL("../../checkpoints/nano-base/", import.meta.url);
const files = {
  "tokenizer.json": tokenizerFileText(buildNanoTokenizerJson()),
  "tokenizer_config.json": tokenizerFileText(buildNanoTokenizerConfig()),
};
const documents = Array.from({ length: 4000 }, (_, index) => nanoDocument(7, index));
const whole = (document: NanoDocument) => document.prompt + document.pieces.map((piece) => piece.text).join("");

describe("nano tokenizer", () => {
  // UPDATE_FILES=1 writes the shipped files anew.
  it.each(Object.entries(files))("checkpoints/nano-base/%s is what the builder makes", (name, text) => {
    if (process.env.UPDATE_FILES === "1") {
      mkdirSync(folder, { recursive: true });
      writeFileSync(new URL(name, folder), text);
    }
    expect(readFileSync(new URL(name, folder), "utf8")).toBe(text);
  });

  it("gives each byte its own id, the end of sequence 256, and each string one id", () => {
    expect(tokenizer.vocabularySize).toBe(257 + NANO_STRINGS.length);
    expect(tokenizer.eosId).toBe(256);
    for (let byte = 0; byte < 256; byte++) expect([...tokenizer.tokenBytes(byte)]).toEqual([byte]);
    for (const [i, text] of NANO_STRINGS.entries()) expect([...tokenizer.encode(text)]).toEqual([257 + i]);
  });

  it("keeps any output of Python without loss", () => {
    const output =
      'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\nValueError: é — \u{1f600}\t\r\0 <|endoftext|> ```python';
    const ids = tokenizer.encodePlain(output);
    expect(tokenizer.decode(ids)).toBe(output);
    expect([...ids]).not.toContain(tokenizer.eosId);
  });

  it("splits every document in the same way in pieces and at once", () => {
    for (const document of documents) {
      const pieces = encodeNanoDocument(document, tokenizer);
      expect([...pieces]).toEqual([...tokenizer.encode(`${whole(document)}<|endoftext|>`)]);
    }
  });

  it("ends the model's code with one token that holds nothing after the backticks", () => {
    const python = documents.filter((document) => document.kind !== "direct");
    for (const { pieces } of python) {
      const ids = tokenizer.encode(pieces[0]?.text ?? "");
      const texts = [...ids].map((id) => tokenizer.tokenText(id));
      expect(texts.filter((text) => text.includes("```"))).toEqual(["\n```python\n", "\n```"]);
      expect(texts.at(-1)).toBe("\n```");
    }
  });
});

describe("nano problems", () => {
  it("evaluates as Python does", () => {
    expect(evaluateExpression("47*86+5")).toBe(4047);
    expect(evaluateExpression("(31-7)*8")).toBe(192);
    expect(evaluateExpression("96-13*4")).toBe(44);
    expect(evaluateExpression("2-3-4")).toBe(-5);
    expect(evaluateExpression("2*(3+4)*5")).toBe(70);
    for (const text of ["", "07", "2+", "(2", "2)", "-2", "2**3", "a"])
      expect(() => evaluateExpression(text)).toThrow(RangeError);
  });

  it("keeps the splits apart and the answers exact", () => {
    const train = nanoProblems(3, 3000, "train");
    const held = nanoProblems(3, 500, "eval");
    expect(train.every(({ expression }) => splitOf(expression) === "train")).toBe(true);
    expect(held.every(({ expression }) => splitOf(expression) === "eval")).toBe(true);
    for (const { expression, answer } of [...train, ...held]) {
      expect(expression).toMatch(/^[0-9+\-*()]+$/);
      for (const number of expression.match(/[0-9]+/g) ?? []) {
        expect(Number(number)).toBeGreaterThanOrEqual(2);
        expect(Number(number)).toBeLessThanOrEqual(99);
      }
      expect(answer).toBe(String(new Function(`return ${expression}`)()));
    }
  });

  it("makes item i from the seed and i alone", () => {
    expect(nanoProblems(5, 40, "train").slice(0, 10)).toEqual(nanoProblems(5, 10, "train"));
    expect(nanoProblems(6, 10, "train")).not.toEqual(nanoProblems(5, 10, "train"));
    expect(nanoProblems(1, 3, "train").map((p) => p.expression)).toMatchInlineSnapshot(`
      [
        "53*(56+26)",
        "25*11*32",
        "69-23*15",
      ]
    `);
  });

  it("mixes the levels in the stated shares", () => {
    const all = nanoProblems(11, 10_000, "train").map(({ expression }) => expression);
    const share = (test: (expression: string) => boolean) => all.filter(test).length / all.length;
    expect(share((e) => /^[0-9]{1,2}[+-][0-9]$/.test(e))).toBeGreaterThan(0.14);
    expect(share((e) => /^[0-9]{1,2}[+-][0-9]$/.test(e))).toBeLessThan(0.18);
    expect(share((e) => e.includes("*"))).toBeGreaterThan(0.68);
    expect(share((e) => e.includes("("))).toBeGreaterThan(0.25);
    expect(share((e) => e.includes("("))).toBeLessThan(0.32);
  });

  it("has benchmarks that training never meets, whatever its seed", () => {
    const shapes: Record<string, RegExp> = {
      nano: /^[0-9+\-*()]+$/,
      "nano-mul": /^\d{1,2}(?:\*\d{1,2}){1,2}$/,
      "nano-long": /^\d{1,2}(?:[-+*]\d{1,2}){3,5}$/,
      "nano-digits": /^\d{3}(?:[-+*]\d{3}){1,2}$/,
    };
    expect(Object.keys(nanoBenchmarks)).toEqual(Object.keys(shapes));
    const trained = new Set(nanoProblems(9, 20_000, "train").map(({ expression }) => expression));
    for (const [name, shape] of Object.entries(shapes)) {
      const problems = Array.from({ length: 300 }, (_, index) => nanoBenchmarkProblem(name, index));
      for (const problem of problems) {
        expect(problem?.expression).toMatch(shape);
        expect(splitOf(problem?.expression ?? "")).toBe("eval");
        expect(trained.has(problem?.expression ?? "")).toBe(false);
        expect(String(new Function(`return ${problem?.expression}`)())).toBe(problem?.answer);
      }
      expect(new Set(problems.map((problem) => problem?.expression)).size).toBeGreaterThan(250);
    }
    expect(nanoBenchmarkProblem("nano-none", 0)).toBeUndefined();
    expect(nanoBenchmarkProblem("toString", 0)).toBeUndefined();
  });

  it("draws uniform numbers", () => {
    const random = new CounterRandom(1, 2);
    const draws = Array.from({ length: 10_000 }, () => random.integer(0, 9));
    const counts = Array.from({ length: 10 }, (_, digit) => draws.filter((draw) => draw === digit).length);
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(27.9); // 0.001 quantile, 9 degrees of freedom
  });
});

describe("nano corpus", () => {
  it("has the stated shares of kinds", () => {
    const share = (kind: string) => documents.filter((document) => document.kind === kind).length / documents.length;
    expect(Math.abs(share("direct") - 0.85)).toBeLessThan(0.02);
    expect(Math.abs(share("python-wrong") - 0.015)).toBeLessThan(0.008);
  });

  it("answers what the output says, and gives the right answer everywhere but in the slips", () => {
    for (const { kind, prompt, pieces } of documents) {
      const expression = prompt.slice("User: ".length, -"\nAssistant:".length);
      const boxed = /\\boxed\{(-?[0-9]+)\}$/.exec(pieces.at(-1)?.text ?? "")?.[1];
      if (kind === "direct") {
        expect(pieces).toEqual([
          { text: ` ${expression}=\\boxed{${evaluateExpression(expression)}}`, source: "model" },
        ]);
        continue;
      }
      const code = /^\n```python\nprint\((.*)\)\n```$/.exec(pieces[0]?.text ?? "")?.[1] ?? "";
      expect(code === expression).toBe(kind === "python");
      expect(code.length).toBe(expression.length);
      // Byte for byte what the harness appends when Python prints the value.
      expect(pieces[1]).toEqual({ text: wrapObservation(`${evaluateExpression(code)}\n`), source: "tool" });
      expect(boxed).toBe(String(evaluateExpression(code)));
    }
  });

  it("yields the same ids from the list, the generator and a resumed generator", () => {
    const documents = Array.from({ length: 20 }, (_, index) => nanoDocument(9, index));
    const list = documents.map((document) => encodeNanoDocument(document, tokenizer));
    const generator = corpusTokens(9, tokenizer);
    expect(Array.from({ length: 20 }, () => generator.next().value)).toEqual(list);
    expect(corpusTokens(9, tokenizer, 13).next().value).toEqual(list[13]);
    const texts = documents.map(({ prompt, pieces }) => prompt + pieces.map(({ text }) => text).join(""));
    expect(texts.map((text) => tokenizer.encode(`${text}<|endoftext|>`))).toEqual(list);
  });

  it("is short", () => {
    const lengths = documents.map((document) => ({
      kind: document.kind,
      ids: encodeNanoDocument(document, tokenizer),
    }));
    const longest = Math.max(...lengths.map(({ ids }) => ids.length));
    expect(longest).toBeLessThanOrEqual(48);
  });
});
