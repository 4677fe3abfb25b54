/** Where photos come from. */

/** A source of the URL contract, or a file. */
export type Photo = string | Blob;

/** For which a host may let the page wait before the service is asked without the photo's own bytes. */
const PATIENCE_MS = 5000;

/**
 * The photo's own bytes; undefined if it is in R2, or its host does not let pages read it.
 *
 * @param needed whether nothing can be shown without them, so that they are waited for.
 */
export async function pixelsOf(photo: Photo, needed: boolean, signal: AbortSignal): Promise<Blob | undefined> {
  if (typeof photo !== "string") return photo;
  const url = addressOf(photo);
  if (url === undefined) return undefined;
  const patience = needed ? signal : AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const response = await fetch(url, { signal: patience });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}

export function addressOf(photo: Photo): string | undefined {
  return typeof photo === "string" && /^https?:/i.test(photo) ? photo : undefined;
}

/** One of those that lie beside the page. @throws TypeError if it cannot be had. */
export async function sample(name: string): Promise<Blob> {
  const response = await fetch(`samples/${name}`);
  if (!response.ok) throw new TypeError(`The sample ${name} answered ${response.status}`);
  return response.blob();
}

/** The first file; of an image or link of another page, its address. */
export function droppedPhoto(dropped: DataTransfer | null): Photo | undefined {
  const [file] = dropped?.files ?? [];
  const addresses = dropped?.getData("text/uri-list").split(/\r?\n/) ?? [];
  return file ?? addresses.find((line) => line !== "" && !line.startsWith("#"));
}
