import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONVERSATIONS, MODEL } from "../origin/conversations.ts";
import { exchange } from "../origin/http.ts";
import { hasPython } from "./python.ts";
import type { ServerProcess } from "./server-process.ts";
import { startTriton } from "./triton/start.ts";

const MODELS = process.env.ORIGIN_MODELS ?? "models";

describe.skipIf(!hasPython)("Triton answers the table of requests as the table says", () => {
  let triton: ServerProcess;
  beforeAll(async () => {
    triton = await startTriton(MODELS, [MODEL]);
  });
  afterAll(() => triton?.stop());

  const deadly = CONVERSATIONS.filter((conversation) => conversation.triton === "crash");
  const answered = CONVERSATIONS.filter((conversation) => conversation.triton !== "crash");

  test.each(answered.map((conversation) => [conversation.title, conversation] as const))("%s", async (_, asked) => {
    const reply = await exchange(triton.port, asked);
    expect(reply.status, reply.body.toString("latin1").slice(0, 200)).toBe(asked.triton ?? asked.status);
  });

  test.each(deadly.map((conversation) => [conversation.title, conversation] as const))(
    "%s ends it",
    async (_, asked) => {
      await expect(exchange(triton.port, asked)).rejects.toThrow();
    },
  );
});
