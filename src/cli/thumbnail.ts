/** `thumbnet-edge thumbnail`: the service's thumbnails, made here. */
import { type Command, UsageError } from "./command.ts";
import { JOBS_OPTION, jobsOf, makeThumbnails } from "./make.ts";
import { openFolder, openTar } from "./output.ts";
import { findPhotos } from "./photos.ts";
import { SPEC_OPTIONS, specOf } from "./spec.ts";

export const thumbnail: Command = {
  summary: "Makes thumbnails of photos, the very bytes that the service serves.",
  usage: "<files, folders or URLs...> --output <folder or .tar>",
  details: `Folders are searched with all their folders, and keep their shape in the output. A thumbnail that is there already is not
made again, so an interrupted run goes on where it was (other options want another folder, or --force); a .tar holds one sample a photo as WebDataset reads them, and is
written whole.`,
  options: {
    output: { type: "string", short: "o", value: "folder|.tar", help: "Where thumbnails go." },
    ...SPEC_OPTIONS,
    force: { type: "boolean", short: "f", help: "Make thumbnails again that are there already." },
    ...JOBS_OPTION,
  },
  async run(line) {
    const { output } = line.values;
    if (output === undefined) throw new UsageError("Expected --output with a folder or the name of a .tar file.");
    const spec = specOf(line);
    const photos = await findPhotos(line.positionals);
    const jobs = jobsOf(line);
    const target = await (output.endsWith(".tar") ? openTar(output) : openFolder(output, line.flags.has("force")));
    const missing = photos.filter((photo) => !target.has(photo.name, spec.format));
    let original = 0;
    let made = 0;
    let bytes = 0;
    const failed = await makeThumbnails(missing, [spec], jobs, async (result) => {
      for (const { bytes: file } of result.thumbnails) {
        await target.write(result.photo.name, spec.format, file);
        made += 1;
        original += result.bytes;
        bytes += file.length;
      }
    });
    await target.close();
    const there = photos.length - missing.length;
    const sizes = made ? `: ${original} bytes of photos are ${bytes} bytes of thumbnails` : "";
    console.log(
      `${made} made${there ? `, ${there} there already` : ""}${failed ? `, ${failed} failed` : ""}, in ${output}${sizes}.`,
    );
    return failed ? 1 : 0;
  },
};
