import { expect, test } from "vitest";
import { lenientJson } from "../../../src/eval/t-eval/lenient-json";
import { pythonLiteral, pythonText } from "../../../src/eval/t-eval/python-literal";

// Expected values are what CPython 3.11's ast.literal_eval gives.
test.each<[string, unknown]>([
  ["{'a': 1, \"b\": [True, None, -2.5e3], }", { a: 1, b: [true, null, -2500] }],
  ["(1, 'x')", [1, "x"]],
  ["(1)", 1],
  ["(1,)", [1]],
  ["{}", {}],
  ["{1, 2}", [1, 2]],
  ["'it\\'s' \" two\"", "it's two"],
  ["'\\x41\\u00e9\\n\\q'", "Aé\n\\q"],
  ["'''two\nlines'''", "two\nlines"],
  ["''", ""],
  ["{1: 'one'}", { "1": "one" }],
])("%s", (text, value) => {
  expect(pythonLiteral(text)).toEqual(value);
});

test.each(["{'a': true}", "[1 2]", "f()", "'open", "1 2", "{'a': 1, 2}", "'two\nlines'", "", "[".repeat(200)])(
  "%j is no literal",
  (text) => expect(() => pythonLiteral(text)).toThrow(SyntaxError),
);

test("values as Python's str", () => {
  expect(pythonText({ place: "Berlin", n: [1, true, null], s: "it's", q: `'"` })).toBe(
    `{'place': 'Berlin', 'n': [1, True, None], 's': "it's", 'q': '\\'"'}`,
  );
  expect(pythonText("as it is")).toBe("as it is");
});

test.each<[string, unknown]>([
  ['Sure:\n```json\n[{"a": null}]\n```', [{ a: null }]],
  ["I plan [1, 2] and stop", [1, 2]],
  ["[{'a': true}]", [{ a: true }]],
  ["no list", undefined],
])("a list in %j", (text, value) => {
  expect(lenientJson(text, "[", "]")).toEqual(value);
});
