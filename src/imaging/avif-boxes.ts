import { Problem } from "../errors.ts";
import type { Header, Orientation } from "./image.ts";

/** Orientation by `irot` (quarter turns anticlockwise), then `imir` (none, top-bottom, left-right). */
const ORIENTATIONS: readonly (readonly [Orientation, Orientation, Orientation])[] = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
];

// A picture, its alpha and the tiles of each.
const MAX_APERTURES = 1000;

export interface AvifHeader extends Header {
  /** Bytes a sample takes in the decoder. */
  readonly sampleBytes: 1 | 2;
  /** Where the file gives items clean apertures (`clap`): the bytes of that property's index. */
  readonly apertures: readonly number[];
}

interface Box {
  readonly type: string;
  /** Body, after the version and flags of a full box (those are `version` and `flags`). */
  readonly view: DataView;
}

/**
 * Size, turn and depth of an AVIF file's primary item from its boxes (ISO/IEC 14496-12 and 23008-12: `meta`, `pitm`,
 * `iprp`), without touching its AV1 data. Properties of other items do not count.
 */
export function readAvifBoxes(bytes: Uint8Array): AvifHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const meta = find(boxes(view, 0), "meta");
  const children = [...boxes(meta, 4)];
  const pitm = find(children, "pitm");
  const primary = pitm.getUint8(0) === 0 ? pitm.getUint16(4) : pitm.getUint32(4);
  const iprp = [...boxes(find(children, "iprp"), 0)];
  const properties = [...boxes(find(iprp, "ipco"), 0)];
  let width = 0;
  let height = 0;
  let quarters = 0;
  let mirror = 0;
  let sampleBytes: 1 | 2 = 1;
  const apertures: number[] = [];
  for (const { item, index, at } of associations(find(iprp, "ipma"), view)) {
    const property = properties[index - 1];
    if (property?.type === "clap") apertures.push(...at);
    if (apertures.length > MAX_APERTURES) damaged("it has too many clean apertures");
    if (item !== primary) continue;
    if (property?.type === "ispe") {
      width = property.view.getUint32(4);
      height = property.view.getUint32(8);
    } else if (property?.type === "irot") quarters = property.view.getUint8(0) & 3;
    else if (property?.type === "imir") mirror = 1 + (property.view.getUint8(0) & 1);
    else if (property?.type === "pixi" && property.view.getUint8(5) > 8) sampleBytes = 2;
    // high_bitdepth of AV1CodecConfigurationBox.
    else if (property?.type === "av1C" && (property.view.getUint8(2) & 0x40) !== 0) sampleBytes = 2;
  }
  if (width === 0 || height === 0) damaged("its primary item has no size");
  return { width, height, orientation: ORIENTATIONS[quarters]?.[mirror as 0 | 1 | 2] ?? 1, sampleBytes, apertures };
}

/** Each item's property indices (from 1), and `at` which bytes of the file they are. */
function* associations(ipma: DataView, file: DataView): Generator<{ item: number; index: number; at: number[] }> {
  const version = ipma.getUint8(0);
  const wide = (ipma.getUint8(3) & 1) === 1;
  const entries = ipma.getUint32(4);
  let offset = 8;
  for (let i = 0; i < entries; i++) {
    const item = version === 0 ? ipma.getUint16(offset) : ipma.getUint32(offset);
    offset += version === 0 ? 2 : 4;
    const count = ipma.getUint8(offset++);
    for (let j = 0; j < count; j++) {
      const index = wide ? ipma.getUint16(offset) & 0x7fff : ipma.getUint8(offset) & 0x7f;
      const start = ipma.byteOffset - file.byteOffset + offset;
      offset += wide ? 2 : 1;
      yield { item, index, at: wide ? [start, start + 1] : [start] };
    }
  }
}

// A file of empty boxes would cost a view (some 100 bytes) for every 8 bytes; real ones have a dozen at a level.
const MAX_BOXES = 10_000;

/** A file's or a box's boxes, one after the other. @throws Problem `undecodable-image` if one is cut short. */
export function* boxes(view: DataView, start: number): Generator<Box> {
  let offset = start;
  for (let count = 0; offset + 8 <= view.byteLength; count++) {
    if (count === MAX_BOXES) damaged(`it has more than ${MAX_BOXES} boxes in a row`);
    const type = String.fromCharCode(...[4, 5, 6, 7].map((at) => view.getUint8(offset + at)));
    let size = view.getUint32(offset);
    let head = 8;
    if (size === 1) {
      size = Number(view.getBigUint64(offset + 8));
      head = 16;
    } else if (size === 0) size = view.byteLength - offset;
    if (size < head || offset + size > view.byteLength)
      damaged(`its ${/^\w{4}$/.test(type) ? type : "next"} box is cut short`);
    yield { type, view: new DataView(view.buffer, view.byteOffset + offset + head, size - head) };
    offset += size;
  }
}

function find(among: Iterable<Box>, type: string): DataView {
  for (const box of among) if (box.type === type) return box.view;
  return damaged(`it has no ${type} box`);
}

function damaged(why: string): never {
  throw new Problem("undecodable-image", `The AVIF image is damaged: ${why}.`);
}
