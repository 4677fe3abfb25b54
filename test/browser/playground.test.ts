/**
 * The playground in a real browser, served by the Worker with the embedded origin behind it.
 *
 * `SCREENSHOT=docs/playground.png vitest run test/browser` makes the picture of the README.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decodeNpy } from "../../src/imaging/npy.ts";
import { makeThumbnail } from "../../src/pipeline.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { dropPhoto } from "./drop.ts";
import { launch } from "./launch.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const CHURCH = readFileSync("examples/photos/church.jpg");
const SECRET = "correct horse battery staple, and 32 bytes";

let browser: Browser;
let page: Page;
/** What the browser complained of: errors of scripts, refused by the policy, or not found. */
let complaints: string[];
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
  page = await context.newPage();
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
});
afterEach(() => page?.context().close());

describe("with an inference origin", () => {
  let origin: RunningOrigin;
  let worker: TestWorker;
  beforeAll(async () => {
    origin = await startOrigin();
    worker = await startWorker({ ORIGINS: origin.url });
  });
  afterAll(async () => {
    await worker?.close();
    await origin?.stop();
  });

  test("a photo that is dropped becomes the pipeline's thumbnails, compared with bicubic ones", async () => {
    await page.goto(worker.url.href);
    await dropPhoto(page, CHURCH);
    await page.getByText("Done.").waitFor();

    const runtime = await nodeRuntime();
    for (const size of [56, 112]) {
      const { bytes } = await makeThumbnail(CHURCH, { size, format: "npy" }, runtime);
      expect(Buffer.compare(await pixels(`#learned-${size}`), decodeNpy(bytes).data)).toBe(0);
      // Chromium's JPEG decoder and sharp's resampler are others than ours.
      const bicubic = await sharp(CHURCH).resize(size, size, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
      expect(distance(await pixels(`canvas[width="${size}"]`), bicubic)).toBeLessThan(2);
    }
    expect(await page.locator("#figures figure").count()).toBe(5);
    expect(await page.locator("figure.original figcaption").innerText()).toMatch(/\d+ × \d+ pixels, \d+\.\d KB/);
    expect(await page.locator(".saved").first().innerText()).toMatch(/\(\d\d\.\d % saved\)$/);
    const best = await page.locator("#predictions li:first-child span:first-child").allInnerTexts();
    expect(best).toEqual(["church", "church", "church"]);
    const timings = await page.locator("#timings tbody td:last-child").allInnerTexts();
    expect(timings).toHaveLength(5);
    expect(timings.filter((steps) => !/total \d+\.\d ms$/.test(steps))).toEqual([]);
    expect(timings.join("; ")).toMatch(/downscale \d+\.\d ms.*origin \d+\.\d ms/);
    expect(complaints).toEqual([]);
    if (process.env.SCREENSHOT) {
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
    }
  });

  test("downscaled in the browser a photo gives the same thumbnails and predictions, and is not sent", async () => {
    const sent: (Buffer | null)[] = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(request.postDataBuffer()));
    await page.goto(worker.url.href);
    await page.getByLabel("Downscale in this browser").check();
    await dropPhoto(page, CHURCH);
    await page.getByText("Done.").waitFor({ timeout: 60_000 });
    const runtime = await nodeRuntime();
    for (const size of [56, 112]) {
      const { bytes } = await makeThumbnail(CHURCH, { size, format: "npy" }, runtime);
      expect(Buffer.compare(await pixels(`#learned-${size}`), decodeNpy(bytes).data)).toBe(0);
    }
    const best = await page.locator("#predictions li:first-child span:first-child").allInnerTexts();
    expect(best).toEqual(["church", "church"]);
    expect(sent.map((body) => body?.subarray(1, 4).toString())).toEqual(["PNG", "PNG"]);
    expect(complaints).toEqual([]);
  }, 120_000);

  test("each pixel of a thumbnail is shown as a square of whole pixels", async () => {
    await page.goto(worker.url.href);
    await page.getByRole("button", { name: "Parachute" }).click();
    await page.getByText("Done.").waitFor();
    const learned = page.locator("#learned-56");
    expect(await learned.evaluate((image) => getComputedStyle(image).imageRendering)).toBe("pixelated");
    for (const [option, side] of [
      ["actual pixels", 56],
      ["448 pixels", 448],
    ] as const) {
      await page.getByLabel("Show as").selectOption(option);
      expect(await learned.boundingBox()).toMatchObject({ width: side, height: side });
    }
    await page.getByLabel("Encoding").selectOption("WebP");
    await page.getByText("Done.").waitFor();
    expect(await page.locator("#code").innerText()).toContain("thumbnail.webp");
    expect(await page.locator("#code").innerText()).toContain(`${worker.url.origin}/thumbnail/format=webp,size=56`);
  });

  test("what the service refuses is said, and the next photo is shown", async () => {
    await page.goto(worker.url.href);
    await page.getByLabel("Or the address of one").fill("r2:missing.jpg");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/^The source image does not exist: /);
    await worker.env.ORIGINALS.put("church.jpg", CHURCH);
    await page.getByLabel("Or the address of one").fill("r2:church.jpg");
    await page.keyboard.press("Enter");
    await page.getByText("Done.").waitFor();
    expect(await page.getByRole("alert").innerText()).toBe("");
    expect(await page.getByRole("link", { name: "The thumbnail at its own address" }).getAttribute("href")).toBe(
      `${worker.url.origin}/thumbnail/format=png,size=56/r2:church.jpg`,
    );
  });

  test("what comes late of an earlier photo does not replace what is shown of the next", async () => {
    const release = Promise.withResolvers<void>();
    await page.route("**/late.jpg", async (route) => {
      await release.promise;
      // The page may have given it up.
      await route.fulfill({ body: CHURCH, contentType: "image/jpeg" }).catch(() => {});
    });
    await page.goto(worker.url.href);
    await page.getByLabel("Or the address of one").fill(`${worker.url.href}late.jpg`);
    await page.keyboard.press("Enter");
    await dropPhoto(page, CHURCH);
    await page.getByText("Done.").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    release.resolve();
    await page.waitForTimeout(500);
    expect(await page.locator("#code").innerText()).toContain("--data-binary @photo.jpg");
    expect(asked.filter((url) => new URL(url).pathname.startsWith("/thumbnail/"))).toEqual([]);
  });

  test.each(["light", "dark"] as const)("axe finds nothing to mend in the %s page", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(worker.url.href);
    await page.getByRole("button", { name: "Church" }).click();
    await page.getByText("Done.").waitFor();
    // Evaluated by the debugger, which the page's policy does not bind.
    await page.evaluate(readFileSync(AXE, "utf8"));
    const violations = await page.evaluate(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))",
    );
    expect(violations).toEqual([]);
  });

  test("a photo is chosen with the keyboard alone", async () => {
    await page.goto(worker.url.href);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("file");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("Done.").waitFor();
  });
});

