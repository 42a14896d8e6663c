import { CharacterTokenizer, isCharacterConfig } from "./character-tokenizer";
import { BpeTokenizer, type Tokenizer } from "./tokenizer";

/**
 * Builds a tokenizer from the parsed contents of tokenizer.json (undefined where there is none) and
 * tokenizer_config.json.
 * @throws UserError when the files are no tokenizer of a known kind
 */
export function loadTokenizer(json: unknown, config: unknown): Tokenizer {
  return json === undefined && isCharacterConfig(config)
    ? new CharacterTokenizer(config)
    : new BpeTokenizer(json, config);
}
