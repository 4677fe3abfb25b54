/** The service's description (OpenAPI 3.1), made of the schemas and tables that the service itself reads. */
import { z } from "zod";
import manifest from "../../package.json" with { type: "json" };
import { batchRequest } from "../classify/batch.ts";
import { classifyOptions } from "../classify/options.ts";
import { PROBLEMS } from "../errors.ts";
import { encoders } from "../imaging/encode.ts";
import { backfillPage, backfillQuery } from "../queue/page.ts";
import { thumbnailOptions } from "../request/options.ts";
import { HEADERS, type HeaderName, headersOf, headersOfRefusal } from "./headers.ts";
import { batchLine, classification, health, models, problem, purged } from "./schemas.ts";

type Json = { readonly [name: string]: unknown };

const RESPONSES = "#/components/responses";
const BYTES = { schema: { type: "string", contentMediaType: "application/octet-stream" } };
const UPLOAD = { required: true, description: "The file's bytes.", content: { "application/octet-stream": {} } };
const OWNER = [{ owner: [] }];

const SOURCE = {
  name: "source",
  in: "path",
  required: true,
  description:
    "The original: an absolute http(s) URL as it stands or percent-encoded, `b64:` and such a URL in base64url, or `r2:` and a key of the owner's bucket.",
  schema: { type: "string", minLength: 1 },
  example: "r2:examples/church.jpg",
};

const IF_NONE_MATCH = {
  name: "if-none-match",
  in: "header",
  description: "ETags of copies at hand; if one is still good, the answer is 304.",
  schema: { type: "string" },
};

/** What can be asked for again has a source, which can be purged and ages; an upload has none. */
const OF_SOURCE = ["Age", "Cache-Tag"] as const;

/** @param mount the path that the service is mounted at; "" for a Worker of its own. */
export function openApi(mount = ""): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "ThumbNet Edge",
      version: manifest.version,
      summary: "Learned classification thumbnails, and what is in them.",
      description:
        "A closed deployment wants signed URLs: build the path first, then put `,exp=<seconds since 1970>` (if it shall end) and `,sig=<key id>.<signature>` at the end of the options. SECURITY.md says what is signed.",
      license: { name: manifest.license, identifier: manifest.license },
    },
    servers: [{ url: mount || "/" }],
    paths: {
      "/thumbnail/{options}/{source}": {
        get: { ...thumbnail("getThumbnail", thumbnailOptions, SOURCE, IF_NONE_MATCH) },
      },
      "/thumbnail/{options}": { post: { ...thumbnail("postThumbnail", thumbnailOptions), requestBody: UPLOAD } },
      "/classify/{options}/{source}": {
        get: { ...classify("getClassification", classifyOptions, SOURCE, IF_NONE_MATCH) },
      },
      "/classify/{options}": { post: { ...classify("postClassification", classifyOptions), requestBody: UPLOAD } },
      "/batch": {
        post: operation("postBatch", "Classifications of many photos, a line of JSON for each as it is ready.", {
          requestBody: { required: true, content: { "application/json": { schema: schemaOf(batchRequest, "input") } } },
          headers: ["Cache-Control", "Server-Timing"],
          answer: { "application/x-ndjson": { schema: { type: "string", description: "Lines as `BatchLine`." } } },
        }),
      },
      "/cache/{source}": {
        delete: operation("purge", "Removes what is kept of the sources that start with this one.", {
          parameters: [SOURCE],
          security: OWNER,
          headers: ["X-Cache-Tag"],
          answer: json(purged),
        }),
      },
      "/backfill": {
        post: operation("backfill", "Puts a page of the bucket of originals on the queue.", {
          parameters: queryOf(backfillQuery),
          security: OWNER,
          answer: json(backfillPage),
        }),
      },
      "/models": { get: operation("getModels", "The cards of the downscalers.", { answer: json(models) }) },
      "/health": { get: operation("getHealth", "Whether the service runs.", { answer: json(health) }) },
      "/problems": { get: operation("getProblems", "Every type of problem.", { answer: { "text/html": {} } }) },
      "/problems/{type}": {
        get: operation("getProblem", "What a type of problem means and what to do.", {
          parameters: [{ name: "type", in: "path", required: true, schema: { enum: Object.keys(PROBLEMS) } }],
          answer: { "text/html": {} },
        }),
      },
      "/openapi.json": { get: operation("getOpenApi", "This document.", { answer: { "application/json": {} } }) },
    },
    components: {
      schemas: {
        Problem: schemaOf(problem, "output"),
        Classification: schemaOf(classification, "output"),
        BatchLine: schemaOf(batchLine, "output"),
      },
      headers: HEADERS,
      responses: Object.fromEntries(
        problemsByStatus().map(([status, rows]) => [status, refusal(Number(status), rows)]),
      ),
      securitySchemes: { owner: { type: "http", scheme: "bearer", description: "OWNER_KEY of the deployment." } },
    },
  };
}

