/** What one isolate grants to all the requests that run in it at the same time. */
import type { Step } from "../observation.ts";
import { Budget, type Lease } from "./budget.ts";

/**
 * Bytes of photos read or being read. The one whose turn it is to be decoded is in the decoder's own budget (see
 * `imaging/limits.ts`): about 34 MB of code, models and encoders + 64 MB for that + 24 MB here are the isolate's 128 MB.
 */
const photoBytes = new Budget({ total: 24e6, maxLeases: 512, maxWaitMs: 10_000, leaseMs: 60_000 });

/** Decoding and the downscaler use the CPU without a pause, so side by side they would take more memory and no less time. */
const decoderTurns = new Budget({ total: 1, maxLeases: 512, maxWaitMs: 20_000, leaseMs: 10_000 });

/** Runs `work` with a lease for the bytes of the photo that it reads. @throws Problem `overloaded`. */
export function withPhotoBytes<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
  return photoBytes.use(work);
}

/** Runs `work` when no other photo is being decoded. @throws Problem `overloaded`. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return decoderTurns.use(async (turn) => {
    await turn.hold(1);
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
