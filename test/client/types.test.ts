/** The client has no dependencies, so its types are written out; the compiler holds them against the service's schemas. */
import { expectTypeOf, test } from "vitest";
import type { z } from "zod";
import type { Classification as ServiceClassification } from "../../src/classify/classify.ts";
import type { classifyOptions } from "../../src/classify/options.ts";
import type { Classification, ClassifyOptions, ThumbnailOptions } from "../../src/client/index.ts";
import type { thumbnailOptions } from "../../src/request/options.ts";

/** Values as they stand in a URL. */
type Written<T> = { [K in keyof T]: `${Exclude<T[K], undefined> & (string | number)}` };

type Given<T> = { -readonly [K in keyof T]-?: Exclude<T[K], undefined> };

test("a classification is typed as the service makes it", () => {
  expectTypeOf<Classification>().toEqualTypeOf<ServiceClassification>();
});

test("every option of a thumbnail is there, with the values that the service takes", () => {
  type Service = Given<z.input<typeof thumbnailOptions>>;
  type Client = Given<Omit<ThumbnailOptions, "preset">>;
  expectTypeOf<keyof Client>().toEqualTypeOf<keyof Service>();
  expectTypeOf<Written<Client>>().toExtend<Service>();
  expectTypeOf<Pick<Written<Client>, "size" | "format" | "fit">>().toEqualTypeOf<
    Pick<Service, "size" | "format" | "fit">
  >();
});

test("every option of a classification is there, with the values that the service takes", () => {
  type Service = Given<z.input<typeof classifyOptions>>;
  type Client = Given<Omit<ClassifyOptions, "preset">>;
  expectTypeOf<keyof Client>().toEqualTypeOf<keyof Service>();
  expectTypeOf<Written<Client>>().toExtend<Service>();
  expectTypeOf<Pick<Written<Client>, "size" | "fit">>().toEqualTypeOf<Pick<Service, "size" | "fit">>();
});
