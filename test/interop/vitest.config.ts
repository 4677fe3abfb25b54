/** The interoperability tests need Python and some hundred megabytes of PyPI packages, so `npm test` leaves them out. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/interop/**/*.interop.ts"],
    globalSetup: ["test/interop/python.ts", "test/worker/build.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
