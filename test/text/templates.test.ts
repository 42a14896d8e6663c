import { describe, expect, it } from "vitest";
import { promptTemplate, promptTemplates } from "../../src/text/templates";

describe("prompt templates", () => {
  it("nano is the shortest frame", () => {
    expect(promptTemplate("nano")("47*86+5")).toBe("User: 47*86+5\nAssistant:");
  });

  it("zero-tir grants Python in one sentence, ends in an open think tag, and differs from the control by that sentence only", () => {
    const question = "What is 2+2? (a $& in the question stays)";
    const tool = promptTemplate("zero-tir")(question);
    const control = promptTemplate("zero-no-tool")(question);
    expect(tool).toMatch(/\nThis is the problem:What is 2\+2\? \(a \$& in the question stays\)\nAssistant: <think>$/);
    expect(tool.replace(" While reasoning, the Assistant may write Python code.", "")).toBe(control);
    expect(tool).not.toBe(control);
    expect(control.toLowerCase()).not.toContain("python");
    for (const part of ["<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "User:"])
      expect(tool).toContain(part);
  });

  it("names the templates there are", () => {
    expect(() => promptTemplate("nope")).toThrow(/"nope" does not exist, expected one of nano, zero-tir, zero-no-tool/);
    expect(() => promptTemplate("toString")).toThrow(expect.objectContaining({ name: "UserError" }));
    expect(Object.keys(promptTemplates)).toHaveLength(3);
  });
});
