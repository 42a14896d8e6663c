import { describe, expect, it } from "vitest";
import { ChatTemplate } from "../../src/text/chat-template";
import { chatPrompts, promptTemplate, promptTemplateNames, promptTemplates } from "../../src/text/templates";

describe("prompt templates", () => {
  it("are what they were: a model is trained and measured on the same text", () => {
    const question = "What is 2+2?";
    const prompts = Object.entries(promptTemplates).map(([name, { frame }]) => `--- ${name}\n${frame(question)}`);
    expect(`${prompts.join("\n")}\n`).toMatchSnapshot();
  });

  it("ends ZeroTIR prompts inside <think>, and mentions Python only where it is allowed", () => {
    const question = "Was ist 2 + 2?\n$x$";
    const tool = promptTemplate("zero-tir").frame(question);
    const control = promptTemplate("zero-no-tool").frame(question);
    expect(tool).toContain(question);
    expect(tool.endsWith("\nAssistant: <think>")).toBe(true);
    expect(control.endsWith("\nAssistant: <think>")).toBe(true);
    expect(tool).toContain("Python");
    expect(control).not.toContain("Python");
  });

  it("names the templates that exist", () => {
    expect(() => promptTemplate("nope")).toThrow(/"nope" does not exist, expected one of none, nano, zero-tir/);
    expect(() => promptTemplate("toString")).toThrow(expect.objectContaining({ name: "UserError" }));
    expect(promptTemplateNames).toHaveLength(Object.keys(promptTemplates).length + 1);
  });

  it("chat: one user message, behind a system message if there is one", () => {
    const source = "{% for m in messages %}[{{ m.role }}:{{ m.content }}]{% endfor %}{{ add_generation_prompt }}";
    const template = new ChatTemplate(new Map([["default", source]]), {});
    expect(chatPrompts(template, null).frame("1+1")).toBe("[user:1+1]true");
    expect(chatPrompts(template, "Be brief.").frame("1+1")).toBe("[system:Be brief.][user:1+1]true");
  });
});
