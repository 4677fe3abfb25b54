/** The service with its downscalers in ONNX Runtime, which reads any model. */
import { loadInWorkerd } from "./downscaler/ort-workerd.ts";
import { serviceWith } from "./service.ts";

export type { MountOptions } from "./service.ts";
export const { thumbnet, queueConsumer } = serviceWith(loadInWorkerd);
