import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/worker/build.ts"],
    // Without it wrangler asks the network for a sample of `request.cf`, which nothing here reads.
    env: { CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
