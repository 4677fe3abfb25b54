/** A Worker that sorts uploads by what is in them, and asks the thumbnail service over a service binding. */
import type { ThumbNet } from "../../../src/index.ts";

interface Bindings {
  readonly THUMBNET: Service<ThumbNet>;
}

export default {
  async fetch(request, { THUMBNET }) {
    const photo = new Uint8Array(await request.arrayBuffer());
    try {
      const [{ predictions }, thumbnail] = await Promise.all([
        THUMBNET.classify(photo, { size: 56, top: 1 }),
        THUMBNET.thumbnail(photo, { size: 112, format: "webp" }),
      ]);
      return Response.json({ label: predictions[0]?.label, thumbnailBytes: thumbnail.bytes.length });
    } catch (error) {
      // A ProblemError, on this side of the binding: the type of the problem is its `code`.
      const { code = "unknown", status = 500, message } = error as { code?: string; status?: number; message: string };
      return Response.json({ code, message }, { status });
    }
  },
} satisfies ExportedHandler<Bindings>;
