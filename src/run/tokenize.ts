/** `tokenize`: texts to token ids and back, as the model sees them. */
import { UserError } from "../base/errors";
import { modelFolder } from "../platform/node/models";
import { checkpointOf } from "../platform/node/training-host";
import { loadTokenizerOf } from "../session/loaded-model";
import type { Tokenizer } from "../text/tokenizer";
import { type IdentifiedRow, identifiedRows, readTextFile, wrongField } from "./text-files";

export interface TokenizeRequest {
  /** Folder with tokenizer files; needs no weights. */
  readonly model: string;
  /** Texts, or with `decode` lists of ids as JSON. */
  readonly texts: readonly string[];
  /** JSON lines in place of `texts`: `{id, text}`, or with `decode` `{id, ids}`. */
  readonly file: string | null;
  readonly decode: boolean;
}

/** A row that became ids, or text. */
export type TokenizedRow =
  | {
      readonly id: string | number;
      readonly ids: readonly number[];
      /** What a token of it is as text. */
      readonly tokenText: (id: number) => string;
    }
  | { readonly id: string | number; readonly text: string };

/** Gives each row when it is done, in order. @throws UserError for what the user can repair */
export async function* tokenize({ model, texts, file, decode }: TokenizeRequest): AsyncGenerator<TokenizedRow> {
  const { tokenizer } = await loadTokenizerOf(modelFolder(await checkpointOf(model)));
  const expected = decode ? "{id, ids}" : "{id, text}";
  const rows =
    file === null
      ? texts.map((text, index) => argumentRow(text, index, decode))
      : identifiedRows(await readTextFile(file, `JSON lines of ${expected}`), file, expected);
  for (const row of rows)
    yield decode
      ? { id: row.id, text: decoded(tokenizer, row) }
      : { id: row.id, ids: [...tokenizer.encode(textOf(row))], tokenText: (id) => tokenizer.tokenText(id) };
}

function argumentRow(text: string, index: number, decode: boolean): IdentifiedRow {
  const where = `argument ${index + 1}`;
  if (!decode) return { where, id: index, fields: { text } };
  try {
    const ids: unknown = JSON.parse(text);
    return { where, id: index, fields: { ids } };
  } catch {
    throw new UserError(`${where}: ${JSON.stringify(text)} is no list of ids; expected JSON such as '[1, 2]'`);
  }
}

function textOf(row: IdentifiedRow): string {
  const { text } = row.fields;
  if (typeof text === "string") return text;
  throw wrongField(row, "text", text, "a string");
}

function decoded(tokenizer: Tokenizer, row: IdentifiedRow): string {
  const { ids } = row.fields;
  if (!Array.isArray(ids)) throw wrongField(row, "ids", ids, "a list of token ids");
  const given: unknown[] = ids;
  return tokenizer.decode(
    given.map((id) => {
      if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize) return id;
      throw new UserError(
        `${row.where}: ${JSON.stringify(id)} is no token id; this tokenizer has 0 to ${tokenizer.vocabularySize - 1}`,
      );
    }),
  );
}
