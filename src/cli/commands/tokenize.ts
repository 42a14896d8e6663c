import { UserError } from "../../base/errors";
import type { TokenizedRow } from "../../run/tokenize";
import type { CliCommand } from "../command";
import { jsonLine } from "../io";
import { plainText } from "../render/text";

const EXAMPLES = `  zerotir tokenize --model models/Qwen2.5-0.5B "What is 2+2?"
  zerotir tokenize --model models/Qwen2.5-0.5B --in texts.jsonl --json > ids.jsonl     rows {id, text} -> {id, ids}
  zerotir tokenize --model models/Qwen2.5-0.5B --decode --in ids.jsonl --json          rows {id, ids} -> {id, text}

Nothing is added at either end. Special tokens written in a text become their ids.`;

interface Flags {
  readonly model: string;
  readonly in?: string;
  readonly decode?: boolean;
  readonly json?: boolean;
}

/** `zerotir tokenize`: texts to token ids and back, as the model sees them. */
export const command: CliCommand = {
  summary: "texts to token ids and back",
  examples: EXAMPLES,
  build(command, { io, finish }) {
    command
      .argument("[texts...]", "texts; with --decode lists of ids such as '[1, 2]'")
      .requiredOption("--model <folder>", "folder with tokenizer.json and tokenizer_config.json; needs no weights")
      .option("--in <file>", "JSON lines instead of arguments")
      .option("--decode", "ids to text")
      .option("--json", "JSON lines on standard output, all else on standard error")
      .action(async (texts: readonly string[], flags: Flags) => {
        const { model, in: file = null, decode = false, json } = flags;
        if ((file === null) === (texts.length === 0))
          throw new UserError("tokenize takes texts as arguments or a file with --in, one of the two");
        const { tokenize } = await import("../../run/tokenize");
        for await (const row of tokenize({ model, texts, file, decode })) {
          if (json === true) jsonLine(io.stdout, "text" in row ? row : { id: row.id, ids: row.ids });
          else io.stdout.write(`${line(row)}\n`);
        }
        finish(0);
      });
  },
};

/** For reading: the text, or each id beside its text. */
function line(row: TokenizedRow): string {
  if ("text" in row) return plainText(row.text);
  const tokens = row.ids.map((id) => `${id} ${JSON.stringify(plainText(row.tokenText(id)))}`);
  return `${row.ids.length} tokens: ${tokens.join("  ")}`;
}
