/**
 * What no service over R2 can undercut: reads one object and answers with it; below /tiers/, it looks in the edge tier first, where
 * nothing is. A body that is sent is read and dropped.
 */
export default {
  async fetch(request, env) {
    if (request.method === "POST") return new Response(String((await request.arrayBuffer()).byteLength));
    const [, bucket, ...key] = new URL(request.url).pathname.split("/");
    if (bucket === "tiers" && (await caches.default.match(request.url))) throw new Error("Nothing was put there.");
    const object = await (bucket === "original" ? env.ORIGINALS : env.THUMBNAILS).get(
      decodeURIComponent(key.join("/")),
    );
    if (!object) return new Response(null, { status: 404 });
    const headers = new Headers({ etag: object.httpEtag, "content-length": String(object.size) });
    object.writeHttpMetadata(headers);
    return new Response(object.body, { headers });
  },
} satisfies ExportedHandler<Env>;
