// The report's page in a real browser: desktop and phone, light and dark.
//
// Reads the pages that `cargo test --workspace --test reporting` writes to target/report-pages.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import bundled from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const PAGES = new URL("../../target/report-pages/", import.meta.url);
const SCREENSHOTS = new URL("../../target/report-pages/screenshots/", import.meta.url);
const SCREENS = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 360, height: 740 },
};
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WCAG_AA_CONTRAST_MIN = 4.5;
// The bundled Chromium is made for Lambda: its single process ends when its first page is closed.
const BUNDLED_ARGS = bundled.args.filter((arg) => arg !== "--single-process");

let browser;

before(async () => {
  const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  browser = await chromium.launch(
    installed
      ? { executablePath: installed, args: ["--no-sandbox"] }
      : { executablePath: await bundled.executablePath(), args: BUNDLED_ARGS },
  );
});

after(async () => browser?.close());

/** Opens a page and notes everything that a self-contained and inert page never does. */
async function open(name, screen, scheme) {
  const page = await browser.newPage({ viewport: SCREENS[screen], colorScheme: scheme });
  const offences = [];
  page.on("dialog", (dialog) => { offences.push(`dialog ${dialog.message()}`); return dialog.dismiss(); });
  page.on("console", (message) => offences.push(`console ${message.text()}`));
  page.on("pageerror", (error) => offences.push(`error ${error}`));
  page.on("request", (request) => {
    if (request.resourceType() !== "document") offences.push(`request ${request.url()}`);
  });
  await page.goto(new URL(name, PAGES).href, { waitUntil: "load" });
  return { page, offences };
}

/** What axe finds wrong, for keyboards and screen readers too. It runs beside the page, whose policy lets no script run. */
async function accessibilityFaults(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const world = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const evaluate = async (expression) => {
    const options = { contextId: world.executionContextId, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, ...options });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await evaluate(AXE);
  const { passes, violations } = await evaluate("axe.run().then(({ passes, violations }) => ({ passes: passes.length, violations }))");
  assert.ok(passes > 10, `axe passed only ${passes} rules`);
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
}

/** The least contrast between a text and what lies behind it, by the formula of WCAG 2. Runs in the browser. */
function leastContrast() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  let least = { contrast: 21, text: "" };
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || element.closest("svg")) continue;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < least.contrast) least = { contrast, text };
  }
  return least;
}

for (const screen of Object.keys(SCREENS)) {
  for (const scheme of ["light", "dark"]) {
    describe(`${screen}, ${scheme}`, () => {
      for (const name of ["complete.html", "incomplete.html", "broken.html", "few.html"]) {
        test(`${name} fits, can be read, loads nothing and runs nothing`, async () => {
          const { page, offences } = await open(name, screen, scheme);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
          const { contrast, text } = await page.evaluate(leastContrast);
          assert.ok(contrast >= WCAG_AA_CONTRAST_MIN, `contrast ${contrast.toFixed(2)} of "${text}"`);
          const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
          const isDark = Number(ground.match(/\d+/)[0]) < 128;
          assert.equal(isDark, scheme === "dark", ground);
          await page.screenshot({
            path: fileURLToPath(new URL(`${name}-${screen}-${scheme}.png`, SCREENSHOTS)),
            fullPage: true,
          });
          assert.deepEqual(await accessibilityFaults(page), []);
          assert.deepEqual(offences, []);
          await page.close();
        });
      }
    });
  }
}

test("the verdict stands in the first screen of a phone", async () => {
  const { page } = await open("incomplete.html", "phone", "light");
  for (const selector of [".verdict", "h1", "#start"]) {
    const box = await page.locator(selector).boundingBox();
    assert.ok(box.y < SCREENS.phone.height, selector);
  }
  assert.equal(await page.locator(".verdict").innerText(), "INCOMPLETE");
  await page.close();
});

test("what to start stands above what broke, as a command and as an input for the console", async () => {
  for (const name of ["broken.html", "incomplete.html"]) {
    const { page } = await open(name, "desktop", "light");
    const sections = await page.locator("main > section").evaluateAll((all) => all.map((section) => section.id));
    assert.equal(sections[0], "start");
    assert.ok(sections.indexOf(name === "broken.html" ? "problem" : "failures") === 1, sections.join(" "));
    assert.match(await page.locator("#start pre").first().innerText(), /^shardlift --stack \S+ start --/);
    await page.close();
  }
});

test("the failed objects are on the page itself, counted by reason and by folder", async () => {
  const { page } = await open("incomplete.html", "desktop", "light");
  const text = await page.locator("#failed-objects").innerText();
  assert.match(text, /AccessDenied\s+12\n/);
  assert.match(text, /Folder/);
  assert.ok((await page.locator("#failed-objects .scroll tbody tr").count()) > 12);
  await page.close();
});

test("a run of which a single object failed is amber, one of which many failed is red", async () => {
  const colors = [];
  for (const name of ["few.html", "incomplete.html"]) {
    const { page } = await open(name, "desktop", "light");
    assert.equal(await page.locator(".verdict").innerText(), "INCOMPLETE");
    colors.push(await page.locator("header").evaluate((header) => getComputedStyle(header).backgroundColor));
    await page.close();
  }
  assert.deepEqual(colors, ["rgb(138, 83, 0)", "rgb(179, 38, 30)"]);
});

test("on paper the page is black on white and no table is cut off", async () => {
  const { page } = await open("incomplete.html", "desktop", "dark");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const seen = await page.evaluate(() => ({
    ground: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    header: getComputedStyle(document.querySelector("header")).backgroundColor,
    overflow: getComputedStyle(document.querySelector(".scroll")).overflowX,
  }));
  const white = "rgb(255, 255, 255)";
  assert.deepEqual(seen, { ground: white, ink: "rgb(0, 0, 0)", header: "rgba(0, 0, 0, 0)", overflow: "visible" });
  const { contrast, text } = await page.evaluate(leastContrast);
  assert.ok(contrast >= WCAG_AA_CONTRAST_MIN, `contrast ${contrast.toFixed(2)} of "${text}"`);
  await page.close();
});

test("a hostile key is shown as text", async () => {
  const { page } = await open("incomplete.html", "desktop", "light");
  assert.ok((await page.title()).startsWith("INCOMPLETE"));
  assert.equal(await page.locator("script, img").count(), 0);
  assert.match(await page.locator("#failures").innerText(), /<script>document\.title='owned'<\/script>/);
  await page.close();
});

test("the charts draw bars within their frame", async () => {
  const { page } = await open("complete.html", "desktop", "light");
  const charts = await page.locator("svg").all();
  assert.equal(charts.length, 3);
  for (const chart of charts) {
    const frame = await chart.boundingBox();
    const bars = await chart.locator("rect").all();
    assert.ok(bars.length >= 10, `${bars.length} bars`);
    for (const bar of bars) {
      const box = await bar.boundingBox();
      assert.ok(box.width > 1 && box.height > 0, JSON.stringify(box));
      assert.ok(box.y >= frame.y - 1 && box.y + box.height <= frame.y + frame.height + 1, JSON.stringify(box));
    }
  }
  await page.close();
});

test("links lead to the console and to the documents beside the page", async () => {
  const { page } = await open("incomplete.html", "desktop", "light");
  const links = await page.locator("a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  assert.ok(links.some((link) => link.startsWith("https://eu-west-1.console.aws.amazon.com/states/")));
  for (const document of ["failures.csv", "shards.json", "report.json"]) assert.ok(links.includes(document), document);
  await page.close();
});
