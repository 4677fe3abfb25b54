/** NDJSON, one value a line, as the bytes come. */

/**
 * @returns the parsed lines. Leaving the loop early cancels the stream.
 * @throws SyntaxError if a line is not JSON, which is what a broken connection leaves.
 */
export async function* parseLines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line.trim()) yield JSON.parse(line);
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}