function thumbnail(operationId: string, options: z.ZodType, ...parameters: readonly Json[]): Json {
  return operation(operationId, "A photo's learned thumbnail.", {
    parameters: [optionsOf(options), ...parameters],
    headers: ["Cache-Control", "ETag", "Cache-Status", "Vary", "Content-Disposition", "Server-Timing"],
    answer: Object.fromEntries(Object.values(encoders).map(({ contentType }) => [contentType, BYTES])),
    isConditional: parameters.includes(IF_NONE_MATCH),
  });
}

function classify(operationId: string, options: z.ZodType, ...parameters: readonly Json[]): Json {
  return operation(operationId, "What is in a photo.", {
    parameters: [optionsOf(options), ...parameters],
    headers: ["Cache-Control", "ETag", "Server-Timing"],
    answer: { "application/json": { schema: { $ref: "#/components/schemas/Classification" } } },
    isConditional: parameters.includes(IF_NONE_MATCH),
  });
}

interface Parts {
  readonly answer: Json;
  readonly headers?: readonly HeaderName[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly security?: readonly Json[];
  readonly isConditional?: boolean;
}

function operation(
  operationId: string,
  summary: string,
  { answer, headers: names = [], isConditional, ...parts }: Parts,
): Json {
  const headers = headersOf(...names, ...(isConditional ? OF_SOURCE : []));
  const refusals = problemsByStatus().map(([status]) => [status, { $ref: `${RESPONSES}/${status}` }]);
  return {
    operationId,
    summary,
    ...parts,
    responses: {
      "200": { description: "Done.", headers, content: answer },
      ...(isConditional && { "304": { description: "A copy at hand is still good.", headers } }),
      ...Object.fromEntries(refusals),
    },
  };
}

/** The segment `name=value,...` is OpenAPI's style `simple` of an exploded object. */
function optionsOf(schema: z.ZodType): Json {
  return {
    name: "options",
    in: "path",
    required: true,
    description: "`_` stands for none. Names of the deployment's presets may stand among them.",
    style: "simple",
    explode: true,
    schema: { ...schemaOf(schema, "input"), minProperties: 1 },
    example: { size: "56" },
  };
}

function queryOf(schema: z.ZodType): Json[] {
  const properties: Json = schemaOf(schema, "input").properties ?? {};
  return Object.entries(properties).map(([name, property]) => ({ name, in: "query", schema: property }));
}

const json = (schema: z.ZodType): Json => ({ "application/json": { schema: schemaOf(schema, "output") } });

function schemaOf(schema: z.ZodType, io: "input" | "output"): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any", override: plainTuple });
  return rest;
}

/** Tuples here are pairs of one kind; readers of descriptions, Schemathesis 4.32 for one, trip over `prefixItems`. */
function plainTuple({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const [first] = jsonSchema.prefixItems ?? [];
  if (first === undefined) return;
  jsonSchema.items = first;
  delete jsonSchema.prefixItems;
}

type Row = (typeof PROBLEMS)[keyof typeof PROBLEMS];

function problemsByStatus(): [string, Row[]][] {
  return Array.from(Map.groupBy(Object.values(PROBLEMS), ({ status }) => String(status)));
}

function refusal(status: number, rows: readonly Row[]): Json {
  return {
    description: `${rows.map(({ title }) => title).join("; ")}.`,
    headers: headersOfRefusal(status),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}
