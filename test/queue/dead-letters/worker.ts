/** Reads the dead letters and shows them, as an owner's own Worker could. */
const letters: unknown[] = [];

export default {
  fetch: () => Response.json(letters),
  queue(batch) {
    letters.push(...batch.messages.map(({ body }) => body));
  },
} satisfies ExportedHandler<object>;
