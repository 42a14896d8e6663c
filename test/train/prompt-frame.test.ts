import { expect, test } from "vitest";
import { promptFrame } from "../../src/session/prompt-frame";

const chat = { promptTemplate: "chat", systemPrompt: null } as const;
const files = new Map([
  [
    "tokenizer_config.json",
    JSON.stringify({ chat_template: "{{ messages[-1].content }}{{ eos_token }}", eos_token: "#" }),
  ],
]);

test("chat is the template of the model's folder, any other name one of the fixed ones", () => {
  expect(promptFrame(chat, files).frame("1+1")).toBe("1+1#");
  expect(promptFrame({ promptTemplate: "nano", systemPrompt: null }, undefined).frame("1+1")).toBe(
    "User: 1+1\nAssistant:",
  );
});

test.each([
  ["a folder without a template", chat, new Map<string, string>(), /the model has no chat template/],
  ["a model behind an address", chat, undefined, /--prompt-template none with --endpoint-api chat/],
] as const)("%s is refused", (_, options, given, message) => {
  expect(() => promptFrame(options, given)).toThrow(
    expect.objectContaining({ name: "UserError", message: expect.stringMatching(message) }),
  );
});
