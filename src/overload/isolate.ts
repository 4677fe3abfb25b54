/** What one isolate grants to all the requests that run in it at the same time. */
import type { Step } from "../observation.ts";
import { Budget, type Lease } from "./budget.ts";

/**
 * The longest between two grants of a photo's bytes, by the largest values that the configuration takes: from one turn at the
 * decoder (10 s in it) a cascade asks two caches for 2 s each and the origins for 60 s, and waits 20 s for the next turn. A body
 * comes within 60 s. Not longer than needed: what vanished keeps its room for as long.
 */
const PHOTO_MS = 10_000 + 2 * 2_000 + 60_000 + 20_000;

/** The one photo that always gets what it asks for must fit into this, too. */
export const MAX_PHOTO_BYTES = 24e6;

/**
 * Bytes of photos read or being read. The one whose turn it is to be decoded is in the decoder's own budget (see
 * `imaging/limits.ts`): about 34 MB of code, models and encoders + 64 MB for that + 24 MB here are the isolate's 128 MB.
 */
const photoBytes = new Budget({ total: MAX_PHOTO_BYTES, maxLeases: 512, maxWaitMs: 10_000, leaseMs: PHOTO_MS });

/** Decoding and the downscaler use the CPU without a pause, so side by side they would take more memory and no less time. */
const decoderTurns = new Budget({ total: 1, maxLeases: 512, maxWaitMs: 20_000, leaseMs: 10_000 });

/** Runs `work` with a lease for the bytes of the photo that it reads. @throws Problem `overloaded`. */
export function withPhotoBytes<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
  return photoBytes.use(work);
}

/**
 * Runs `work` when no other photo is being decoded. @throws Problem `overloaded`.
 *
 * @param lease of the photo's bytes, which are held for as long again from there on.
 */
export function inTurn<T>(photo: Uint8Array, lease: Lease, work: () => Promise<T>): Promise<T> {
  return decoderTurns.use(async (turn) => {
    await turn.hold(1);
    await lease.hold(photo.length);
    return work();
  });
}

/**
 * `step`, after whose "decode" the photo's bytes are gone: nothing that follows needs them, and up to 20 MB would stay in the
 * isolate while the downscaler and the encoder work, whoever still holds the array.
 */
export function releasedOnceDecoded(photo: Uint8Array<ArrayBuffer>, step: Step): Step {
  return async (name, work) => {
    const result = await step(name, work);
    if (name === "decode") photo.buffer.transfer(0);
    return result;
  };
}
