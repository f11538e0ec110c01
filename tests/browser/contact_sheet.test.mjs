// The demo's contact sheet in a real browser: desktop and phone, light and dark.
//
// Reads the page that `python3 tests/browser/write_contact_sheet.py` writes to target/contact-sheet.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { SCREENS, WCAG_AA_CONTRAST_MIN, accessibilityFaults, launch, leastContrast, open } from "./browser.mjs";

const FOLDER = new URL("../../target/contact-sheet/", import.meta.url);
const PAGE = new URL("index.html", FOLDER);
const EDGE = 256;
// Upright, whatever way their pixels lie in the files.
const UPRIGHT = { "mountains.jpg": [256, 171], "sea & moon.jpg": [171, 256], "desert.jpg": [192, 256] };

let browser;

before(async () => {
  browser = await launch();
});

after(async () => browser?.close());

for (const screen of Object.keys(SCREENS)) {
  for (const scheme of ["light", "dark"]) {
    describe(`${screen}, ${scheme}`, () => {
      test("it fits, can be read, loads nothing and runs nothing", async () => {
        const { page, offences } = await open(browser, PAGE, screen, scheme);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
        const { contrast, text } = await page.evaluate(leastContrast);
        assert.ok(contrast >= WCAG_AA_CONTRAST_MIN, `contrast ${contrast.toFixed(2)} of "${text}"`);
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(Number(ground.match(/\d+/)[0]) < 128, scheme === "dark", ground);
        const path = fileURLToPath(new URL(`${screen}-${scheme}.png`, FOLDER));
        await page.screenshot({ path, fullPage: true });
        assert.deepEqual(await accessibilityFaults(page), []);
        assert.deepEqual(offences, []);
        await page.close();
      });
    });
  }
}

test("each thumbnail is a picture of its size, named, and shown no larger than it is", async () => {
  const sizes = JSON.parse(readFileSync(new URL("sizes.json", FOLDER), "utf8"));
  for (const screen of Object.keys(SCREENS)) {
    const { page } = await open(browser, PAGE, screen, "light");
    const images = await page.locator("img").evaluateAll((all) =>
      all.map((image) => {
        const [box, frame] = [image, image.parentElement].map((element) => element.getBoundingClientRect());
        const isWithin = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
        return { alt: image.alt, size: [image.naturalWidth, image.naturalHeight], box: [box.width, box.height], frame: [frame.width, frame.height], isWithin };
      }),
    );
    assert.equal(images.length, Object.keys(sizes).length);
    for (const { alt, size, box, frame, isWithin } of images) {
      assert.deepEqual(size, sizes[alt.replace("Thumbnail of ", "")], alt);
      assert.equal(Math.max(...size), EDGE, alt);
      assert.ok(Math.abs(frame[0] - frame[1]) < 1, `${alt}: its frame has ${frame}`);
      assert.ok(isWithin && box[0] > 40 && box[1] > 40, `${alt}: ${box}`);
      assert.ok(box[0] <= size[0] + 1 && box[1] <= size[1] + 1, `${alt}: ${box}`);
      assert.ok(Math.abs(box[0] / box[1] - size[0] / size[1]) < 0.03, `${alt}: ${box}, ${size}`);
    }
    for (const [key, size] of Object.entries(UPRIGHT)) assert.deepEqual(sizes[key], size, key);
    await page.close();
  }
});

test("what is no image is named, and a hostile key is a text", async () => {
  const { page } = await open(browser, PAGE, "desktop", "light");
  assert.match(await page.title(), /^Thumbnails of s3:/);
  assert.match(await page.locator("main").innerText(), /Without a thumbnail\s+read me\.txt/);
  assert.match(await page.locator("figcaption").last().innerText(), /^<img src=x onerror=/);
  await page.close();
});
