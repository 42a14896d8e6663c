import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { memoryFile } from "../../src/data/data-file";
import { readRows } from "../../src/data/dataset";
import { afterHashes, lastBoxed } from "../../src/data/final-answer";

const FOUND = { promptColumn: null, answerColumn: null };
const file = (text: string, name = "x.jsonl") => memoryFile(name, new TextEncoder().encode(text));
const read = (text: string, name?: string, choice = {}) => readRows([file(text, name)], { ...FOUND, ...choice });
const record = (value: unknown, choice = {}) => read(JSON.stringify(value), "x.jsonl", choice);

describe("JSONL", () => {
  test("the usual names of question and answer; several answers; numbers; blank lines; other columns are kept", async () => {
    const text = [
      '{"prompt": "a", "answer": "1", "level": 3}',
      "",
      '{"question": "b", "ground_truth": 2}',
      '{"problem": "c", "answer": ["3", 4]}\r',
      '{"prompt": "d", "answer": null, "label": 0}',
    ].join("\n");
    expect(await read(text)).toEqual([
      { prompt: "a", answer: "1", columns: { level: 3 } },
      { prompt: "b", answer: "2", columns: {} },
      { prompt: "c", answer: ["3", "4"], columns: {} },
      { prompt: "d", answer: "0", columns: { answer: null } },
    ]);
  });

  test.each<[string, RegExp]>([
    ['{"prompt": "a", "answer": "1"}\n{', /^x\.jsonl, line 2: not JSON/],
    ["3", /^x\.jsonl, line 1: expected an object/],
    ['{"answer": "1"}', /^x\.jsonl, line 1: has no text under prompt, question, problem.*\(columns: answer\)/],
    ['{"prompt": "a"}', /^x\.jsonl, line 1: has no answer under answer.*--dataset-answer-column/],
    ['{"prompt": "a", "answer": " "}', /^x\.jsonl, line 1: the answer is " "; expected a text or a number/],
    ['{"prompt": "a", "answer": []}', /^x\.jsonl, line 1: the answer is \[\]/],
    ['{"prompt": "a", "answer": {"x": 1}}', /^x\.jsonl, line 1: the answer is \{"x":1\}/],
    ["", /^x\.jsonl: has no rows/],
  ])("%j is refused", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  test("characters and lines that lie across the chunks a file is read in", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({ prompt: `é${"ü𝛑".repeat(200)}${i}`, answer: i }));
    const text = rows.map((row) => JSON.stringify(row)).join("\n");
    expect(text.length).toBeGreaterThan(2 ** 20);
    expect((await read(text)).map(({ prompt }) => prompt)).toEqual(rows.map(({ prompt }) => prompt));
  });

  test("gzip, and a damaged one", async () => {
    const packed = gzipSync('{"prompt": "a", "answer": "1"}\n');
    expect(await readRows([memoryFile("x.jsonl.gz", packed)], FOUND)).toHaveLength(1);
    await expect(readRows([memoryFile("x.jsonl.gz", packed.subarray(0, 30))], FOUND)).rejects.toThrow(
      /^x\.jsonl\.gz: a damaged or incomplete gzip file/,
    );
  });

  test("text that is not UTF-8; a byte-order mark", async () => {
    await expect(readRows([memoryFile("x.jsonl", Uint8Array.of(0x7b, 0xe9, 0x7d))], FOUND)).rejects.toThrow(
      /not UTF-8/,
    );
    expect(await read('\ufeff{"prompt": "a", "answer": "1"}')).toHaveLength(1);
  });
});

describe("JSON documents", () => {
  const rows = [
    { prompt: "a", answer: "1" },
    { prompt: "b", answer: "2" },
  ];
  test.each([
    ["an array", JSON.stringify(rows, null, 2)],
    ["an object with data", JSON.stringify({ version: 1, data: rows })],
    ["JSONL under another name", rows.map((row) => JSON.stringify(row)).join("\n")],
  ])("%s", async (_, text) => {
    expect((await read(text, "x.json")).map(({ prompt }) => prompt)).toEqual(["a", "b"]);
  });

  test.each<[string, RegExp]>([
    ["[{", /^x\.json: not JSON; expected an array/],
    ['{\n"rows": []\n}', /^x\.json: expected an array of records, or an object/],
    ["[]", /^x\.json: has no rows/],
    ['[{"prompt": "a", "answer": 1}, 7]', /^x\.json, record 2: expected an object/],
  ])("%j is refused", async (text, message) => {
    await expect(read(text, "x.json")).rejects.toThrow(message);
  });
});

