/** Cards of a models directory, for what runs in Node. */
import { readFile } from "node:fs/promises";
import { type ModelCard, parseCard } from "../downscaler/card.ts";

/** @param folder of one model, with its slash at the end. @throws Error if the card is missing or not valid. */
export async function readCard(folder: URL): Promise<ModelCard> {
  const file = new URL("card.json", folder);
  return parseCard(JSON.parse(await readFile(file, "utf8")), file.pathname);
}
