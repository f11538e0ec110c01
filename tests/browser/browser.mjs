// A real browser, installed or bundled, and what every page of ours must be: readable, self-contained and inert.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

import bundled from "@sparticuz/chromium";
import { chromium } from "playwright-core";

export const SCREENS = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 360, height: 740 },
};
export const WCAG_AA_CONTRAST_MIN = 4.5;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// The bundled Chromium is made for Lambda: its single process ends when its first page is closed.
const BUNDLED_ARGS = bundled.args.filter((arg) => arg !== "--single-process");

/** Starts it, with these arguments beside what it needs. */
export async function launch(args = []) {
  const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  return chromium.launch(
    installed
      ? { executablePath: installed, args: ["--no-sandbox", ...args] }
      : { executablePath: await bundled.executablePath(), args: [...BUNDLED_ARGS, ...args] },
  );
}

/** Opens a page and notes everything that a self-contained and inert page never does. */
export async function open(browser, url, screen, scheme) {
  const page = await browser.newPage({ viewport: SCREENS[screen], colorScheme: scheme });
  const offences = [];
  page.on("dialog", (dialog) => { offences.push(`dialog ${dialog.message()}`); return dialog.dismiss(); });
  page.on("console", (message) => offences.push(`console ${message.text()}`));
  page.on("pageerror", (error) => offences.push(`error ${error}`));
  page.on("request", (request) => {
    if (request.resourceType() !== "document") offences.push(`request ${request.url()}`);
  });
  await page.goto(url.href, { waitUntil: "load" });
  return { page, offences };
}

/** What axe finds wrong, for keyboards and screen readers too. It runs beside the page, whose policy lets no script run. */
export async function accessibilityFaults(page) {
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
export function leastContrast() {
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
