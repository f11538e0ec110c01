// A page of another origin, in a real browser, cannot use the S3 model; a client that is no page can.
//
// Needs the server that `cargo build --release --workspace` makes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.mjs";

const MODEL = fileURLToPath(new URL("../../target/release/shardlift-s3-model", import.meta.url));

let browser;
let model;
let pages;
let modelPort;
let pagePort;

/** A server's free port on the loopback. */
const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

before(async () => {
  pages = createServer((_request, response) => response.end("<!doctype html><title>a page</title>"));
  pagePort = await listen(pages);
  const probe = createServer();
  modelPort = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  model = spawn(MODEL, ["--port", String(modelPort)], { stdio: "ignore" });
  for (let tries = 0; tries < 100; tries += 1) {
    const up = await fetch(`http://127.0.0.1:${modelPort}/_model/counters`).then(() => true, () => false);
    if (up) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  browser = await launch(["--host-resolver-rules=MAP rebound.example 127.0.0.1"]);
});

after(async () => {
  await browser?.close();
  model?.kill();
  pages?.close();
});

const exists = async (bucket) => (await fetch(`http://127.0.0.1:${modelPort}/_model/buckets/${bucket}`)).status === 200;
const weather = async () => (await fetch(`http://127.0.0.1:${modelPort}/_model/weather`)).text();

describe("the S3 model", () => {
  test("serves a client that is no page", async () => {
    const made = await fetch(`http://127.0.0.1:${modelPort}/_model/buckets/mine`, { method: "PUT", body: "{}" });
    assert.equal(made.status, 200, await made.text());
    assert.ok(await exists("mine"));
  });

  for (const [name, place] of [
    ["a page of another port", () => `http://127.0.0.1:${pagePort}/`],
    ["a page of another name", () => `http://rebound.example:${pagePort}/`],
  ]) {
    test(`refuses ${name}`, async () => {
      const page = await browser.newPage();
      await page.goto(place());
      const before = await weather();
      await page.evaluate(async (port) => {
        const url = `http://127.0.0.1:${port}/_model/`;
        // A simple request is sent without asking; its response cannot be read, its effect would stay.
        await fetch(`${url}reset`, { method: "POST", mode: "no-cors" }).catch(() => {});
        await fetch(`${url}objects/mine`, { method: "POST", mode: "no-cors", body: '{"key": "k", "size_bytes": 1}' }).catch(() => {});
        await fetch(`${url}buckets/theirs`, { method: "PUT", body: "{}" }).catch(() => {});
        await new Promise((resolve) => {
          const image = new Image();
          image.onload = image.onerror = resolve;
          image.src = `${url}counters`;
        });
      }, modelPort);
      assert.ok(await exists("mine"), "it was reset");
      assert.ok(!(await exists("theirs")), "a bucket was made");
      assert.equal(await weather(), before);
      await page.close();
    });
  }

  test("refuses a page whose name was made to resolve to the loopback", async () => {
    const page = await browser.newPage();
    const response = await page.goto(`http://rebound.example:${modelPort}/_model/counters`);
    assert.equal(response.status(), 403);
    await page.close();
  });
});
