/** The routes `/classify` and `/batch`, between the request and the parts that the app lends them. */
import { etagOf, wholeAge } from "../cache/answer.ts";
import type { CacheTiers } from "../cache/cached.ts";
import { isNotModified } from "../cache/conditional.ts";
import type { Problem } from "../errors.ts";
import type { LoadCodec } from "../imaging/image.ts";
import { encodeNpy } from "../imaging/npy.ts";
import type { ThumbnailSpec } from "../pipeline.ts";
import { type Presets, parseOptions } from "../request/options.ts";
import { parseSource, type Source } from "../request/source.ts";
import { splitTarget } from "../request/thumbnail.ts";
import { ageHeader, type Lifetime } from "../respond.ts";
import { type BatchItem, createTurns, streamBatch } from "./batch.ts";
import type { Classifier } from "./classifier.ts";
import { type Classification, classify } from "./classify.ts";
import { createGather } from "./gather.ts";
import { cachedLogits, type Infer } from "./logits-cache.ts";
import { type ClassifyOptions, classifyOptions } from "./options.ts";
import { readyThumbnail } from "./ready-thumbnail.ts";
import { type ClassifyModels, sideOf } from "./student.ts";

const ROUTE = "/classify/";

/** Images of a batch that go to the origin together, and how long the first of them waits for the others. */
const GATHER = { size: 32, waitMs: 250 };

/** What the app lends. */
export interface ClassifyRoom extends ClassifyModels {
  readonly loadCodec: LoadCodec;
  readonly classifier: Classifier;
  readonly presets: Presets;
  readonly tiers: CacheTiers;
  /** The path that the service is mounted at. */
  readonly mount: string;
  /** A source's thumbnail as the `/thumbnail` route has it: from the cache or made now. */
  readonly thumbnail: (source: Source, spec: ThumbnailSpec) => Promise<StoredThumbnail>;
}

export interface StoredThumbnail {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly storedAt: Date;
}

/**
 * `target` as in `/classify/<options>/<source>`.
 *
 * @returns the classification, of what, and when the oldest thumbnail that it is of was known to be that of the source.
 * @throws Problem
 */
export async function classifyGet(
  target: string,
  room: ClassifyRoom,
): Promise<{ classification: Classification; source: Source; storedAt: Date }> {
  const infer: Infer = async (pixels, student) => only(await room.classifier.classify([pixels], student.card));
  const asked = parseGet(target, room.presets);
  let oldest = new Date();
  const classification = await classifySource(asked.options, room, infer, async (spec) => {
    const { bytes, storedAt } = await room.thumbnail(asked.source, spec);
    if (storedAt < oldest) oldest = storedAt;
    return bytes;
  });
  return { classification, source: asked.source, storedAt: oldest };
}

/**
 * `target` as in `/classify/<options>`, for a photo or a ready thumbnail.
 *
 * @param makeThumbnail of that photo.
 * @throws Problem
 */
export async function classifyPost(
  target: string,
  body: Uint8Array,
  room: ClassifyRoom,
  makeThumbnail: (spec: ThumbnailSpec) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Classification> {
  const options = parseOptions(splitTarget(target, ROUTE).options, classifyOptions, room.presets);
  const ready = await readyThumbnail(body, options.size, room.loadCodec);
  return classify(options, {
    // No larger thumbnail can be made of a small one.
    students: ready ? room.students.filter((student) => sideOf(student) === options.size) : room.students,
    thumbnail: async (size) => (ready ? encodeNpy(ready) : makeThumbnail(npy(size, options))),
    logits: async (thumbnail, student) =>
      cachedLogits(thumbnail, student, room.tiers, async (pixels) =>
        only(await room.classifier.classify([pixels], student.card)),
      ),
  });
}

/**
 * Streams the answers to a batch.
 *
 * @param authorized the item's target without signature, or a Problem thrown.
 * @param onProblem is told of items that have no answer.
 */
export function classifyBatch(
  items: readonly BatchItem[],
  room: ClassifyRoom,
  authorized: (target: string) => Promise<string>,
  onProblem: (problem: Problem, index: number) => void,
): ReadableStream<Uint8Array> {
  const inTurn = createTurns();
  const gathers = new Map(
    room.students.map(({ card }) => [
      card.name,
      createGather<Uint8Array, Float32Array>(async (images) => (await room.classifier.classify(images, card)).logits, {
        ...GATHER,
        expected: items.length,
      }),
    ]),
  );
  const infer: Infer = (pixels, { card }) => {
    const gather = gathers.get(card.name);
    if (!gather) throw new Error(`There is no gather for ${card.name}.`);
    return gather.add(pixels);
  };
  const work = async ({ source, options }: BatchItem) => {
    try {
      const asked = parseGet(await authorized(`${ROUTE}${options}/${source}`), room.presets);
      return await classifySource(asked.options, room, infer, (spec) =>
        inTurn(async () => (await room.thumbnail(asked.source, spec)).bytes),
      );
    } finally {
      for (const gather of gathers.values()) gather.leave();
    }
  };
  return streamBatch(items, room.mount, work, onProblem);
}

interface Asked {
  readonly options: ClassifyOptions;
  readonly source: Source;
}

function parseGet(target: string, presets: Presets): Asked {
  const { options, rest } = splitTarget(target, ROUTE);
  return { options: parseOptions(options, classifyOptions, presets), source: parseSource(rest) };
}

function classifySource(
  options: ClassifyOptions,
  room: ClassifyRoom,
  infer: Infer,
  thumbnail: (spec: ThumbnailSpec) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Classification> {
  return classify(options, {
    students: room.students,
    thumbnail: (size) => thumbnail(npy(size, options)),
    logits: (named, student) => cachedLogits(named, student, room.tiers, infer),
  });
}

/**
 * 200 with the classification, or 304. The body says nothing of when or where it was made, so its digest is its ETag; its age is
 * that of the thumbnail, so that nobody keeps it longer than they would keep that.
 */
export async function respondClassification(
  classification: Classification,
  ifNoneMatch: string | null,
  { maxAge, cut, storedAt, cacheTag }: Lifetime & { readonly storedAt: Date; readonly cacheTag?: string },
): Promise<Response> {
  const body = new TextEncoder().encode(JSON.stringify(classification));
  const etag = await etagOf(body);
  const headers = {
    etag,
    "cache-control": maxAge > 0 ? `public, max-age=${maxAge}` : "no-store",
    ...(wholeAge(storedAt) > 0 && { age: ageHeader(storedAt, cut) }),
    ...(cacheTag !== undefined && { "cache-tag": cacheTag }),
  };
  if (isNotModified(ifNoneMatch, etag)) return new Response(null, { status: 304, headers });
  const length = String(body.length);
  return new Response(body, { headers: { ...headers, "content-type": "application/json", "content-length": length } });
}

/** Lines as they come; buffering them would undo it. */
export function respondBatch(lines: ReadableStream<Uint8Array>): Response {
  const headers = { "content-type": "application/x-ndjson", "cache-control": "no-store" };
  return new Response(lines, { headers });
}

/** What goes to the origin is the thumbnail itself, never a lossy copy. */
const npy = (size: number, { fit }: ClassifyOptions): ThumbnailSpec => ({ size, format: "npy", fit });

function only({ logits: [first] }: { readonly logits: readonly Float32Array[] }): Float32Array {
  if (!first) throw new Error("Expected the logits of one image.");
  return first;
}
