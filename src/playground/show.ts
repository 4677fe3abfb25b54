/** Results as elements of the page. */
import type { Classification, Thumbnail } from "../client/index.ts";
import type { RgbImage } from "../imaging/image.ts";
import { toImageData } from "./bicubic.ts";
import type { Snippet } from "./code.ts";

type Attributes = Readonly<Record<string, string>>;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** @throws Error if the page has no such element. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} called ${id}.`);
}

export function originalFigure(url: string, bytes: number | undefined): HTMLElement {
  const image = element("img", { src: url, alt: "The photo" });
  const size = element("span", {}, bytes === undefined ? "" : kilobytes(bytes));
  image.addEventListener("load", () => {
    size.prepend(`${image.naturalWidth} × ${image.naturalHeight} pixels${bytes === undefined ? "" : ", "}`);
  });
  return element("figure", { class: "original" }, image, caption("Original", size));
}

export function bicubicFigure(image: RgbImage): HTMLElement {
  const { width, height } = image;
  const label = `The photo as a bicubic thumbnail of ${width} pixels`;
  const canvas = element("canvas", { width: `${width}`, height: `${height}`, role: "img", "aria-label": label });
  canvas.getContext("2d")?.putImageData(toImageData(image), 0, 0);
  return element(
    "figure",
    { class: "thumbnail", "data-size": `${width}` },
    canvas,
    caption(`Bicubic ${width}`, "for comparison"),
  );
}

/** @param original bytes of the photo, if they are known. */
export function learnedFigure(
  { bytes, contentType }: Pick<Thumbnail, "bytes" | "contentType">,
  size: number,
  original: number | undefined,
): HTMLElement {
  const url = URL.createObjectURL(new Blob([bytes], { type: contentType }));
  const alt = `The photo as a learned thumbnail of ${size} pixels`;
  const image = element("img", { src: url, alt, width: `${size}`, height: `${size}`, id: `learned-${size}` });
  const saved = original === undefined ? "" : ` (${((1 - bytes.length / original) * 100).toFixed(1)} % saved)`;
  return element(
    "figure",
    { class: "thumbnail", "data-size": `${size}` },
    image,
    caption(`Learned ${size}`, kilobytes(bytes.length), element("span", { class: "saved" }, saved)),
  );
}

/** Whole screen pixels for each of the thumbnail's. @param side in pixels, or 1 for the thumbnail's own. */
export function zoom(figures: HTMLElement, side: number): void {
  for (const figure of figures.querySelectorAll<HTMLElement>(".thumbnail")) {
    const size = Number(figure.dataset.size);
    const picture = figure.querySelector<HTMLElement>("img, canvas");
    if (picture) picture.style.width = picture.style.height = `${side === 1 ? size : side}px`;
  }
}

export function predictionsColumn(title: string, { predictions, stages, model }: Classification): HTMLElement {
  const rows = predictions.map(({ label, probability }) => {
    const percent = `${(probability * 100).toFixed(1)} %`;
    const meter = element("meter", {
      min: "0",
      max: "1",
      value: `${probability}`,
      "aria-label": `${label}: ${percent}`,
    });
    return element("li", {}, element("span", {}, label), element("span", {}, percent), meter);
  });
  const asked =
    stages && stages.length > 1 ? `asked ${stages.length} models, ${model.name} decided` : `by ${model.name}`;
  return element(
    "div",
    {},
    element("h3", {}, title),
    element("span", { class: "hint" }, asked),
    element("ol", {}, ...rows),
  );
}

export interface Timing {
  readonly request: string;
  /** Between sending the request and having the answer. */
  readonly milliseconds: number;
  /** The header of that name. */
  readonly serverTiming: string | null;
}

export function timingRows(timings: readonly Timing[]): HTMLElement[] {
  const head = element(
    "tr",
    {},
    ...["Request", "Round trip", "Steps at the service"].map((text) => element("th", { scope: "col" }, text)),
  );
  const rows = timings.map(({ request, milliseconds, serverTiming }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, request),
      element("td", { class: "number" }, `${milliseconds.toFixed(0)} ms`),
      element("td", {}, serverTiming === null ? "not told" : steps(serverTiming)),
    ),
  );
  return [element("thead", {}, head), element("tbody", {}, ...rows)];
}

export function codeBlocks(snippets: readonly Snippet[]): HTMLElement[] {
  return snippets.map(({ name, code }, i) => {
    const button = element("button", { type: "button" }, `Copy ${name}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code);
      button.textContent = "Copied";
      setTimeout(() => button.replaceChildren(`Copy ${name}`), 1500);
    });
    const block = element("pre", {}, element("code", {}, code));
    return element("details", i === 0 ? { open: "" } : {}, element("summary", {}, name), block, button);
  });
}

function caption(title: string, ...rest: (Node | string)[]): HTMLElement {
  return element("figcaption", {}, element("strong", {}, title), ...rest);
}

/** `cache;desc=r2, decode;dur=3.2` as "cache r2, decode 3.2 ms". */
function steps(serverTiming: string): string {
  return serverTiming
    .split(",")
    .map((step) => {
      const [name = "", ...parameters] = step.trim().split(";");
      const { dur, desc } = Object.fromEntries(parameters.map((parameter) => parameter.trim().split("=")));
      return [name, desc, dur && `${Number(dur).toFixed(1)} ms`].filter(Boolean).join(" ");
    })
    .join(", ");
}

function kilobytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KB`;
}
