/** Stands at the service's binding METRICS and remembers what is written there. */
import { WorkerEntrypoint } from "cloudflare:workers";

const points: AnalyticsEngineDataPoint[] = [];

export class Recorder extends WorkerEntrypoint<{ readonly DATASET: AnalyticsEngineDataset }> {
  writeDataPoint(point: AnalyticsEngineDataPoint): void {
    this.env.DATASET.writeDataPoint(point);
    points.push(point);
  }
}

/** Gives what there is, and forgets it. */
export default { fetch: async () => Response.json(points.splice(0)) } satisfies ExportedHandler;
