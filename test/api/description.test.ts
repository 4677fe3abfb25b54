/** What the service says of itself, on the running Worker. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXPLANATIONS } from "../../src/api/explanations.ts";
import { PROBLEMS, type ProblemCode } from "../../src/errors.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";

const OWNER_KEY = "owner-key-owner-key-owner-key-owner-key";
const church = await readFile("examples/photos/church.jpg");

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker({}, { OWNER_KEY });
  await worker.env.ORIGINALS.put("church.jpg", church);
});
afterAll(() => worker?.close());

test("the served description is the one in docs", async () => {
  const served = await (await worker.fetch("/openapi.json")).json();
  expect(served).toEqual(JSON.parse(await readFile("docs/openapi.json", "utf8")));
});

test("the description has every route, with its options and what they take", async () => {
  const { paths } = (await (await worker.fetch("/openapi.json")).json()) as { paths: Record<string, object> };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      "/thumbnail/{options}/{source}",
      "/thumbnail/{options}",
      "/classify/{options}/{source}",
      "/classify/{options}",
      "/batch",
      "/cache/{source}",
    ]),
  );
  expect(paths["/thumbnail/{options}"]).toMatchObject({
    post: { parameters: [{ schema: { properties: { size: { enum: ["56", "112"], default: "56" } } } }] },
  });
});

const OWNER = { authorization: `Bearer ${OWNER_KEY}` };

/** Of every answer to everyone: HTTP's own, CORS's, those of security, and of miniflare. */
const COMMON =
  /^(mf-.*|content-(type|length|encoding|security-policy)|transfer-encoding|date|access-control-.*|x-(?!request-id|cache-tag).*|cross-origin-.*|origin-agent-cluster|referrer-policy|strict-transport-security)$/;

test.each([
  { method: "GET", path: "/thumbnail/size=56/r2:church.jpg", operation: "/thumbnail/{options}/{source}", status: 200 },
  {
    method: "GET",
    path: "/thumbnail/format=auto/r2:church.jpg",
    operation: "/thumbnail/{options}/{source}",
    status: 200,
  },
  { method: "GET", path: "/thumbnail/size=57/r2:church.jpg", operation: "/thumbnail/{options}/{source}", status: 400 },
  {
    method: "POST",
    path: "/thumbnail/size=56",
    operation: "/thumbnail/{options}",
    status: 200,
    init: { body: church },
  },
  { method: "POST", path: "/classify/_", operation: "/classify/{options}", status: 503, init: { body: church } },
  { method: "POST", path: "/batch", operation: "/batch", status: 200, init: { body: '{"items": [{"source": "a"}]}' } },
  {
    method: "DELETE",
    path: "/cache/r2:church.jpg",
    operation: "/cache/{source}",
    status: 200,
    init: { headers: OWNER },
  },
  { method: "DELETE", path: "/cache/r2:church.jpg", operation: "/cache/{source}", status: 401 },
  { method: "GET", path: "/health", operation: "/health", status: 200 },
  { method: "POST", path: "/health", operation: "/health", status: 405 },
])(
  "$method $path has the headers of its $status that are described",
  async ({ method, path, operation, status, init }) => {
    const { paths, components } = (await (await worker.fetch("/openapi.json")).json()) as Description;
    const operations = paths[operation] ?? {};
    const described = (operations[method.toLowerCase()] ?? Object.values(operations)[0])?.responses[status] ?? {};
    const [, , , name = ""] = described.$ref?.split("/") ?? [];
    const { headers = {} } = components.responses[name] ?? described;
    // Twice, so that the answer has an age.
    await (await worker.fetch(path, { method, ...init })).arrayBuffer();
    const response = await worker.fetch(path, { method, ...init });
    await response.arrayBuffer();
    expect(response.status).toBe(status);
    const told = Array.from(response.headers.keys()).filter((header) => !COMMON.test(header));
    expect(Object.keys(headers).map((header) => header.toLowerCase())).toEqual(expect.arrayContaining(told));
    for (const [header, { $ref }] of Object.entries(headers)) {
      expect($ref).toBe(`#/components/headers/${header}`);
      const value = response.headers.get(header);
      const { type, pattern = "" } = components.headers[header]?.schema ?? {};
      if (value !== null) expect(value).toMatch(new RegExp(type === "integer" ? "^\\d+$" : pattern));
    }
  },
);

test.each(["429", "502", "503"])("a refusal with %s says when to ask again", async (status) => {
  const { components } = (await (await worker.fetch("/openapi.json")).json()) as Description;
  expect(Object.keys(components.responses[status]?.headers ?? {})).toContain("Retry-After");
});

interface Response {
  readonly $ref?: string;
  readonly headers?: Record<string, { readonly $ref: string }>;
}
interface Description {
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, Response> }>>;
  readonly components: {
    readonly responses: Record<string, Response>;
    readonly headers: Record<string, { readonly schema: { readonly type: string; readonly pattern?: string } }>;
  };
}

describe.each(Object.keys(PROBLEMS) as ProblemCode[])("%s", (code) => {
  test("has a page at its address, and a place in the list", async () => {
    const response = await worker.fetch(`/problems/${code}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=UTF-8"]);
    const text = unescaped(await response.text());
    expect(text).toContain(`<h1>${PROBLEMS[code].title}</h1>`);
    expect(text).toContain(`Status ${PROBLEMS[code].status}`);
    expect(text).toContain(EXPLANATIONS[code].meaning);
    expect(text).toContain(EXPLANATIONS[code].remedy);
    expect(await (await worker.fetch("/problems")).text()).toContain(`href="/problems/${code}"`);
  });
});

test("the type of a problem is the address of its page", async () => {
  const problem = (await (await worker.fetch("/thumbnail/size=57/r2:a")).json()) as { type: string; title: string };
  expect(unescaped(await (await worker.fetch(problem.type)).text())).toContain(`<h1>${problem.title}</h1>`);
});

test.each(["/problems/no-such", "/problems/toString", "/problems/<script>"])("%s is no page", async (path) => {
  const response = await worker.fetch(path);
  expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
});

test.each(["r2:none.jpg", "r2%3Anone.jpg"])(
  "%s is one source, whether or not a generated client encodes its colon",
  async (source) => {
    const response = await worker.fetch(`/thumbnail/size=56/${source}`);
    expect([response.status, await response.json()]).toMatchObject([404, { type: "/problems/source-not-found" }]);
  },
);

test("descriptions take GET alone", async () => {
  for (const path of ["/problems", "/problems/overloaded", "/openapi.json"]) {
    const response = await worker.fetch(path, { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  }
});

function unescaped(html: string): string {
  return html.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
