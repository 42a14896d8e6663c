import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeRow, scoreRow, when2CallPrompt, when2CallRow } from "../../../src/eval/choices/when2call";
import { CharacterTokenizer } from "../../../src/text/character-tokenizer";
import { ChatTemplate } from "../../../src/text/chat-template";

const file = join(
  process.env.ZEROTIR_DATA ?? join(import.meta.dirname, "../../../../shared/data"),
  "when2call-test.jsonl",
);
const record = {
  id: "a",
  problem: "Rain?",
  answer: "tool_call",
  answers: { cannot_answer: "4444", direct: "1", tool_call: "22", request_for_info: "333" },
  tools: ['{"name": "weather"}'],
};

test.skipIf(!existsSync(file))("the published rows are read", () => {
  const rows = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line, index) => when2CallRow(JSON.parse(line), `line ${index + 1}`));
  expect(rows).toHaveLength(300);
  expect(rows.filter(({ gold }) => gold === "cannot_answer")).toHaveLength(100);
  expect(rows.filter(({ gold, tools }) => gold === "cannot_answer" && tools.length === 0)).toHaveLength(17);
});

test("prompts, with a template and without", () => {
  const row = when2CallRow(record, "row");
  expect(when2CallPrompt(row, undefined)).toBe('Tools:\n{"name":"weather"}\n\nUser: Rain?\nAssistant: ');
  const source = "{% for t in tools %}{{ t.function.name }} {% endfor %}{{ messages[0].content }}";
  expect(when2CallPrompt(row, new ChatTemplate(new Map([["default", source]]), {}))).toBe("weather Rain?");
});

test("answers are scored in the order of the behaviours, their log-probs summed", async () => {
  const tokenizer = new CharacterTokenizer({ char_ords: [49, 50, 51, 52] });
  const row = encodeRow(when2CallRow(record, "row"), "12", tokenizer);
  expect(row.tokens).toBe(6);
  const scored = await scoreRow(row, {
    continuations: async (prompt, answers) => {
      expect([...prompt]).toEqual([4, 5]);
      return answers.map((ids) => Float32Array.from(ids, (id) => -id));
    },
  });
  expect(scored).toEqual({ gold: "tool_call", tools: 1, lengths: [1, 2, 3, 4], logLikelihoods: [-4, -10, -18, -28] });
});

test.each([
  [{ ...record, answer: "maybe" }, /right answer is "maybe"/],
  [{ ...record, answers: { direct: "1" } }, /answers.tool_call is missing/],
  [{ ...record, tools: ["{"] }, /a tool is not JSON/],
])("what is wrong is named (%#)", (bad, message) => {
  expect(() => when2CallRow(bad, "line 3")).toThrow(message);
});
