/** The playground where something fails, is slow, or comes in another way than it should. */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { dropPhoto } from "./drop.ts";
import { launch } from "./launch.ts";

const CHURCH = readFileSync("examples/photos/church.jpg");
const PARACHUTE = readFileSync("examples/photos/parachute.jpg");

let browser: Browser;
let worker: TestWorker;
let page: Page;
/** Errors that nothing in the page has caught. */
let uncaught: string[];
beforeAll(async () => {
  browser = await launch();
  worker = await startWorker();
});
afterAll(async () => {
  await browser?.close();
  await worker?.close();
});
beforeEach(async () => {
  page = await browser.newPage();
  uncaught = [];
  page.on("pageerror", (error) => uncaught.push(String(error)));
  await page.goto(worker.url.href);
});
afterEach(() => page?.close());

const done = () => page.getByText("Done.").waitFor();
const said = async () => {
  await page.locator("#problem:not(:empty)").waitFor();
  return page.getByRole("alert").innerText();
};
const bytesShown = () => page.locator("figure.original figcaption span").innerText();

test("a sample that cannot be had is said", async () => {
  await page.route("**/samples/church.jpg", (route) => route.abort());
  await page.getByRole("button", { name: "Church" }).click();
  expect(await said()).not.toBe("");
  expect(uncaught).toEqual([]);
  await page.unroute("**/samples/church.jpg");
  await page.route("**/samples/church.jpg", (route) => route.fulfill({ status: 404, body: "There is no such file." }));
  await page.getByRole("button", { name: "Church" }).click();
  expect(await said()).toMatch(/answered 404/);
});

test("a sample that comes late does not replace the photo that was dropped after it", async () => {
  const release = Promise.withResolvers<void>();
  await page.route("**/samples/church.jpg", async (route) => {
    await release.promise;
    await route.continue().catch(() => {});
  });
  await page.getByRole("button", { name: "Church" }).click();
  await dropPhoto(page, PARACHUTE);
  await done();
  const shown = await bytesShown();
  release.resolve();
  await page.waitForTimeout(1000);
  await done();
  expect(await bytesShown()).toBe(shown);
});

test("what is under way for a photo ends when the next one comes", async () => {
  const aborted: string[] = [];
  page.on("requestfailed", (request) => aborted.push(new URL(request.url()).pathname.split("/")[1] ?? ""));
  await page.route("**/{thumbnail,classify}/**", () => {}, { times: 2 });
  const asked = Promise.all([page.waitForRequest("**/thumbnail/**"), page.waitForRequest("**/classify/**")]);
  await dropPhoto(page, CHURCH);
  await asked;
  await dropPhoto(page, PARACHUTE);
  await done();
  expect(aborted.sort()).toEqual(["classify", "thumbnail"]);
  expect(await page.getByRole("alert").innerText()).toBe("");
});

test("a photo of which not everything can be had leaves the earlier one as it is", async () => {
  await dropPhoto(page, CHURCH);
  await done();
  const shown = await bytesShown();
  await page.route("**/classify/**", (route) => route.abort());
  const thumbnail = page.waitForResponse("**/thumbnail/*size=112");
  await dropPhoto(page, PARACHUTE);
  await thumbnail;
  expect(await said()).toMatch(/^Failed to fetch\.$/);
  await page.waitForTimeout(500);
  expect(await bytesShown()).toBe(shown);
});

test("a refusal of the page itself is one sentence", async () => {
  await page.getByLabel("Or the address of one").fill("photo.jpg");
  await page.keyboard.press("Enter");
  expect(await said()).toBe('Expected an http(s) URL or "r2:<key>" as the source, but got "photo.jpg".');
});

test("the comparison comes back once the resampler can be had again", async () => {
  await page.route("**/resample.wasm", (route) => route.abort(), { times: 1 });
  await dropPhoto(page, CHURCH);
  await done();
  expect(await page.locator("#figures canvas").count()).toBe(0);
  await dropPhoto(page, PARACHUTE);
  await done();
  expect(await page.locator("#figures canvas").count()).toBe(2);
});

test("the same file can be chosen again after a failure", async () => {
  await page.route("**/thumbnail/**", (route) => route.abort());
  const choose = async () => {
    const chooser = page.waitForEvent("filechooser");
    await page.locator("#file").click();
    await (await chooser).setFiles("examples/photos/church.jpg");
  };
  await choose();
  expect(await said()).not.toBe("");
  await page.unroute("**/thumbnail/**");
  await choose();
  await done();
});

test("on a narrow screen nothing is wider than the page, however large thumbnails are shown", async () => {
  await page.setViewportSize({ width: 375, height: 800 });
  await dropPhoto(page, CHURCH);
  await done();
  await page.getByLabel("Show as").selectOption("448 pixels");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});

test("a source that lets the page wait is asked of the service all the same", async () => {
  await page.route("https://example.com/slow.jpg", () => {});
  await page.getByLabel("Or the address of one").fill("https://example.com/slow.jpg");
  const asked = page.waitForRequest("**/thumbnail/**");
  await page.keyboard.press("Enter");
  await asked;
});

test("an image of another page is dropped by its address, and text into the field that it is dropped on", async () => {
  const address = `${worker.url.href}a.jpg`;
  const asked = page.waitForRequest(`**/thumbnail/format=png,size=56/${address}`);
  expect(await dropText("#drop", "text/uri-list", `# of a page\r\n${address}\r\n`)).toBe("taken");
  await asked;
  expect(await dropText("#url", "text/plain", "r2:church.jpg")).toBe("left to the browser");
  expect(await dropText("#drop", "text/plain", "Some text")).toBe("taken");
});

function dropText(selector: string, type: string, text: string): Promise<string> {
  return page.locator(selector).evaluate(
    (place, [as, value]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData(as, value);
      const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
      return place.dispatchEvent(event) ? "left to the browser" : "taken";
    },
    [type, text] as const,
  );
}

test("what is refused in this browser is said in the service's words", async () => {
  await page.getByLabel("Downscale in this browser").check();
  await dropPhoto(page, Buffer.from("no image"));
  expect(await said()).toMatch(/^The bytes are not an image in a supported format: Expected a JPEG, PNG/);
});
