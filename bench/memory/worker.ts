/** The Worker as it is, with one more address that tells what its WebAssembly memories take. */
// First, so that it sees every memory made.
import "./ledger.ts";

import worker from "../../src/worker.ts";
import { wasmBytes } from "./ledger.ts";

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/wasm-bytes") return Response.json(wasmBytes());
    return worker.fetch(request, env, context);
  },
} satisfies ExportedHandler<Env>;
