/** From options to the frame around each question. */
import { UserError } from "../base/errors";
import type { PromptOptions } from "../options/fields/model-and-data";
import { chatTemplate } from "../text/chat-template";
import { chatPrompts, type PromptTemplate, promptTemplate } from "../text/templates";

/**
 * @param files texts of the model's folder by name; undefined for a model behind an address
 * @throws UserError when the options ask for a template that the model has not
 */
export function promptFrame(
  { promptTemplate: name, systemPrompt }: PromptOptions,
  files: ReadonlyMap<string, string> | undefined,
): PromptTemplate {
  if (name !== "chat") return promptTemplate(name);
  if (files === undefined)
    throw new UserError(
      "--prompt-template chat needs the files of a model, which an endpoint does not show; use --prompt-template none with --endpoint-api chat, and the server applies its own",
    );
  const template = chatTemplate(files);
  if (template === undefined)
    throw new UserError(
      "--prompt-template chat: the model has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); choose another template",
    );
  return chatPrompts(template, systemPrompt);
}
