/** A real Chromium, headless, from npm: no system package and no download beside it. */
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";

/**
 * The package's own arguments are those of a serverless function: one process, no web security. Of them stay what a container
 * without user namespaces needs.
 */
const ARGUMENTS = ["--no-sandbox", "--no-zygote"];

export async function launch(): Promise<Browser> {
  return playwright.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS, headless: true });
}
