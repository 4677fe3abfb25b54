import { type BitReader, damagedJpeg, restartIntervals } from "./jpeg-bits.ts";
import { blockDecoder } from "./jpeg-blocks.ts";
import type { CoefficientPlane, Kept } from "./jpeg-coefficients.ts";
import type { CodeTable, SkipTable } from "./jpeg-huffman.ts";

export interface ScanComponent {
  readonly plane: CoefficientPlane;
  readonly h: number;
  readonly v: number;
  readonly dc: CodeTable | undefined;
  readonly ac: CodeTable | undefined;
  /** Of sequential scans. */
  readonly skip: SkipTable | undefined;
  prediction: number;
}

export interface Scan {
  readonly components: readonly ScanComponent[];
  readonly mcus: { readonly x: number; readonly y: number };
  readonly kept: Kept;
  readonly progressive: boolean;
  /** The band of coefficients, in zigzag order. */
  readonly first: number;
  readonly last: number;
  /** Bit position that the scan reaches; does it refine what came before by that bit, or bring the first bits. */
  readonly low: number;
  readonly refines: boolean;
  readonly restartInterval: number;
}

/** Decodes a scan's blocks into the planes of its components. */
export function readScanData(data: Uint8Array, scan: Scan): void {
  const { components, mcus, restartInterval } = scan;
  const decodeBlock = blockDecoder(scan);
  const [only] = components;
  // The blocks of a scan of one component follow each other row by row, whatever its sampling factors (T.81, A.2.2).
  const alone = components.length === 1 && only ? only.plane : undefined;
  const columns = alone ? alone.width : mcus.x;
  const rows = alone ? alone.height : mcus.y;
  const intervals = restartIntervals(data);
  let bits = nextInterval(intervals);
  let left = restartInterval || 2 ** 31 - 1;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      if (left === 0) {
        bits = nextInterval(intervals);
        left = restartInterval;
        for (const component of components) component.prediction = 0;
        decodeBlock.restart();
      }
      left--;
      for (const component of components) {
        const h = alone ? 1 : component.h;
        const v = alone ? 1 : component.v;
        for (let j = 0; j < v; j++) {
          const block = (y * v + j) * component.plane.stride + x * h;
          for (let i = 0; i < h; i++) decodeBlock.read(bits, component, block + i);
        }
      }
      if (bits.position > bits.end) throw damagedJpeg("it is truncated");
    }
  }
}

function nextInterval(intervals: Generator<BitReader, void>): BitReader {
  const { value } = intervals.next();
  if (!value) throw damagedJpeg("it is truncated");
  return value;
}