describe("closed, and without an inference origin", () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await startWorker({ ALLOW_UNSIGNED: "false" }, { SIGNING_KEYS: JSON.stringify({ "web-1": SECRET }) });
  });
  afterAll(() => worker?.close());

  test("a key opens the service, and the page says that there are no predictions", async () => {
    await page.goto(worker.url.href);
    await page.getByRole("button", { name: "Church" }).click();
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/^The URL is not signed for this service/);
    await page.getByText("This service wants signed URLs?").click();
    await page.getByLabel("Key id").fill("web-1");
    await page.getByLabel("Secret").fill(SECRET);
    await page.getByRole("button", { name: "Use this key" }).click();
    await page.getByText("Done.").waitFor();
    expect(await page.locator("#no-origin").innerText()).toMatch(/^No inference origin is configured/);
    expect(await page.locator("#learned-56").isVisible()).toBe(true);
    const code = await page.locator("#code").allTextContents();
    for (const [language, type] of [
      ["@photo\\.jpg '", "image/png"],
      ['url = "', "application/x-npy"],
    ]) {
      const [, url = ""] = new RegExp(`${language}([^'"]+)`).exec(code.join()) ?? [];
      const response = await fetch(url, { method: "POST", body: CHURCH });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    }
  });

  test("the page's policy lets in neither inline scripts nor frames, and the service's own is untouched", async () => {
    const policyOf = async (path: string) =>
      (await fetch(new URL(path, worker.url))).headers.get("content-security-policy");
    expect(await policyOf("/")).toMatch(
      /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';.*frame-ancestors 'none'/,
    );
    expect(await policyOf("/health")).toBe("default-src 'none'");
  });
});

/** RGB as the browser has it. */
async function pixels(selector: string): Promise<Buffer> {
  const rgba = await page.locator(selector).evaluate((picture) => {
    const canvas = document.createElement("canvas");
    const drawn = picture as HTMLImageElement | HTMLCanvasElement;
    [canvas.width, canvas.height] =
      drawn instanceof HTMLImageElement ? [drawn.naturalWidth, drawn.naturalHeight] : [drawn.width, drawn.height];
    const context = canvas.getContext("2d");
    context?.drawImage(drawn, 0, 0);
    return Array.from(context?.getImageData(0, 0, canvas.width, canvas.height).data ?? []);
  });
  return Buffer.from(rgba.filter((_, i) => i % 4 !== 3));
}

/** Mean absolute difference of two pictures of one size. */
function distance(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}
