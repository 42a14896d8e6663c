import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evalOptions, sampleOptions } from "../../src/options/evaluate";
import { planOptions } from "../../src/options/plan";
import { dpoOptions, pretrainOptions, sftOptions } from "../../src/options/supervised";
import { trainOptions } from "../../src/options/train";

const root = join(import.meta.dirname, "../../src");
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
const textOf = (paths: string[]) => paths.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
/**
 * Where options are defined and checked, which is no use of them, and where some become settings of a part of the run.
 */
const definitions = textOf(files.filter((path) => path.startsWith("options/")));
const readers = textOf(files.filter((path) => !path.startsWith("options/")));

/** Options that do all they do in src/options: they choose values of other options. */
const CHOOSING = ["preset"];

const isRead = (key: string) =>
  CHOOSING.includes(key) ||
  new RegExp(`\\.${key}\\b|[{,]\\s*${key}\\s*[,:}=]|"${key}"`).test(readers) ||
  new RegExp(`\\boptions\\.${key}\\b|function \\w+\\([^)]*\\b${key}\\b`).test(definitions);

describe.each([trainOptions, sftOptions, dpoOptions, pretrainOptions, planOptions, sampleOptions, evalOptions])(
  "$name",
  ({ infos }) => {
    test.each([...infos.keys()])("--%s is read by something", (key) => expect(isRead(key)).toBe(true));
  },
);

test("an option that nothing reads would be found", () => expect(isRead("optionOfNobody")).toBe(false));
