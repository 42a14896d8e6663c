import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeReport } from "../../src/run/view/report-file";
import { serveRun } from "../../src/run/view/server";
import { launchChromium, type TestBrowser } from "./chromium";
import { HOSTILE, hostileRun } from "./hostile-run";

let browser: TestBrowser;
let folder: string;
let run: string;
beforeAll(async () => {
  browser = await launchChromium(false);
  folder = mkdtempSync(join(tmpdir(), "zerotir-report-"));
  run = hostileRun();
});
afterAll(async () => {
  await browser?.close();
  for (const made of [folder, run]) rmSync(made, { recursive: true, force: true });
});

/** A page whose errors and requests are kept. */
async function openPage(address: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) complaints.push(request.url());
  });
  await page.goto(address);
  await page.waitForSelector("body[data-ready]");
  return { page, complaints };
}

async function openReport(): Promise<{ page: Page; complaints: string[] }> {
  const file = join(folder, "report.html");
  await writeReport(run, file, { rolloutsPerStep: 8, maxSizeMb: 32 });
  return openPage(pathToFileURL(file).href);
}

test("opens from a file, asks nobody for anything, and draws its curves", async () => {
  const { page, complaints } = await openReport();
  expect(await page.textContent("#name")).toBe(run.split("/").at(-1));
  const curves = page.locator("#charts path.line");
  expect(await curves.count()).toBe(4);
  for (const curve of await curves.all()) {
    expect((await curve.getAttribute("d"))?.match(/[ML]/g)?.length).toBe(3);
    const box = await curve.boundingBox();
    expect(box?.width).toBeGreaterThan(100);
    expect(await curve.evaluate((path) => getComputedStyle(path).stroke)).toMatch(/^rgb/);
  }
  expect(await page.getAttribute("#charts .plot", "aria-label")).toMatch(/^Accuracy and reward: accuracy from 33.3 %/);
  await page.locator("#charts .plot").first().press("Home");
  expect(await page.locator(".chart-legend .at").allTextContents()).toContain("step 1");
  expect(complaints).toEqual([]);
  await page.close();
});

test("nothing that a guest or a model wrote runs, loads, or becomes an element", async () => {
  const { page, complaints } = await openReport();
  await page.selectOption("#filter-step", "all");
  await page.locator("summary").first().click();
  await page.waitForSelector(".rollout");
  while (await page.isVisible("#show-more")) await page.click("#show-more");
  expect(await page.locator(".rollout").count()).toBe(24);
  expect(await page.evaluate("window.hit")).toBeUndefined();
  expect(await page.locator("main :is(img, iframe, script, style, meta, base)").count()).toBe(0);
  expect(await page.locator("body > script:not([type='application/json'])").count()).toBe(1);
  expect(page.url()).toMatch(/^file:/);
  // The text is there, word for word, with what can't be seen as its code.
  const prompt = (await page.locator(".stretch.prompt pre").first().textContent()) ?? "";
  expect(prompt).toContain("</script><script>window.hit = 1</script>");
  expect(prompt).toContain("$& $' `window.hit = 6`");
  for (const unseen of "\u2028\u2029\u202e\u2066\u200b\u001b\u0000\u009b") expect(prompt).not.toContain(unseen);
  expect(await page.locator(".stretch.prompt").first().locator(".unseen").allTextContents()).toEqual(
    expect.arrayContaining(["2028", "202E", "1B", "00", "D800", "DC00", "E0041", "FEFF"]),
  );
  // Marks stacked on a letter stay inside their card.
  expect(
    await page
      .locator(".stretch pre")
      .first()
      .evaluate((pre) => getComputedStyle(pre).overflow),
  ).toBe("auto");
  expect(complaints).toEqual([]);
  await page.close();
});

test("a script that did get into the file would not run, and no address can be fetched", async () => {
  const file = join(folder, "tampered.html");
  await writeReport(run, file, { rolloutsPerStep: 4, maxSizeMb: 32 });
  const text = readFileSync(file, "utf8");
  expect(text).not.toContain(HOSTILE.slice(0, 20));
  writeFileSync(
    file,
    text.replace("<main>", "<main><script>window.hit = 11</script><img src=x onerror='window.hit = 12'>"),
  );
  const page = await browser.context.newPage();
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector("body[data-ready]");
  expect(await page.evaluate("window.hit")).toBeUndefined();
  expect(await page.evaluate("fetch('https://example.org/').then(() => 'fetched', () => 'refused')")).toBe("refused");
  expect(
    await page.evaluate(
      "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'set'; } catch { return 'refused'; } })()",
    ),
  ).toBe("refused");
  await page.close();
});

