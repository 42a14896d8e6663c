import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/sandbox/engine";
import { createNodeSandbox } from "../../src/sandbox/node/sandbox";
import type { Transcript } from "../../src/session/events";
import { launchChromium, type TestBrowser } from "./chromium";
import { serveBuiltDemo, serveDemo } from "./demo-server";
import { downloadRun, metricsOf, rolloutsOf, trainInNode } from "./runs";

/** Screenshots for whoever wants to look. */
const SCREENSHOTS = join(tmpdir(), "zerotir-demo");
/** Three steps of the nano training, small enough for a software adapter. */
const QUERY = "?steps=3&seed=7&prompts-per-step=4&num-generations=4&eval-samples=4";

let server: Awaited<ReturnType<typeof serveDemo>>;
let browser: TestBrowser;
beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  server = await serveDemo();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** A page whose errors, and requests that leave this machine, are kept. */
async function openPage(
  query: string,
  address = server.address,
  from: TestBrowser = browser,
): Promise<{ page: Page; complaints: string[] }> {
  const page = await from.context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(address)) complaints.push(request.url());
  });
  await page.goto(address + query);
  await page.waitForSelector("body[data-state]");
  return { page, complaints };
}

/** Waits for the end of a run, or gives the page's error. */
async function waitForEnd(page: Page, state: "finished" | "paused"): Promise<void> {
  await page.waitForSelector(`body[data-state="${state}"], body[data-state="failed"]`);
  expect(await page.textContent("#error")).toBe("");
}

test("trains in the tab as it does in Node: same rewards, loss and log-probs, bit for bit", async () => {
  const { page, complaints } = await openPage(QUERY);
  await page.click("#start");
  await waitForEnd(page, "finished");
  const inBrowser = await downloadRun(page);
  const inNode = await trainInNode(QUERY);

  const metrics = metricsOf(inBrowser);
  expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(metrics.map((row) => row["sampling/sampling_logp_difference/max"])).toEqual([0, 0, 0]);
  // Something was learned from, or equality would say little.
  expect(Math.max(...metrics.map((row) => row.grad_norm ?? 0))).toBeGreaterThan(0);
  expect(metrics).toEqual(metricsOf(inNode));
  const rollouts = rolloutsOf(inBrowser);
  expect(rollouts).toHaveLength(3 * 16);
  expect(rollouts).toEqual(rolloutsOf(inNode));
  const weights = "checkpoints/step_00003/model.safetensors";
  expect(Buffer.from(inBrowser.get(weights) ?? []).equals(inNode.get(weights) ?? new Uint8Array(1))).toBe(true);

  expect(await page.textContent("#fact-step")).toBe("3 / 3");
  expect(await page.textContent("#fact-adapter")).toContain("swiftshader");
  expect(Number((await page.textContent("#fact-speed"))?.replace("\u202f", ""))).toBeGreaterThan(0);
  const strokes = new Set<string>();
  for (const [id, title] of [
    ["chart-accuracy", "Accuracy"],
    ["chart-code", "Code ratio"],
  ]) {
    const label = await page.getAttribute(`#${id} .plot`, "aria-label");
    expect(label).toMatch(new RegExp(`^${title}: from [\\d.]+ % at step 1 to [\\d.]+ % at step 3$`));
    const curve = page.locator(`#${id} path.line`);
    expect((await curve.getAttribute("d"))?.match(/[ML]/g)).toHaveLength(3);
    expect((await curve.boundingBox())?.width).toBeGreaterThan(100);
    strokes.add(await curve.evaluate((path) => getComputedStyle(path).stroke));
  }
  expect(strokes.size).toBe(2);
  await page.locator("#chart-code .plot").press("Home");
  expect(await page.locator(".chart-legend .at").allTextContents()).toEqual(["step 1", "step 1"]);
  await page.keyboard.press("Escape");
  expect(await page.locator(".rollout").count()).toBe(6);
  expect(await page.locator(".rollout .observation pre").count()).toBeGreaterThan(0);
  expect(await page.locator("#summary tbody tr").count()).toBe(4);
  await page.screenshot({ path: join(SCREENSHOTS, "light.png"), fullPage: true });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(SCREENSHOTS, "dark.png"), fullPage: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(SCREENSHOTS, "phone.png"), fullPage: true });
  // Nothing sticks out of a narrow screen.
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  expect(complaints).toEqual([]);
  await page.close();
}, 150_000);

