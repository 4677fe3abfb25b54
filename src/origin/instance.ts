/** One model instance: a worker thread, started again should it ever end by itself. */
import { Worker } from "node:worker_threads";
import type { Tensor } from "../oip/datatypes.ts";
import { alignedBuffer } from "../oip/datatypes.ts";
import type { WorkerJob, WorkerReply, WorkerSetup } from "./inference-worker.ts";

export interface BatchResult {
  readonly outputs: readonly Tensor[];
  readonly inferMs: number;
}

export interface Instance {
  /** Runs one batch; the inputs' bytes are given away. One at a time. @throws Error if the model fails. */
  run(model: string, inputs: readonly Tensor[]): Promise<BatchResult>;
  /** Ends when it can run the next batch: at once, but for a thread that has ended. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Pause before a thread that died is started again, so that one that dies at once does not spin. */
const RESTART_MS = 1000;

/** @throws Error if the models do not load, which at start is the operator's to mend. */
export async function startInstance(setup: WorkerSetup): Promise<Instance> {
  let worker = await start(setup);
  let closed = false;
  let restarted: Promise<void> | undefined;

  /** Ends when the thread is back, or need not come back; a model that no longer loads is tried again and again. */
  async function restart(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      if (closed) return;
      try {
        worker = await start(setup);
        return;
      } catch (error) {
        console.error("The inference thread does not start again:", error);
      }
    }
  }

  return {
    async run(model, inputs) {
      try {
        const reply = await ask(worker, { model, inputs });
        if ("outputs" in reply) return reply;
        throw new Error("error" in reply ? reply.error : "The inference thread gave no outputs.");
      } catch (error) {
        if (worker.threadId === -1 && !closed) restarted = restart();
        throw error;
      }
    },
    async ready() {
      await restarted;
    },
    async close() {
      closed = true;
      await restarted; // a thread that came afterwards would keep the process alive
      await worker.terminate();
    },
  };
}

async function start(setup: WorkerSetup): Promise<Worker> {
  const worker = new Worker(new URL("./inference-worker.ts", import.meta.url), { workerData: setup });
  await nextReply(worker);
  return worker;
}

function ask(worker: Worker, job: WorkerJob): Promise<WorkerReply> {
  const reply = nextReply(worker);
  const inputs = job.inputs.map((input) => ({ ...input, bytes: new Uint8Array(alignedBuffer(input.bytes)) }));
  worker.postMessage(
    { ...job, inputs },
    inputs.map(({ bytes }) => bytes.buffer),
  );
  return reply;
}

function nextReply(worker: Worker): Promise<WorkerReply> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      act();
    };
    const onMessage = (reply: WorkerReply) => settle(() => resolve(reply));
    // "error" comes before the thread has ended, and only one that has is started again.
    const onError = (error: unknown) => settle(() => void worker.terminate().then(() => reject(error)));
    const onExit = (code: number) => settle(() => reject(new Error(`The inference thread ended with code ${code}.`)));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
  });
}
