// The report's page in a real browser: desktop and phone, light and dark.
//
// Reads the pages that `cargo test --workspace --test reporting` writes to target/report-pages.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { SCREENS, WCAG_AA_CONTRAST_MIN, accessibilityFaults, launch, leastContrast, open as openPage } from "./browser.mjs";

const PAGES = new URL("../../target/report-pages/", import.meta.url);
const SCREENSHOTS = new URL("../../target/report-pages/screenshots/", import.meta.url);

let browser;

before(async () => {
  browser = await launch();
});

after(async () => browser?.close());

const open = (name, screen, scheme) => openPage(browser, new URL(name, PAGES), screen, scheme);

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
