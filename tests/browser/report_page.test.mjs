// The report's page in a real browser: desktop and phone, light and dark.
//
// Reads the pages that `cargo test --workspace --test reporting` writes to target/report-pages.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
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
      for (const name of ["complete.html", "incomplete.html", "broken.html"]) {
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
          assert.deepEqual(offences, []);
          await page.close();
        });
      }
    });
  }
}

test("the verdict stands in the first screen of a phone", async () => {
  const { page } = await open("incomplete.html", "phone", "light");
  for (const selector of [".verdict", "h1", "#numbers"]) {
    const box = await page.locator(selector).boundingBox();
    assert.ok(box.y < SCREENS.phone.height, selector);
  }
  assert.equal(await page.locator(".verdict").innerText(), "INCOMPLETE");
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
