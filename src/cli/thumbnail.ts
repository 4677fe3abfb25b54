/** `thumbnet-edge thumbnail`: the service's thumbnails, made here. */
import type { ThumbnailSpec } from "../pipeline.ts";
import { type Command, type Line, UsageError } from "./command.ts";
import { JOBS_OPTION, jobsOf, makeThumbnails } from "./make.ts";
import { keyOf, openOutput } from "./output.ts";
import { findPhotos, readList } from "./photos.ts";
import { SPEC_OPTIONS, specOf } from "./spec.ts";

export const thumbnail: Command = {
  summary: "Makes thumbnails of photos, the very bytes that the service serves.",
  usage: "<files, folders or URLs...> --output <folder, .tar, .npy or .parquet>",
  details: `Folders are searched with all their folders, and keep their shape in the output. A thumbnail that is there already is not
made again, so an interrupted run goes on where it was (other options want another folder, or --force). A .tar holds one sample a
photo as WebDataset reads them; a .npy all thumbnails as one array (photos, size, size, 3), with their photos' names in a .json beside
it; a .parquet one row a photo: name, label (its folder), width, height, format, bytes. These three grow under another name: where
photos fail, the same command tries them again, and --skip-failed leaves them out. A finished one is left as it is.`,
  options: {
    output: { type: "string", short: "o", value: "folder|.tar|.npy|.parquet", help: "Where thumbnails go." },
    list: {
      type: "string",
      short: "l",
      value: "file",
      help: "Has more files, folders or URLs, one a line; - is stdin.",
    },
    ...SPEC_OPTIONS,
    force: { type: "boolean", short: "f", help: "Make thumbnails again that are there already." },
    "skip-failed": { type: "boolean", help: "Finish a .tar, .npy or .parquet without the photos that failed." },
    ...JOBS_OPTION,
  },
  async run(line) {
    const { output, list } = line.values;
    if (output === undefined)
      throw new UsageError("Expected --output with a folder or the name of a .tar, .npy or .parquet file.");
    const spec = specFor(output, line);
    const photos = await findPhotos(line.positionals, list === undefined ? [] : await readList(list), keyOf(output));
    const jobs = jobsOf(line);
    const target = await openOutput(output, spec, line.flags.has("force"));
    const missing = photos.filter((photo) => !target.has(photo.name));
    let original = 0;
    let made = 0;
    let bytes = 0;
    const failed = await makeThumbnails(missing, [spec], jobs, async (result) => {
      for (const { bytes: file } of result.thumbnails) {
        await target.write(result.photo.name, file);
        made += 1;
        original += result.bytes;
        bytes += file.length;
      }
    });
    await target.close(failed === 0 || line.flags.has("skip-failed"));
    const there = photos.length - missing.length;
    const sizes = made ? `: ${original} bytes of photos are ${bytes} bytes of thumbnails` : "";
    console.log(
      `${made} made${there ? `, ${there} there already` : ""}${failed ? `, ${failed} failed` : ""}, in ${output}${sizes}.`,
    );
    return failed ? 1 : 0;
  },
};

/** An array has no encoding but its own. */
function specFor(output: string, line: Line): ThumbnailSpec {
  if (!output.endsWith(".npy")) return specOf(line);
  const { format = "npy" } = line.values;
  if (format !== "npy") throw new UsageError(`Expected --format npy, or none, for ${output}, but got "${format}".`);
  return specOf({ ...line, values: { ...line.values, format } });
}
