import { describe, expect, it } from "vitest";
import { allCommands } from "../../src/cli/command-list";
import { interruptSignal } from "../../src/cli/interrupt";

function fakeProcess() {
  const handlers = new Map<string, () => void>();
  const exits: number[] = [];
  return {
    exits,
    on: (signal: string, handler: () => void) => handlers.set(signal, handler),
    exit: (code: number) => void exits.push(code),
    send: (signal: string) => handlers.get(signal)?.(),
  };
}

describe("interruptSignal", () => {
  it("asks a command that can save to stop, and quits at the second time", () => {
    const target = fakeProcess();
    const said: string[] = [];
    const signal = interruptSignal(true, target, (line) => said.push(line));
    target.send("SIGINT");
    expect({ aborted: signal.aborted, said, exits: target.exits }).toEqual({
      aborted: true,
      said: ["Stopping in order; press Ctrl-C again to quit at once."],
      exits: [],
    });
    target.send("SIGINT");
    expect(target.exits).toEqual([130]);
  });

  it("ends every other command at once", () => {
    const target = fakeProcess();
    const signal = interruptSignal(false, target, () => undefined);
    target.send("SIGTERM");
    expect({ aborted: signal.aborted, exits: target.exits }).toEqual({ aborted: false, exits: [143] });
  });

  it("is for the commands that end in order", async () => {
    const graceful = Object.entries(await allCommands()).flatMap(([name, { isGraceful }]) =>
      isGraceful ? [name] : [],
    );
    expect(graceful).toEqual(["train", "pretrain", "sft", "dpo", "sample", "eval", "view"]);
  });
});
