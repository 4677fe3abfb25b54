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

test.each([
  { method: "GET", path: "/thumbnail/size=56/r2:church.jpg", operation: "/thumbnail/{options}/{source}" },
  { method: "POST", path: "/thumbnail/size=56", operation: "/thumbnail/{options}", init: { body: church } },
  {
    method: "DELETE",
    path: "/cache/r2:church.jpg",
    operation: "/cache/{source}",
    init: { headers: { authorization: `Bearer ${OWNER_KEY}` } },
  },
])("$method $path has the cache tag that is described, or none", async ({ method, path, operation, init }) => {
  const { paths } = (await (await worker.fetch("/openapi.json")).json()) as { paths: Paths };
  const headers = paths[operation]?.[method.toLowerCase()]?.responses["200"]?.headers ?? {};
  const response = await worker.fetch(path, { method, ...init });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  for (const name of ["Cache-Tag", "X-Cache-Tag"]) {
    const pattern = headers[name]?.schema.pattern;
    if (pattern === undefined) expect(response.headers.get(name)).toBeNull();
    else expect(response.headers.get(name)).toMatch(new RegExp(pattern));
  }
  expect(Object.keys(headers)).toHaveLength(method === "POST" ? 0 : 1);
});

interface Operation {
  readonly responses: Record<string, { headers?: Record<string, { schema: { pattern: string } }> }>;
}
type Paths = Record<string, Record<string, Operation>>;

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
