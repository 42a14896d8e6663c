/**
 * Fails on a line of more than 120 columns: comments and code in TypeScript and JavaScript, and text in Markdown. The
 * formatter holds code to it but leaves comments; what no one can break is let through: a string, a table, a link, a
 * code block.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const WIDTH = 120;
const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Text between quotes, backticks or the slashes of a regular expression, on one line. */
const LITERAL =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{};]\s*)\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\]|\\.)*\])+\/[a-z]*/g;

/** @param {string[]} lines @returns {number[]} indices of the lines that are too wide */
function wideCode(lines) {
  let isInTemplate = false;
  return lines.flatMap((line, index) => {
    const isComment = /^\s*(?:\/\/|\/?\*)/.test(line);
    const began = isInTemplate;
    const rest = isComment && !began ? line : line.replace(LITERAL, '""');
    if (!isComment && (rest.match(/(?<!\\)`/g) ?? []).length % 2 === 1) isInTemplate = !isInTemplate;
    const isExpression = /^\s*\/[^/*].*\/[a-z]*[;,]?$/.test(line);
    return rest.length > WIDTH && !began && !isInTemplate && !isExpression ? [index] : [];
  });
}

/** @param {string[]} lines @returns {number[]} */
function wideText(lines) {
  let isInCode = false;
  return lines.flatMap((line, index) => {
    if (line.trimStart().startsWith("```")) isInCode = !isInCode;
    if (isInCode || line.startsWith("|") || line.startsWith("    ")) return [];
    const withoutLinks = line.replace(/\]\([^)]*\)/g, "]()").replace(/https?:\S+/g, "");
    return withoutLinks.length > WIDTH ? [index] : [];
  });
}

const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
const wide = listed.split("\n").flatMap((path) => {
  const find = path.endsWith(".md") ? wideText : /\.(?:ts|mjs)$/.test(path) ? wideCode : undefined;
  if (find === undefined || !existsSync(join(root, path))) return [];
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  return find(lines).map((index) => `${path}:${index + 1}: ${lines[index]?.length} columns`);
});

for (const line of wide) console.error(line);
if (wide.length > 0) console.error(`${wide.length} lines are wider than ${WIDTH} columns`);
process.exit(wide.length > 0 ? 1 : 0);
