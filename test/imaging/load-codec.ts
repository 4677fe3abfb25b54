export { loadCodec } from "../../src/runtime/node.ts";
