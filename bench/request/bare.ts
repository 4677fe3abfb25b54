/** What no service over R2 can undercut: reads one object and answers with it. A body that is sent is read and dropped. */
export default {
  async fetch(request, env) {
    if (request.method === "POST") return new Response(String((await request.arrayBuffer()).byteLength));
    const [, bucket, ...key] = new URL(request.url).pathname.split("/");
    const object = await (bucket === "original" ? env.ORIGINALS : env.THUMBNAILS).get(
      decodeURIComponent(key.join("/")),
    );
    if (!object) return new Response(null, { status: 404 });
    const headers = new Headers({ etag: object.httpEtag, "content-length": String(object.size) });
    object.writeHttpMetadata(headers);
    return new Response(object.body, { headers });
  },
} satisfies ExportedHandler<Env>;