describe("published schemas", () => {
  test("verl: chat list and reward_model; the bare question of extra_info is preferred", async () => {
    const verl = {
      data_source: "math_dapo",
      prompt: [
        { role: "system", content: "be brief" },
        { role: "user", content: "2+2? Answer at the end." },
      ],
      reward_model: { style: "rule", ground_truth: "4" },
      extra_info: { index: 7 },
    };
    expect(await record(verl)).toEqual([
      {
        prompt: "2+2? Answer at the end.",
        answer: "4",
        columns: { data_source: "math_dapo", reward_model: verl.reward_model, extra_info: { index: 7 } },
      },
    ]);
    const [row] = await record({ ...verl, extra_info: { question: "2+2?" } });
    expect(row).toMatchObject({ prompt: "2+2?", answer: "4", columns: { prompt: verl.prompt } });
  });

  test("Open-Reasoner-Zero: two turns", async () => {
    const turns = [
      { from: "human", value: "2+2?" },
      { from: "assistant", ground_truth: { value: "4", pass_at_n: 0.5 } },
    ];
    expect(await read(JSON.stringify([turns]), "orz.json")).toEqual([
      { prompt: "2+2?", answer: "4", columns: { pass_at_n: 0.5 } },
    ]);
    await expect(read(JSON.stringify([[turns[0]]]), "orz.json")).rejects.toThrow(
      /^orz\.json, record 1: expected an object/,
    );
    expect(await record({ prompt: [turns[0]], final_answer: "4" })).toMatchObject([{ prompt: "2+2?", answer: "4" }]);
  });

  test("ZeroTIR: a label of JSON", async () => {
    const label = JSON.stringify({ gold_ans: "4", template: "ZERO_TIR" });
    expect(await record({ prompt: "2+2?", label })).toEqual([{ prompt: "2+2?", answer: "4", columns: {} }]);
    expect(await record({ prompt: "2+2?", label: "{1, 2}" })).toMatchObject([{ answer: "{1, 2}" }]);
  });

  test("GSM8K: what follows ####; MATH: the last box of the solution", async () => {
    const answer = "She has 3*400=<<3*400=1200>>1200.\n#### 1,200";
    expect(await record({ question: "q", answer })).toEqual([{ prompt: "q", answer: "1200", columns: { answer } }]);
    const solution = "First \\boxed{1}, then $\\boxed{\\frac{1}{2}}$.";
    expect(await record({ problem: "p", solution, level: "Level 5" })).toEqual([
      { prompt: "p", answer: "\\frac{1}{2}", columns: { solution, level: "Level 5" } },
    ]);
    await expect(record({ problem: "p", solution: "none" })).rejects.toThrow(/has no answer under/);
  });

  test("columns by name, nested ones with dots; a wrong name says which there are", async () => {
    const row = { task: { text: "2+2?" }, gold: 4, answer: "no" };
    expect(await record(row, { promptColumn: "task.text", answerColumn: "gold" })).toEqual([
      { prompt: "2+2?", answer: "4", columns: { task: { text: "2+2?" }, answer: "no" } },
    ]);
    await expect(record(row, { promptColumn: "text" })).rejects.toThrow(
      /^x\.jsonl, line 1: column text is missing; expected the text of the question.*\(columns: task, gold, answer\)/,
    );
    await expect(record(row, { promptColumn: "task.text", answerColumn: "x" })).rejects.toThrow(/column x is missing/);
  });
});

describe("parquet", () => {
  const bytes = (settings = {}) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "question", data: Array.from({ length: 25 }, (_, i) => `q${i} é`), type: "STRING" },
          { name: "final_answer", data: Array.from({ length: 25 }, (_, i) => BigInt(i)), type: "INT64" },
          { name: "extra_info", data: Array.from({ length: 25 }, (_, i) => ({ index: i })), type: "JSON" },
        ],
        rowGroupSize: 10,
        ...settings,
      }),
    );

  test.each([{}, { codec: "UNCOMPRESSED" }])("rows of several row groups, %j", async (settings) => {
    const rows = await readRows([memoryFile("x.parquet", bytes(settings))], FOUND);
    expect(rows).toHaveLength(25);
    expect(rows[17]).toEqual({ prompt: "q17 é", answer: "17", columns: { extra_info: { index: 17 } } });
  });

  test("only the columns that are asked for", async () => {
    const split = { localFiles: [], columns: ["question", "final_answer", "absent"] };
    const rows = await readRows([memoryFile("x.parquet", bytes())], FOUND, split);
    expect(rows[3]).toEqual({ prompt: "q3 é", answer: "3", columns: {} });
  });

  test("a row without an answer, and a damaged file, are named", async () => {
    const holes = parquetWriteBuffer({
      columnData: [
        { name: "question", data: ["a", "b"], type: "STRING" },
        { name: "answer", data: ["1", null], type: "STRING" },
      ],
    });
    await expect(readRows([memoryFile("x.parquet", new Uint8Array(holes))], FOUND)).rejects.toThrow(
      /^x\.parquet, row 2: has no answer/,
    );
    await expect(readRows([memoryFile("x.parquet", bytes().subarray(0, 400))], FOUND)).rejects.toThrow(
      /^x\.parquet: cannot be read as parquet/,
    );
  });
});

test("final answers inside solutions", () => {
  expect(lastBoxed("\\boxed{a\\}b} and \\boxed{open")).toBe("a\\}b");
  expect(lastBoxed("\\fbox {3}")).toBe("3");
  expect(lastBoxed("none")).toBeUndefined();
  expect(afterHashes("#### 5")).toBe("5");
  expect(afterHashes("x\n#### -1,234,567\n")).toBe("-1234567");
  expect(afterHashes("x\n#### (1,2)")).toBe("(1,2)");
  expect(afterHashes("a #### b")).toBeUndefined();
});
