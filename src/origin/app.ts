/** Every route of the embedded origin: the Open Inference Protocol v2 over HTTP, as Triton serves it. */
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { HTTPException } from "hono/http-exception";
import { ProtocolError } from "../oip/error.ts";
import { HEADER_LENGTH } from "../oip/framing.ts";
import { encodeInferResponse, parseInferRequest } from "../oip/infer.ts";
import type { ModelMetadata, ServerMetadata } from "../oip/messages.ts";
import { pack, unpack } from "./content-coding.ts";
import { METRICS_TYPE, renderMetrics } from "./metrics.ts";
import { readBody, withBudget } from "./request-body.ts";
import { checkRequest } from "./request-check.ts";
import { observe, rawRequest, type ServedModel, serve } from "./served-model.ts";
import type { Settings } from "./settings.ts";

const SERVER: ServerMetadata = {
  name: "thumbnet-origin",
  version: "0.1.0",
  extensions: ["classification", "binary_tensor_data", "parameters", "statistics"],
};

type OriginEnv = { Bindings: HttpBindings };
type OriginContext = Context<OriginEnv>;

/** @param isReady false from the moment the server is told to end. */
export function createOriginApp(
  models: readonly ServedModel[],
  settings: Settings,
  isReady: () => boolean,
): Hono<OriginEnv> {
  const app = new Hono<OriginEnv>({ strict: false });
  const budget = { max: settings.maxPendingBytes, used: 0 };
  const byName = new Map(models.map((model) => [model.name, model]));

  const modelOf = (c: OriginContext): ServedModel | undefined => {
    const { model: name = "", version } = c.req.param();
    const model = byName.get(name);
    return version === undefined || version === model?.version ? model : undefined;
  };
  const expectModel = (c: OriginContext): ServedModel => {
    const model = modelOf(c);
    if (model) return model;
    const { model: name, version } = c.req.param();
    const which = version === undefined ? "" : ` version ${version}`;
    throw new ProtocolError(404, `Request for unknown model: '${name}'${which} is not found`);
  };
  const ready = (c: OriginContext, yes: boolean) => (yes ? c.text("") : c.json({ error: "not ready" }, 400));

  async function infer(c: OriginContext): Promise<Response> {
    const model = expectModel(c);
    return observe(model, () =>
      withBudget(budget, async (hold) => {
        const sent = await readBody(c.env.incoming, settings.maxRequestBytes, hold);
        const body = await unpack(sent, c.req.header("content-encoding"), settings.maxRequestBytes, hold);
        const headerLength = c.req.header(HEADER_LENGTH);
        const request =
          headerLength === "0"
            ? rawRequest(model.config, body)
            : parseInferRequest(body, headerLength, (asked) => checkRequest(asked, model.config));
        const { response, binary } = await serve(
          model,
          request,
          settings.requestTimeoutMs,
          () => c.env.outgoing.destroyed,
        );
        const answer = encodeInferResponse(response, binary);
        const packed = await pack(answer.body, c.req.header("accept-encoding"));
        return c.body(new Uint8Array(packed.body), 200, { ...answer.headers, ...packed.headers });
      }),
    );
  }

  app.get("/v2/health/live", (c) => ready(c, true));
  app.get("/v2/health/ready", (c) => ready(c, isReady()));
  if (settings.token !== undefined) app.use(bearerAuth({ token: settings.token }));
  app.get("/metrics", (c) => {
    const text = renderMetrics(
      models.map(({ statistics }) => statistics),
      (name) => byName.get(name)?.scheduler.pending(name) ?? 0,
    );
    return c.text(text, 200, { "Content-Type": METRICS_TYPE });
  });
  app.get("/v2", (c) => c.json(SERVER));
  app.get("/v2/models/stats", (c) => c.json({ model_stats: models.map(({ statistics }) => statistics) }));
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version{[0-9]+}"]) {
    app.get(path, (c) => c.json(describe(expectModel(c))));
    app.get(`${path}/ready`, (c) => ready(c, isReady() && modelOf(c) !== undefined));
    app.get(`${path}/stats`, (c) => c.json({ model_stats: [expectModel(c).statistics] }));
    app.post(`${path}/infer`, infer);
    app.all(`${path}/infer`, (c) => c.json({ error: "Method Not Allowed" }, 405, { Allow: "POST" }));
    for (const page of [path, `${path}/ready`, `${path}/stats`]) app.all(page, onlyGet);
  }
  for (const page of ["/v2", "/v2/health/live", "/v2/health/ready", "/metrics"]) app.all(page, onlyGet);

  app.notFound((c) => c.json({ error: "Not Found" }, 404));
  app.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse();
    const known = error instanceof ProtocolError ? error : new ProtocolError(500, "internal error", error);
    if (known.status >= 500 && known.status !== 503) console.error(known.message, known.cause);
    return new Response(JSON.stringify({ error: known.message }), {
      status: known.status,
      headers: {
        "Content-Type": "application/json",
        ...(known.status === 415 && { "Accept-Encoding": "gzip, deflate" }),
      },
    });
  });
  return app;
}

/** Comes after a page's own handler, so whatever reaches it has another method. */
const onlyGet = (c: OriginContext) => c.json({ error: "Method Not Allowed" }, 405, { Allow: "GET, HEAD" });

function describe({ name, version, config }: ServedModel): ModelMetadata {
  const batched = ({ name, datatype, dims }: (typeof config.inputs)[number]) => ({
    name,
    datatype,
    shape: [-1, ...dims],
  });
  return {
    name,
    versions: [version],
    platform: "onnxruntime_onnx",
    inputs: config.inputs.map(batched),
    outputs: config.outputs.map(batched),
  };
}
