/** Chat templates of published models against texts written by hand, and templates that are wrong. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ChatTemplate, chatTemplate, formatDate } from "../../src/text/chat-template";
import { type Published, published } from "../support/published";

/** The template in the small text files of a published folder. */
function folderTemplate({ name, folder }: Published): ChatTemplate {
  const names = readdirSync(folder).filter((file) =>
    /^(tokenizer_config|special_tokens_map)\.json$|\.jinja$/.test(file),
  );
  const template = chatTemplate(new Map(names.map((file) => [file, readFileSync(join(folder, file), "utf8")])));
  if (template === undefined) throw new Error(`${name} has no chat template`);
  return template;
}

function configTemplate(config: Record<string, unknown>, files: Record<string, string> = {}): ChatTemplate | undefined {
  return chatTemplate(new Map(Object.entries({ "tokenizer_config.json": JSON.stringify(config), ...files })));
}

const user = { role: "user", content: "Two and two?" };
const system = { role: "system", content: "Be brief." };
const tool = {
  type: "function",
  function: { name: "add", description: "adds", parameters: { type: "object", properties: { a: { type: "number" } } } },
};

describe("templates of published models", () => {
  const llama = published("tokenizer-llama3.1");

  test("Qwen3: ChatML", () => {
    const template = folderTemplate(published("tokenizer-qwen3"));
    expect(template.render([user])).toBe("<|im_start|>user\nTwo and two?<|im_end|>\n<|im_start|>assistant\n");
    expect(template.render([system, user, { role: "assistant", content: "<think>\nhm\n</think>\n\n4" }, user])).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nTwo and two?<|im_end|>\n" +
        "<|im_start|>assistant\n4<|im_end|>\n<|im_start|>user\nTwo and two?<|im_end|>\n<|im_start|>assistant\n",
    );
    expect(template.render([user], { variables: { enable_thinking: false } })).toBe(
      "<|im_start|>user\nTwo and two?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    );
  });

  test("Qwen3: tools stand in the system turn as Python writes JSON; calls and results have turns", () => {
    const template = folderTemplate(published("tokenizer-qwen3"));
    const calls = [{ type: "function", function: { name: "add", arguments: { a: 2, b: [2, null] } } }];
    const messages = [
      system,
      user,
      { role: "assistant", content: "", tool_calls: calls },
      { role: "tool", content: "4" },
    ];
    expect(template.render(messages, { tools: [tool] })).toBe(
      "<|im_start|>system\nBe brief.\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n" +
        "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n" +
        '{"type": "function", "function": {"name": "add", "description": "adds", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}}}\n' +
        "</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n" +
        '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' +
        "<|im_start|>user\nTwo and two?<|im_end|>\n" +
        '<|im_start|>assistant\n<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": [2, null]}}\n</tool_call><|im_end|>\n' +
        "<|im_start|>user\n<tool_response>\n4\n</tool_response><|im_end|>\n<|im_start|>assistant\n",
    );
  });

  test.skipIf(llama.isMissing)(`${llama.title}: the beginning of the text stands in the first turn`, () => {
    const template = folderTemplate(llama);
    expect(template.render([{ ...system, content: " Be brief.\n" }, user])).toBe(
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>" +
        "<|start_header_id|>user<|end_header_id|>\n\nTwo and two?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    );
  });

  test("SmolLM2: chat_template.jinja, with a system turn of its own", () => {
    const template = folderTemplate(published("tokenizer-smollm2"));
    expect(template.render([user])).toBe(
      "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n" +
        "<|im_start|>user\nTwo and two?<|im_end|>\n<|im_start|>assistant\n",
    );
    expect(template.render([system, user], { addGenerationPrompt: false })).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nTwo and two?<|im_end|>\n",
    );
  });

  test("verl's digit completion: the question and the separator; no system message", () => {
    const template = folderTemplate(published("verl-digit-completion"));
    expect(template.render([{ role: "user", content: "5,6:10,3" }])).toBe("5,6:10,3S");
    expect(() => template.render([system, user])).toThrow(
      expect.objectContaining({
        name: "UserError",
        message: expect.stringMatching(/conversation of system, user: System role not supported/),
      }),
    );
    expect(() => template.render([user, user])).toThrow(/Conversation roles must alternate/);
  });
});

describe("chat templates", () => {
  test("tokens are texts or objects, of the config before the map; a file wins over the config", () => {
    const chat_template = "{{ bos_token }}{{ eos_token }}{{ pad_token }}";
    const config = { chat_template, bos_token: "<s>", eos_token: { content: "</s>" }, pad_token: null };
    const map = { "special_tokens_map.json": '{"bos_token":"<x>","pad_token":{"content":"<pad>"}}' };
    expect(configTemplate(config, map)?.render([user])).toBe("<s></s><pad>");
    expect(configTemplate(config, { "chat_template.jinja": "file" })?.render([user])).toBe("file");
    expect(configTemplate({})).toBeUndefined();
    expect(chatTemplate(new Map())).toBeUndefined();
  });

  test("named templates: the one for tools, and the default", () => {
    const template = configTemplate({
      chat_template: [
        { name: "default", template: "plain" },
        { name: "tool_use", template: "{{ tools | length }} tools" },
      ],
    });
    expect(template?.render([user])).toBe("plain");
    expect(template?.render([user], { tools: [tool] })).toBe("1 tools");
    expect(() => configTemplate({ chat_template: [{ name: "rag", template: "x" }] })?.render([user])).toThrow(
      /called rag; expected one called default/,
    );
  });

  test("the date is English, and can be given", () => {
    const now = new Date(2025, 6, 4, 9, 5, 7);
    const template = configTemplate({ chat_template: "{{ strftime_now('%d %b %Y') }}" });
    expect(template?.render([user], { now })).toBe("04 Jul 2025");
    expect(formatDate(now, "%A, %d. %B %y, %H:%M:%S 100%% %a %m")).toBe("Friday, 04. July 25, 09:05:07 100% Fri 07");
    const strange = configTemplate({ chat_template: "{{ strftime_now('%Q') }}" });
    expect(() => strange?.render([user])).toThrow(/fails on a conversation of user: strftime_now does not know %Q/);
  });

  test("counts as Python does", () => {
    const source = "{% for i in range(3) %}{{ i }}{% endfor %} {% for i in range(5, 0, -2) %}{{ i }}{% endfor %}";
    expect(configTemplate({ chat_template: source })?.render([user])).toBe("012 531");
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["not Jinja", { chat_template: "{% for %}" }, /cannot be parsed as Jinja/],
    ["a number", { chat_template: 3 }, /neither a text nor a list of \{name, template\}/],
    ["a nameless one", { chat_template: [{ template: "" }] }, /neither a text nor a list/],
  ])("%s is refused", (_, config, message) => {
    expect(() => configTemplate(config)).toThrow(
      expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) }),
    );
  });

  test("a file that is not JSON is named", () => {
    expect(() => chatTemplate(new Map([["tokenizer_config.json", "{"]]))).toThrow(/^tokenizer_config.json: not JSON/);
  });
});
