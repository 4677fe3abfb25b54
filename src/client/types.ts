/** What goes to the service and what comes back. `test/client/types.test.ts` holds these against the service's own schemas. */

/** A photo that the service fetches: an http(s) URL, `r2:<key>` as it stands in a URL, or the key of an original in R2. */
export type Source = string | URL | { readonly r2: string };

/** A photo, or a ready thumbnail as PNG, WebP, AVIF or npy, that is sent along. */
export type Upload = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface ThumbnailOptions {
  /** Side in pixels; the service's default is 56. */
  readonly size?: 56 | 112;
  /** `auto` is WebP where the `Accept` header takes it and PNG elsewhere; the service's default is `png`. */
  readonly format?: "png" | "webp" | "jpeg" | "avif" | "npy" | "auto";
  /** 1 to 100, for webp, jpeg and avif. */
  readonly quality?: number;
  /** Squash the photo to a square, or crop to a centred square. */
  readonly fit?: "fill" | "cover";
  /** Names of option sets of the deployment. */
  readonly preset?: string;
}

export interface ClassifyOptions {
  /** Side of the thumbnail that is classified (with `adaptive`, of the first); the service's default is 56. */
  readonly size?: 56 | 112;
  /**
   * What classifies it: the small student, one with more resolution, that for a thousand classes, one with all of the teacher's
   * resolution, or the unmodified teacher behind a restorer. `auto`, the default, is whichever knows most classes, of several the largest.
   */
  readonly head?: "auto" | "student" | "student-low-stride" | "student-thousand" | "student-full" | "restored";
  readonly fit?: "fill" | "cover";
  /** How many predictions, 1 to 100; the service's default is 5. */
  readonly top?: number;
  /** Below this confidence (0 to 1) a larger thumbnail is asked; `auto` is the calibrated threshold. */
  readonly adaptive?: number | "auto";
  /** With `adaptive`: whether the whole square of 224 pixels may in the end be sent to the teacher. */
  readonly teacher?: "yes" | "no";
  /** Names of option sets of the deployment. */
  readonly preset?: string;
}

export interface Thumbnail {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** Strong, with its quotes. */
  readonly etag: string | null;
}

export interface Prediction {
  readonly label: string;
  /** Of the class, in the model's order. */
  readonly index: number;
  /** 0 to 1. */
  readonly probability: number;
}

export interface Classification {
  /** Best first. */
  readonly predictions: readonly Prediction[];
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  /** What was classified. */
  readonly thumbnail: {
    readonly size: number;
    readonly format: "npy";
    readonly bytes: number;
    readonly sha256: string;
  };
  /** With `adaptive`: every model that was asked, the deciding one last. */
  readonly stages?: readonly { readonly model: string; readonly confidence: number }[];
}
