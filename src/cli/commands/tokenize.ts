import { Command } from "commander";
import { UserError } from "../../base/errors";
import { type JsonRow, readJsonRows } from "../../run/json-rows";
import type { Tokenizer } from "../../text/tokenizer";
import { jsonLine } from "../io";
import { plainText } from "../render/text";
import type { CommandContext } from "./context";

const EXAMPLES = `
Examples:
  zerotir tokenize --model models/Qwen2.5-0.5B "What is 2+2?"
  zerotir tokenize --model models/Qwen2.5-0.5B --in texts.jsonl --json > ids.jsonl     rows {id, text} -> {id, ids}
  zerotir tokenize --model models/Qwen2.5-0.5B --decode --in ids.jsonl --json          rows {id, ids} -> {id, text}

Nothing is added at either end. Special tokens written in a text become their ids.`;

/** `zerotir tokenize`: texts to token ids and back, as the model sees them. */
export function tokenizeCommand({ io, runners, finish }: CommandContext): Command {
  const about = "texts to token ids and back";
  return new Command("tokenize")
    .summary(about)
    .description(about)
    .argument("[texts...]", "texts; with --decode lists of ids such as '[1, 2]'")
    .requiredOption("--model <folder>", "folder with tokenizer.json and tokenizer_config.json; needs no weights")
    .option("--in <file>", "JSON lines instead of arguments")
    .option("--decode", "ids to text")
    .option("--json", "JSON lines on standard output, all else on standard error")
    .addHelpText("after", EXAMPLES)
    .action(
      async (texts: readonly string[], flags: { model: string; in?: string; decode?: boolean; json?: boolean }) => {
        if ((flags.in === undefined) === (texts.length === 0))
          throw new UserError("tokenize takes texts as arguments or a file with --in, one of the two");
        const tokenizer = await runners.openTokenizer(flags.model);
        const decode = flags.decode === true;
        const rows =
          flags.in === undefined ? texts.map(argumentRow(decode)) : await readJsonRows(flags.in, expected(decode));
        for (const row of rows) {
          const result = decode ? { text: textOf(tokenizer, row) } : { ids: [...tokenizer.encode(givenText(row))] };
          if (flags.json === true) jsonLine(io.stdout, { id: row.id, ...result });
          else
            io.stdout.write(
              result.ids === undefined ? `${plainText(result.text)}\n` : `${listing(tokenizer, result.ids)}\n`,
            );
        }
        finish(0);
      },
    );
}

const expected = (decode: boolean) => (decode ? "{id, ids}" : "{id, text}");

function argumentRow(decode: boolean): (text: string, index: number) => JsonRow {
  return (text, index) => {
    const where = `argument ${index + 1}`;
    if (!decode) return { where, id: index, fields: { text } };
    try {
      return { where, id: index, fields: { ids: JSON.parse(text) as unknown } };
    } catch {
      throw new UserError(`${where}: ${JSON.stringify(text)} is no list of ids; expected JSON such as '[1, 2]'`);
    }
  };
}

function givenText({ where, fields }: JsonRow): string {
  if (typeof fields.text === "string") return fields.text;
  throw new UserError(`${where}: text is ${JSON.stringify(fields.text) ?? "missing"}; expected a string`);
}

function textOf(tokenizer: Tokenizer, { where, fields }: JsonRow): string {
  if (!Array.isArray(fields.ids))
    throw new UserError(`${where}: ids is ${JSON.stringify(fields.ids) ?? "missing"}; expected a list of token ids`);
  const given: unknown[] = fields.ids;
  const ids = given.map((id) => {
    if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize) return id;
    throw new UserError(
      `${where}: ${JSON.stringify(id)} is no token id; this tokenizer has 0 to ${tokenizer.vocabularySize - 1}`,
    );
  });
  return tokenizer.decode(ids);
}

/** For reading: each id beside its text. */
function listing(tokenizer: Tokenizer, ids: readonly number[]): string {
  const tokens = ids.map((id) => `${id} ${JSON.stringify(plainText(tokenizer.tokenText(id)))}`);
  return `${ids.length} tokens: ${tokens.join("  ")}`;
}
