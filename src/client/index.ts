/**
 * `thumbnet-edge/client`: the service from browsers, Node, Deno and Workers, typed and without dependencies.
 *
 * @module
 */
export type { BatchAnswer } from "./batch.ts";
export { type Call, type ClientOptions, createClient, type ThumbnetClient } from "./client.ts";
export { type ProblemCode, type ProblemDetails, ProblemError } from "./problem-error.ts";
export { type SigningKey, signPath } from "./sign.ts";
export type {
  Classification,
  ClassifyOptions,
  Prediction,
  Source,
  Thumbnail,
  ThumbnailOptions,
  Upload,
} from "./types.ts";
