/** `thumbnet-edge classify`: what is in photos, by the models of this machine or by a service. */
import { classify as classifyThumbnail } from "../classify/classify.ts";
import { classifyOptions, type ClassifyOptions as Options } from "../classify/options.ts";
import { sideOf } from "../classify/student.ts";
import { createClient } from "../client/index.ts";
import type { ClassifyOptions } from "../client/types.ts";
import { decodeNpy } from "../imaging/npy.ts";
import { type Command, type Line, messageOf } from "./command.ts";
import { keyRing, signingKey } from "./keys.ts";
import { JOBS_OPTION, jobsOf, makeThumbnails } from "./make.ts";
import { findPhotos, type Photo } from "./photos.ts";
import { optionsOf, readOptions } from "./spec.ts";
import { readStudents, readStudentsAndTeacher } from "./students.ts";

type Answer = Pick<Awaited<ReturnType<typeof classifyThumbnail>>, "predictions" | "model">;

export const classify: Command = {
  summary: "Says what is in photos, by the models here or by a service.",
  usage: "<files, folders or URLs...> [--service <URL>]",
  details: `With --service photos are uploaded to that service; signing keys are taken from the environment as by "sign".`,
  options: {
    service: { type: "string", short: "s", value: "URL", help: "Ask this service instead of the models here." },
    ...optionsOf(classifyOptions),
    json: { type: "boolean", help: "One JSON document a line." },
    ...JOBS_OPTION,
  },
  async run(line) {
    const options = readOptions(line, classifyOptions);
    const photos = await findPhotos(line.positionals);
    const show = ({ name }: Photo, answer: Answer) =>
      console.log(line.flags.has("json") ? JSON.stringify({ photo: name, ...answer }) : sentence(name, answer));
    const { service } = line.values;
    const failed = await (service === undefined
      ? here(photos, options, line, show)
      : there(photos, options, service, show));
    return failed ? 1 : 0;
  },
};

type Show = (photo: Photo, answer: Answer) => void;

/** @returns how many photos failed, as do all below. */
async function here(photos: readonly Photo[], options: Options, line: Line, show: Show): Promise<number> {
  const students = await (options.teacher === "yes" ? readStudentsAndTeacher() : readStudents());
  const wanted = students
    .map(sideOf)
    .filter((size) => size === options.size || (options.adaptive !== undefined && size > options.size));
  const sizes = [...new Set(wanted)];
  const specs = sizes.map((size) => ({ size, format: "npy" as const, fit: options.fit }));
  return makeThumbnails(photos, specs, jobsOf(line), async ({ photo, thumbnails }) => {
    const answer = await classifyThumbnail(options, {
      students,
      thumbnail: async (size) => thumbnails[sizes.indexOf(size)]?.bytes ?? new Uint8Array(),
      logits: async ({ npy }, { card }) => {
        const student = students.find((candidate) => candidate.card.name === card.name);
        if (!student) throw new Error(`There is no student ${card.name}.`);
        return student.logits(decodeNpy(npy).data);
      },
    });
    show(photo, answer);
  });
}

async function there(photos: readonly Photo[], options: Options, service: string, show: Show): Promise<number> {
  const client = createClient(service, keyRing().size ? { key: signingKey(undefined) } : {});
  let failed = 0;
  for (const photo of photos) {
    try {
      show(photo, await client.classify(await photo.read(), options as ClassifyOptions));
    } catch (error) {
      failed += 1;
      console.error(`${photo.from}: ${messageOf(error)}`);
    }
  }
  return failed;
}

function sentence(name: string, { predictions }: Answer): string {
  const list = predictions.map(({ label, probability }) => `${label} ${(probability * 100).toFixed(1)} %`);
  return `${name}: ${list.join(", ")}`;
}
