import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "zerotir-notes-"));
const program = join(folder, "program.mjs");
const NOTE = (kind: string) =>
  `Warning: maxDynamic${kind}BuffersPerPipelineLayout artificially reduced from 500000 to 16 to fit dynamic offset allocation limit.\n`;

beforeAll(async () => {
  await build({
    configFile: false,
    root: folder,
    logLevel: "error",
    build: {
      ssr: join(import.meta.dirname, "../../src/platform/node/dawn-notes.ts"),
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: "dawn-notes.mjs" } },
    },
  });
  const during = JSON.stringify(`${NOTE("Uniform")}Warning: the driver is on fire.\n${NOTE("Storage")}`);
  writeFileSync(
    program,
    `import { writeSync } from "node:fs";
     import { leaveOutDawnNotes, withoutDawnNotes } from "./dawn-notes.mjs";
     if (process.argv[2] !== "library") leaveOutDawnNotes();
     process.stderr.write("before\\n");
     const result = withoutDawnNotes(() => (writeSync(2, ${during}), 7));
     process.stderr.write(\`after \${result}\\n\`);`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const shell = (line: string) => execFileSync("sh", ["-c", line], { cwd: folder, encoding: "utf8", stdio: "pipe" });
const NODE = `"${process.execPath}" program.mjs`;
const onLinux = test.skipIf(process.platform !== "linux");

onLinux("a program's standard error lacks Dawn's notes and keeps every other line", () => {
  expect(shell(`${NODE} 2>&1 | cat`)).toBe("before\nWarning: the driver is on fire.\nafter 7\n");
});

onLinux("a log that is appended to keeps what it had", () => {
  const log = join(folder, "log");
  appendFileSync(log, "first\n");
  shell(`${NODE} 2>>log; echo last >>log`);
  expect(readFileSync(log, "utf8")).toBe("first\nbefore\nWarning: the driver is on fire.\nafter 7\nlast\n");
});

onLinux("a file that others write to from their own place is left as it was opened", () => {
  shell(`{ ${NODE}; echo last >&2; } 2>shared`);
  const lines = readFileSync(join(folder, "shared"), "utf8");
  expect(lines).toBe(`before\n${NOTE("Uniform")}Warning: the driver is on fire.\n${NOTE("Storage")}after 7\nlast\n`);
});

onLinux("a program that has not asked for it keeps every line", () => {
  expect(shell(`${NODE} library 2>&1 | cat`)).toContain(NOTE("Uniform"));
});
