/**
 * `thumbnet-edge/browser` in a real browser: loaded by the page of another site from the service's own files, and held
 * against the Worker's thumbnails of the same photos.
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { Browser, Response as Loaded, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { BROWSER_BUDGET, forAnyPhoto } from "../../scripts/browser-budget.ts";
import { type RunningOrigin, startOrigin } from "../origin/start-origin.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { launch } from "./launch.ts";

// Compiling 14 MB of WebAssembly in a browser takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const CHURCH = readFileSync("examples/photos/church.jpg");
const GOLDEN = "test/fixtures/golden/";

/** Made here, or files that Pillow wrote. */
const PHOTOS: [string, () => Promise<Buffer> | Buffer][] = [
  ["a baseline JPEG", () => CHURCH],
  ["a large JPEG", () => sharp(CHURCH).resize(3000, 2000, { fit: "fill" }).jpeg().toBuffer()],
  ["a progressive JPEG", () => sharp(CHURCH).jpeg({ progressive: true }).toBuffer()],
  ["a JPEG on its side, by its EXIF orientation", () => sharp(CHURCH).withMetadata({ orientation: 6 }).toBuffer()],
  ["a CMYK JPEG", () => readFileSync(`${GOLDEN}cmyk.jpeg`)],
  ["a PNG", () => sharp(CHURCH).png().toBuffer()],
  ["a palette PNG", () => readFileSync(`${GOLDEN}palette-8.png`)],
  ["a lossy WebP", () => sharp(CHURCH).webp().toBuffer()],
  ["a lossless WebP", () => readFileSync(`${GOLDEN}lossless.webp`)],
  ["a GIF", () => readFileSync(`${GOLDEN}plain.gif`)],
  ["an AVIF", () => readFileSync(`${GOLDEN}plain.avif`)],
];

declare global {
  /** What the site's own script has imported. */
  var thumbnet: typeof import("../../src/browser/index.ts");
}

/** The site's files; the service is another origin to it. */
const SITE: Readonly<Record<string, (module: string) => string>> = {
  "/": () => '<!doctype html><title>A site</title><script type="module" src="page.js"></script>',
  "/page.js": (module) => `import * as thumbnet from "${module}"; globalThis.thumbnet = thumbnet;`,
  "/worker.js": (module) => `import { thumbnail } from "${module}";
    onmessage = async ({ data: { photo, options } }) => postMessage(await thumbnail(photo, options));`,
};

let browser: Browser;
let worker: TestWorker;
let origin: RunningOrigin;
let site: Server;
let page: Page;
/** What the page has loaded from the service. */
let loaded: Loaded[];
beforeAll(async () => {
  browser = await launch();
  origin = await startOrigin();
  worker = await startWorker({ ORIGINS: origin.url });
  const module = new URL("/browser/index.js", worker.url).href;
  site = createServer(({ url = "/" }, response) => {
    response.setHeader("content-type", url.endsWith(".js") ? "text/javascript" : "text/html");
    response.end(SITE[url]?.(module) ?? "");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => site.once("listening", resolve));
  await open();
});
afterAll(async () => {
  site?.close();
  await browser?.close();
  await worker?.close();
  await origin?.stop();
});
/** A fresh browser profile, which has nothing in its caches. */
async function open(): Promise<void> {
  await page?.close();
  page = await browser.newPage();
  loaded = [];
  page.on("response", (response) => response.url().includes("/browser/") && loaded.push(response));
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "thumbnet" in globalThis);
}

type Options = Record<string, string | number>;

/** The thumbnail's bytes, made in the page. */
async function inPage(photo: Buffer, options: Options): Promise<Buffer> {
  const base64 = await page.evaluate(
    async ([text, asked]) => {
      const file = new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], "photo");
      return btoa(String.fromCharCode(...(await thumbnet.thumbnail(file, asked)).bytes));
    },
    [photo.toString("base64"), options] as const,
  );
  return Buffer.from(base64, "base64");
}

