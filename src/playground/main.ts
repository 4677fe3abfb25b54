/** The playground: one photo, everything the service makes of it. */
import { ProblemError, type Thumbnail } from "../client/index.ts";
import { bicubicThumbnails } from "./bicubic.ts";
import { snippets } from "./code.ts";
import { listen } from "./controls.ts";
import { addressOf, type Photo, pixelsOf } from "./photo.ts";
import { type Format, SIZES, service, thumbnailUrl, timed, timedHere } from "./service.ts";
import {
  bicubicFigure,
  byId,
  codeBlocks,
  element,
  learnedFigure,
  originalFigure,
  predictionsColumn,
  type Timing,
  timingRows,
  zoom,
} from "./show.ts";

/** `thumbnet-edge/browser`, which lies beside the page and is loaded only by those who want it. */
type Local = typeof import("../browser/index.ts");

const statusLine = byId("status", HTMLElement);
const problemLine = byId("problem", HTMLElement);
const figures = byId("figures", HTMLElement);
const formatSelect = byId("format", HTMLSelectElement);
const zoomSelect = byId("zoom", HTMLSelectElement);
const localSwitch = byId("local", HTMLInputElement);

let shown: Photo | undefined;
/** Ends what is under way for the photo of before. */
let latest = new AbortController();

/** @param given the photo, which may still be on its way. */
async function show(given: Photo | Promise<Photo>): Promise<void> {
  latest.abort();
  latest = new AbortController();
  const { signal } = latest;
  const timings: Timing[] = [];
  problemLine.textContent = "";
  statusLine.textContent = "Working…";
  try {
    const photo = await given;
    signal.throwIfAborted();
    shown = photo;
    const local = localSwitch.checked ? await loadLocal() : undefined;
    const original = await pixelsOf(photo, local !== undefined, signal);
    signal.throwIfAborted();
    if (local && !original)
      throw new TypeError("The bytes of this photo are not to be had here; downscale it at the service");
    const parts = await Promise.all([
      thumbnailsOf(photo, original, timings, local, signal),
      predictionsOf(local ? (original ?? photo) : photo, timings, local, signal),
      codeOf(photo),
    ]);
    signal.throwIfAborted();
    // Together, so that there is never something of two photos on the page.
    for (const showPart of parts) showPart();
    byId("timings", HTMLTableElement).replaceChildren(...timingRows(timings));
    byId("results", HTMLElement).hidden = false;
    statusLine.textContent = "Done.";
  } catch (error) {
    if (signal.aborted) return;
    statusLine.textContent = "";
    problemLine.textContent = explain(error);
  }
}

/** Puts a part of the results onto the page. */
type ShowPart = () => void;

async function thumbnailsOf(
  photo: Photo,
  original: Blob | undefined,
  timings: Timing[],
  local: Local | undefined,
  signal: AbortSignal,
): Promise<ShowPart> {
  const format = chosenFormat();
  const made: Pick<Thumbnail, "bytes" | "contentType">[] = [];
  // One after the other, so that each timing is its own.
  for (const size of SIZES) {
    signal.throwIfAborted();
    const what = `thumbnail of ${size} pixels`;
    made.push(
      local && original
        ? await timedHere(what, timings, () => local.thumbnail(original, { size, format }))
        : await timed(what, timings).thumbnail(photo, { size, format }, { signal }),
    );
  }
  const plain = original === undefined ? [] : await bicubicThumbnails(original, SIZES).catch(() => []);
  return () => {
    const compared = SIZES.flatMap((size, i) => {
      const image = plain[i];
      const learned = made[i];
      return [
        ...(image ? [bicubicFigure(image)] : []),
        ...(learned ? [learnedFigure(learned, size, original?.size)] : []),
      ];
    });
    const url = original === undefined ? addressOf(photo) : URL.createObjectURL(original);
    for (const { src } of figures.querySelectorAll("img")) URL.revokeObjectURL(src);
    figures.replaceChildren(...(url === undefined ? [] : [originalFigure(url, original?.size)]), ...compared);
    zoom(figures, Number(zoomSelect.value));
  };
}

/** What is downscaled here is sent losslessly, so that the answer is the service's own. The cascade would want the photo. */
async function predictionsOf(
  photo: Photo,
  timings: Timing[],
  local: Local | undefined,
  signal: AbortSignal,
): Promise<ShowPart> {
  const columns: HTMLElement[] = [];
  try {
    for (const size of SIZES) {
      const asked = timed(`classification of ${size} pixels`, timings);
      const answer =
        local && typeof photo !== "string"
          ? await local.classify(photo, asked, { size, format: "png" }, { signal })
          : await asked.classify(photo, { size }, { signal });
      columns.push(predictionsColumn(`${size} pixels`, answer));
    }
    if (!local) {
      const cascade = await timed("cascade", timings).classify(photo, { size: SIZES[0], adaptive: "auto" }, { signal });
      columns.push(predictionsColumn("Cascade", cascade));
    }
    return () => showPredictions(columns, "");
  } catch (error) {
    if (!(error instanceof ProblemError && error.code.startsWith("origin-"))) throw error;
    const missing =
      "No inference origin is configured, so there are no predictions. Start one with “npx node src/origin/main.ts” and name it in ORIGINS.";
    return () => showPredictions([], error.code === "origin-missing" ? missing : error.message);
  }
}

function showPredictions(columns: readonly HTMLElement[], why: string): void {
  const notice = byId("no-origin", HTMLElement);
  notice.textContent = why;
  notice.hidden = why === "";
  byId("predictions", HTMLElement).replaceChildren(...columns);
}

async function codeOf(photo: Photo): Promise<ShowPart> {
  const [size] = SIZES;
  const format = chosenFormat();
  const upload = typeof photo !== "string";
  const [url, npyUrl] = [await thumbnailUrl(photo, size, format), await thumbnailUrl(photo, size, "npy")];
  const request = { service, source: upload ? undefined : photo, size, format, url, npyUrl };
  return () => {
    const link = element("a", { href: url }, "The thumbnail at its own address");
    byId("code", HTMLElement).replaceChildren(...(upload ? [] : [link]), ...codeBlocks(snippets(request)));
  };
}

function loadLocal(): Promise<Local> {
  return import(new URL("browser/index.js", location.href).href);
}

function chosenFormat(): Format {
  return formatSelect.value as Format;
}

function explain(error: unknown): string {
  // By its name: the downscaler is a script of its own, with a class of its own.
  if (error instanceof Error && error.name === "ProblemError") return error.message;
  // Browsers end their sentences without a full stop, the client ends its own with one.
  return error instanceof TypeError
    ? error.message.replace(/\.?$/, ".")
    : `Something went wrong in this page: ${String(error)}`;
}

listen(
  (photo) => void show(photo),
  () => shown && void show(shown),
);
zoomSelect.addEventListener("change", () => zoom(figures, Number(zoomSelect.value)));