test("filters by step, reward, code use and text", async () => {
  const { page } = await openReport();
  const count = () => page.textContent("#count");
  expect(await count()).toBe("8 of 8 match.");
  await page.selectOption("#filter-reward", "above");
  expect(await count()).toBe("3 of 8 match.");
  expect(await page.locator(".rollout .chip.good").count()).toBe(3);
  await page.selectOption("#filter-code", "none");
  expect(await count()).toBe("1 of 8 match.");
  await page.selectOption("#filter-reward", "any");
  await page.selectOption("#filter-code", "failed");
  expect(await count()).toBe("4 of 8 match.");
  await page.selectOption("#filter-code", "any");
  await page.fill("#filter-text", "QUESTION 5");
  expect(await count()).toBe("1 of 8 match.");
  await page.selectOption("#filter-step", "all");
  await expect.poll(count).toBe("3 of 24 match.");
  await page.selectOption("#filter-step", "2");
  await expect.poll(count).toBe("1 of 8 match.");
  expect(await page.locator(".rollout").textContent()).toContain("step 2 ");
  await page.close();
});

test("a token shows its log-prob and advantage to pointer and keys; an observation that it is masked", async () => {
  const { page } = await openReport();
  const card = page.locator(".rollout").first();
  await card.locator(".stretch.code .token").first().hover();
  await page.waitForSelector("#tip:not([hidden])");
  const tip = (await page.textContent("#tip")) ?? "";
  expect(tip).toContain("log-prob−0.500");
  expect(tip).toContain("probability60.7 %");
  expect(tip).toContain("advantage1.250");
  await card.locator(".stretch.observation .token").nth(3).hover();
  expect(await page.textContent("#tip")).toContain("mask 0");
  expect(await card.locator(".stretch.observation .who").textContent()).toBe("observationnot trained on");
  const colour = (kind: string) =>
    card.locator(`.stretch.${kind}`).evaluate((stretch) => getComputedStyle(stretch).backgroundColor);
  expect(new Set([await colour("code"), await colour("observation"), await colour("text")]).size).toBe(3);
  await page.mouse.move(0, 0);
  await card.locator(".stretch.code pre").focus();
  await page.keyboard.press("ArrowRight");
  expect(await page.textContent("#spoken")).toContain("log-prob");
  await page.keyboard.press("Escape");
  expect(await page.isVisible("#tip")).toBe(false);
  await page.close();
});

test("fits a phone, in light and dark", async () => {
  const { page, complaints } = await openReport();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    const [text, ground] = (await page.evaluate(
      "[getComputedStyle(document.documentElement).color, getComputedStyle(document.documentElement).backgroundColor]",
    )) as [string, string];
    expect(text).not.toBe(ground);
  }
  expect(complaints).toEqual([]);
  await page.close();
});

test("the live page follows a run that goes on, and says when the server has gone", async () => {
  const growing = hostileRun(2);
  const served = await serveRun(growing, 0, 8);
  try {
    const { page, complaints } = await openPage(served.address);
    expect(await page.getAttribute("body", "data-step")).toBe("2");
    appendFileSync(join(growing, "metrics.jsonl"), '{"step":3,"reward":1,"rollout/rule_rewards":1}\n{"step":4,"rew');
    await page.waitForSelector('body[data-step="3"]');
    expect(await page.evaluate("window.hit")).toBeUndefined();
    expect(complaints).toEqual([]);
    await served.close();
    await page.waitForSelector("#state.gone");
    await page.close();
  } finally {
    await served.close();
    rmSync(growing, { recursive: true, force: true });
  }
});

/** Pictures of a real run for whoever wants to look: ZEROTIR_REPORT_RUN=runs/NAME. */
test.skipIf(process.env.ZEROTIR_REPORT_RUN === undefined)("pictures", async () => {
  const shots = join(tmpdir(), "zerotir-report-shots");
  mkdirSync(shots, { recursive: true });
  const file = join(folder, "real.html");
  await writeReport(process.env.ZEROTIR_REPORT_RUN ?? "", file, { rolloutsPerStep: 16, maxSizeMb: 32 });
  const { page, complaints } = await openPage(pathToFileURL(file).href);
  const shoot = async (name: string, width: number, height: number, part?: string) => {
    await page.setViewportSize({ width, height });
    await page.evaluate(
      `document.querySelector(${JSON.stringify(part ?? "body")}).scrollIntoView({ behavior: "instant" })`,
    );
    if (part === "#rollouts") {
      await page.locator(".stretch.code .token").nth(1).hover();
      await page.waitForSelector("#tip:not([hidden])");
    }
    await page.screenshot({ path: join(shots, `${name}.png`) });
  };
  await page.selectOption("#filter-step", "9");
  await page.waitForSelector(".rollout");
  await shoot("top", 1320, 1000);
  await shoot("statistics", 1320, 900, "#statistics");
  await page.check("#heat");
  await shoot("rollouts", 1320, 1000, "#rollouts");
  await page.emulateMedia({ colorScheme: "dark" });
  await shoot("dark-top", 1320, 1000);
  await shoot("dark-rollouts", 1320, 1000, "#rollouts");
  await shoot("phone", 390, 1600);
  await shoot("phone-rollouts", 390, 1600, "#rollouts");
  expect(complaints).toEqual([]);
  await page.close();
});