async function atTheEdge(photo: Buffer, options: Options): Promise<Buffer> {
  const segment = Object.entries(options).map((pair) => pair.join("="));
  const body = new Uint8Array(photo);
  const response = await worker.fetch(`/thumbnail/${segment.join(",")}`, { method: "POST", body });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

describe("a thumbnail made in the page", () => {
  test.each(PHOTOS)("of %s has the Worker's very bytes", async (_, make) => {
    const photo = await make();
    for (const options of [
      { size: 56, format: "npy" },
      { size: 112, format: "png" },
      { size: 56, format: "webp", quality: 60 },
      { size: 56, format: "jpeg", fit: "cover" },
    ]) {
      const [here, there] = [await inPage(photo, options), await atTheEdge(photo, options)];
      expect(Buffer.compare(here, there), JSON.stringify(options)).toBe(0);
    }
  });

  test("in a web worker has them, too", async () => {
    const base64 = await page.evaluate(async (text) => {
      const thread = new Worker("/worker.js", { type: "module" });
      const photo = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      thread.postMessage({ photo, options: { size: 56, format: "npy" } });
      const { bytes } = await new Promise<{ bytes: Uint8Array }>((resolve, reject) => {
        thread.onmessage = ({ data }) => resolve(data);
        thread.onerror = () => reject(new Error("The web worker failed."));
      });
      return btoa(String.fromCharCode(...bytes));
    }, CHURCH.toString("base64"));
    expect(Buffer.from(base64, "base64")).toEqual(await atTheEdge(CHURCH, { size: 56, format: "npy" }));
  });
});

describe("what is refused in the page", () => {
  const refusal = (photo: Buffer, options: Options) =>
    page.evaluate(
      async ([text, asked]) => {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        try {
          await thumbnet.thumbnail(bytes, asked);
          return "made";
        } catch (error) {
          return error instanceof thumbnet.ProblemError ? `${error.code}: ${error.message}` : String(error);
        }
      },
      [photo.toString("base64"), options] as const,
    );

  test.each([
    ["an SVG", () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ["a damaged PNG", async () => (await sharp(CHURCH).png().toBuffer()).subarray(0, 20_000)],
    ["an AVIF of 12 megapixels", () => sharp(CHURCH).resize(4243, 2828).avif({ effort: 0, quality: 20 }).toBuffer()],
  ])("%s is refused by the Worker in the same words", async (_, make) => {
    const photo = await make();
    const response = await worker.fetch("/thumbnail/_", { method: "POST", body: new Uint8Array(photo) });
    const { type, title, detail } = (await response.json()) as Record<"type" | "title" | "detail", string>;
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await refusal(photo, {})).toBe(`${type.slice("/problems/".length)}: ${title}: ${detail}`);
  });

  test.each([
    [{ size: 57 }, "size: Expected 56 or 112, but got 57."],
    [{ format: "auto" }, 'format: Expected png or webp or jpeg or avif or npy, but got "auto".'],
    [{ fit: "contain" }, 'fit: Expected fill or cover, but got "contain".'],
    [{ format: "webp", quality: 101 }, "quality: Expected a whole number from 1 to 100, but got 101."],
    [{ quality: 80 }, "quality: Expected none with a lossless format, but got 80."],
  ])("the options %o are refused", async (options, message) => {
    expect(await refusal(CHURCH, options as Options)).toBe(`invalid-options: The options are not valid: ${message}`);
  });
});

describe("a classification from the page", () => {
  /** With the bytes that are sent for it. */
  async function classify(options: Options) {
    const sent = page.waitForRequest((request) => request.url().includes("/classify/"));
    const answer = page.evaluate(
      async ([service, text, asked]) => {
        const photo = new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
        return thumbnet.classify(photo, thumbnet.createClient(service), asked);
      },
      [worker.url.href, CHURCH.toString("base64"), options] as const,
    );
    const [request, classification] = await Promise.all([sent, answer]);
    return { bytes: request.postDataBuffer()?.length, classification };
  }

  test.each([
    { size: 56, format: "png", most: 9000 },
    { size: 56, format: "npy", most: 9536 },
    { size: 112, format: "png", most: 35_000 },
  ])("sends the $format of $size pixels alone, and is the service's own of the photo", async ({ most, ...options }) => {
    const { bytes, classification } = await classify(options);
    expect(bytes).toBeLessThanOrEqual(most);
    const body = new Uint8Array(CHURCH);
    const own = await worker.fetch(`/classify/size=${options.size}`, { method: "POST", body });
    expect(classification).toEqual(await own.json());
  });

  test("sends a lossless thumbnail if nothing else is asked for", async () => {
    const { bytes, classification } = await classify({ top: 2 });
    expect(bytes).toBeLessThan(9000);
    const body = new Uint8Array(CHURCH);
    expect(classification).toEqual(await (await worker.fetch("/classify/top=2", { method: "POST", body })).json());
  });

  test.each([
    { format: "webp", most: 1300 },
    { format: "avif", most: 3200 },
  ] as const)(
    "sends a lossy one as $format, of at most $most bytes, to the small student",
    async ({ format, most }) => {
      const { bytes, classification } = await classify({ format, head: "student", top: 2 });
      expect(bytes).toBeLessThan(most);
      expect(classification.predictions.map(({ label }) => label)).toEqual(["church", expect.any(String)]);
    },
  );
});

describe("what a page loads", () => {
  beforeEach(open);

  test.each([
    { photo: "a PNG", format: "png", beside: [] },
    { photo: "a baseline JPEG", format: "png", beside: ["jpeg-turbo.wasm"] },
    { photo: "a lossy WebP", format: "png", beside: ["webp-decode.wasm"] },
    { photo: "an AVIF", format: "png", beside: ["avif-decode.wasm"] },
    { photo: "a PNG", format: "webp", beside: ["webp-encode.wasm"] },
    { photo: "a PNG", format: "jpeg", beside: ["jpeg-encode.wasm"] },
    { photo: "a PNG", format: "avif", beside: ["avif-encode.wasm"] },
  ])("for $photo as $format is what these need, within the budget", async ({ photo, format, beside }) => {
    await inPage((await PHOTOS.find(([name]) => name === photo)?.[1]()) ?? CHURCH, { format });
    const wanted = [...forAnyPhoto.map(({ file }) => file.replace("<size>", "56")), ...beside];
    expect(loaded.map(nameOf).sort()).toEqual(wanted.sort());
    let spare = 0;
    for (const response of loaded) {
      const [file, bytes] = [nameOf(response), await response.body()];
      const kilobytes = (file.endsWith(".onnx") ? bytes : gzipSync(bytes)).length / 1000;
      const budget = BROWSER_BUDGET.find((part) => part.file.replace("<size>", "56") === file)?.kilobytes ?? 0;
      expect(kilobytes, file).toBeLessThanOrEqual(budget);
      spare += budget - kilobytes;
    }
    // A budget that nothing comes near would say nothing.
    expect(spare).toBeLessThan(200);
  });

  test("is loaded once, and beforehand if that is asked for", async () => {
    await page.evaluate(() => thumbnet.preload(56));
    const before = loaded.length;
    expect(before).toBe(forAnyPhoto.length);
    await inPage(CHURCH, {});
    await inPage(CHURCH, {});
    expect(loaded.slice(before).map(nameOf)).toEqual(["jpeg-turbo.wasm"]);
  });
});

function nameOf(response: Loaded): string {
  return new URL(response.url()).pathname.slice("/browser/".length);
}
