/** Photos whose classes are known, of either of the sets that are measured on. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const CLASSES = "training/src/thumbnet/classes";

export interface LabelledPhotos {
  /** In the names of results. */
  readonly name: "imagenette" | "thousand";
  /** `label` is an index of `labels`. */
  readonly photos: readonly { readonly file: string; readonly label: number }[];
  /** Of the classes that an answer is chosen among. */
  readonly labels: readonly string[];
}

/**
 * Each n-th photo of a folder.
 *
 * @param folder with one folder of photos for each class of Imagenette, or with a `labels.csv` of `file,class_index` over ImageNet's
 *   thousand classes.
 */
export async function labelledPhotos(folder: string, every: number): Promise<LabelledPhotos> {
  const set = await (existsSync(join(folder, "labels.csv")) ? thousand(folder) : imagenette(folder));
  return { ...set, photos: set.photos.filter((_, i) => i % every === 0) };
}

async function imagenette(folder: string): Promise<LabelledPhotos> {
  const classes: Record<string, [number, string]> = JSON.parse(await readFile(`${CLASSES}/imagenette.json`, "utf8"));
  const photos: { file: string; label: number }[] = [];
  for (const [label, name] of Object.keys(classes).entries()) {
    for (const file of (await readdir(join(folder, name))).sort())
      photos.push({ file: join(folder, name, file), label });
  }
  return { name: "imagenette", photos, labels: Object.values(classes).map(([, label]) => label) };
}

async function thousand(folder: string): Promise<LabelledPhotos> {
  const [head = "", ...lines] = (await readFile(join(folder, "labels.csv"), "utf8")).trim().split("\n");
  const columns = head.trim().split(",");
  const [file, label] = [columns.indexOf("file"), columns.indexOf("class_index")];
  const photos = lines.map((line) => {
    const cells = line.split(",");
    return { file: join(folder, cells[file] ?? ""), label: Number(cells[label]) };
  });
  return {
    name: "thousand",
    photos,
    labels: (await readFile(`${CLASSES}/imagenet.txt`, "utf8")).trimEnd().split("\n"),
  };
}
