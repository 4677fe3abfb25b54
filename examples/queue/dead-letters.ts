/** Keeps the dead letters where someone will see them: in the log, and at this Worker's address, if it has one, until its isolate ends. */
const letters: unknown[] = [];

export default {
  fetch: () => Response.json(letters),
  queue(batch) {
    for (const { body } of batch.messages) {
      console.error({ event: "dead-letter", body });
      letters.push(body);
    }
  },
} satisfies ExportedHandler<object>;