test("a paused run goes on as if it had not been paused", async () => {
  const query = "?steps=6&seed=7&prompts-per-step=2&num-generations=2&eval-samples=0";
  const { page } = await openPage(query);
  // In the page, because a step may be shorter than the way from here to there.
  await page.evaluate(`new MutationObserver((_, observer) => {
    if (document.querySelector("#bar").getAttribute("aria-valuenow") !== "1") return;
    observer.disconnect();
    document.querySelector("#start").click();
  }).observe(document.querySelector("#bar"), { attributes: true })`);
  await page.click("#start");
  await page.waitForSelector('body[data-state="paused"], body[data-state="finished"], body[data-state="failed"]');
  expect(await page.getAttribute("body", "data-state")).toBe("paused");
  expect(await page.isDisabled("#seed")).toBe(true);
  // Fewer steps than are done already: told, and the run can still go on.
  await page.fill("#steps", "1");
  await page.click("#start");
  await page.waitForSelector('#error:not([hidden]), body[data-state="failed"]');
  expect(await page.textContent("#error")).toMatch(/^the checkpoint is at step \d already/);
  await page.fill("#steps", "6");
  await page.click("#start");
  await waitForEnd(page, "finished");
  const paused = await downloadRun(page);
  await page.click("#start");
  await page.waitForSelector('body[data-state="running"]');
  await waitForEnd(page, "finished");
  const whole = await downloadRun(page);
  expect(metricsOf(paused)).toHaveLength(6);
  expect(metricsOf(paused)).toEqual(metricsOf(whole));
  expect(rolloutsOf(paused)).toEqual(rolloutsOf(whole));
  const weights = "checkpoints/step_00006/model.safetensors";
  expect(Buffer.from(paused.get(weights) ?? []).equals(whole.get(weights) ?? new Uint8Array(1))).toBe(true);
  await page.close();
}, 100_000);

test("a lost GPU is told, and the run goes on from what was saved", async () => {
  // A browser of its own: after such a crash it may be more careful with its GPU.
  const crashing = await launchChromium();
  try {
    const { page } = await openPage(
      "?steps=20&save-steps=1&seed=7&prompts-per-step=2&num-generations=2&eval-samples=0",
      server.address,
      crashing,
    );
    await page.click("#start");
    await page.waitForSelector("#bar:not([aria-valuenow='0']):not([aria-valuenow='1'])");
    const session = await crashing.context.browser()?.newBrowserCDPSession();
    await session?.send("Browser.crashGpuProcess");
    await page.waitForSelector("#error:not([hidden])");
    expect(await page.textContent("#error")).toMatch(/^The GPU device was lost/);
    expect(await page.getAttribute("body", "data-state")).toBe("paused");
    await page.click("#start");
    await waitForEnd(page, "finished");
    expect(metricsOf(await downloadRun(page)).map(({ step }) => step)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  } finally {
    await crashing.close();
  }
}, 90_000);

test("what a program prints is shown as text, never read as HTML", async () => {
  const { page, complaints } = await openPage("");
  const printed = '<img src="x" onerror="window.hit = 1"><script>window.hit = 1</script><b>bold</b>';
  const engine = await createNodeSandbox({ workerCount: 1 });
  const code = `print(${JSON.stringify(printed)})`;
  const { stdout } = await engine.run({ ...DEFAULT_LIMITS, timeoutMs: 30_000, seed: "test", code });
  await engine.close();
  expect(stdout).toBe(`${printed}\n`);
  const sample: Transcript = {
    step: 1,
    prompt: stdout,
    answer: "7\u202e",
    reward: 1,
    segments: (["text", "code", "observation"] as const).map((kind) => ({ kind, text: stdout })),
    finishReason: stdout,
    modelTokens: 1,
  };
  // The dev server serves the page's modules one by one.
  const shown = await page.evaluate(`(async () => {
    const { transcriptCard } = await import("/transcript.ts");
    const card = transcriptCard(${JSON.stringify(sample).replaceAll("<", "\\u003c")});
    document.querySelector("#samples").replaceChildren(card);
    return {
      texts: [...card.querySelectorAll("pre")].map((pre) => pre.textContent.trim()),
      elements: card.querySelectorAll("img, script, b").length,
      unseen: card.querySelector("header .unseen").textContent,
    };
  })()`);
  expect(shown).toEqual({ texts: [printed, printed, printed, printed], elements: 0, unseen: "202E" });
  expect(await page.evaluate("window.hit")).toBeUndefined();
  expect(complaints).toEqual([]);
  await page.close();
}, 60_000);

test("the built page works below any address of a plain file server", async () => {
  const built = await serveBuiltDemo();
  try {
    const { page, complaints } = await openPage(
      "?steps=1&prompts-per-step=2&num-generations=2&eval-samples=0",
      built.address,
    );
    await page.click("#start");
    await waitForEnd(page, "finished");
    expect(await page.textContent("#fact-step")).toBe("1 / 1");
    expect(complaints).toEqual([]);
    await page.close();
  } finally {
    await built.close();
  }
}, 90_000);

test("a mistake in the address is told in one sentence", async () => {
  const { page } = await openPage("?learning-rat=1");
  await page.waitForSelector("#error:not([hidden])");
  expect(await page.textContent("#error")).toBe(
    "address of this page: unknown option --learningRat of train; the nearest one is --learning-rate",
  );
  expect(await page.isDisabled("#start")).toBe(true);
  await page.close();
}, 30_000);

test("without WebGPU the page says so, and what to do", async () => {
  const without = await launchChromium(false);
  try {
    const { page } = await openPage("", server.address, without);
    await page.waitForSelector("#problem:not([hidden])");
    expect(await page.textContent("#problem-text")).toMatch(/has no WebGPU|no adapter/);
    expect(await page.isDisabled("#start")).toBe(true);
    await page.screenshot({ path: join(SCREENSHOTS, "no-webgpu.png"), fullPage: true });
  } finally {
    await without.close();
  }
}, 60_000);
