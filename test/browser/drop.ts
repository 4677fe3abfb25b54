/** A photo that is dropped on the playground. */
import type { Page } from "playwright-core";

export async function dropPhoto(page: Page, photo: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle((base64) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "p.jpg", { type: "image/jpeg" }));
    return data;
  }, photo.toString("base64"));
  await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
}
